import type { ISite } from '../api/types';
import { canHaveGroups, groupsOf } from '../groupValues';
import { imageOf, LaunchValues } from '../launch';
import { CUSTOM, hasSizes } from '../workerValues';

/** The fields that say how many workers there are. */
export const SCALING_FIELDS = [
  'scaling',
  'scaling.mode',
  'scaling.workers',
  'scaling.minimum',
  'scaling.maximum'
];

/** The fields whose errors are shown at the size. */
export const SIZE_FIELDS = [
  'size',
  'size.workers',
  'size.cores',
  'size.memory',
  'size.gpus',
  ...SCALING_FIELDS
];

/** The fields of workers of another kind. */
const GROUP_FIELDS = [
  'name',
  'queue',
  'walltime',
  'resources',
  'size.workers_per_job',
  ...SIZE_FIELDS
];

/** Whether the form shows a field, so that what is wrong with it stands there. */
export function isShown(
  field: string,
  site: ISite,
  values: LaunchValues
): boolean {
  const always = hasSizes(site)
    ? ['queue', 'environment', ...SIZE_FIELDS]
    : SCALING_FIELDS;
  return (
    always.includes(field) ||
    (field === 'environment' && site.environments.length > 0) ||
    (field === 'image' && imageOf(site, values) !== null) ||
    isOption(field, site) ||
    isInMore(field, site, values)
  );
}

/** Whether a field stands below More. */
export function isInMore(
  field: string,
  site: ISite,
  values: LaunchValues
): boolean {
  switch (field) {
    case 'name':
      return true;
    case 'account':
      return hasAccounts(site);
    case 'walltime':
      return hasSizes(site);
    case 'layout':
      return site.layouts.length > 1;
    case 'size.workers_per_job':
      return hasSizes(site) && values.size === CUSTOM;
    case 'groups':
      return canHaveGroups(site, values);
    default:
      return (
        isInGroup(field, site, values) ||
        (hasSizes(site) && isOption(field, site))
      );
  }
}

/** Whether somebody pays: on this machine nobody does, unless it says so. */
export function hasAccounts(site: ISite): boolean {
  const isLocal = site.batch_system === 'local';
  return hasSizes(site) && (!isLocal || site.accounts.length > 0);
}

/** Whether a field is one that the administrator described, or all of them. */
function isOption(field: string, site: ISite): boolean {
  return field === 'options'
    ? site.options.length > 0
    : site.options.some(option => field === `options.${option.name}`);
}

function isInGroup(field: string, site: ISite, values: LaunchValues): boolean {
  const [, number, nested] = /^groups\.(\d+)\.(.+)$/.exec(field) ?? [];
  return (
    nested !== undefined &&
    Number(number) < groupsOf(site, values).length &&
    (GROUP_FIELDS.includes(nested) || nested.startsWith('resources.'))
  );
}
