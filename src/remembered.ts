import type { ISite } from './api/types';
import { GroupValues, newGroup } from './groupValues';
import { defaultValues, imageOf, LaunchValues } from './launch';
import { CUSTOM, hasSizes, WorkerValues } from './workerValues';

/**
 * The last values at a site, as far as the site still has them.
 *
 * A name is for one cluster only and is not remembered.
 */
export function rememberedValues(
  site: ISite,
  saved: Partial<LaunchValues> | undefined
): LaunchValues {
  const first = defaultValues(site);
  if (!saved || typeof saved !== 'object') {
    return first;
  }
  const environment = kept(
    saved.environment,
    site.environments,
    first.environment
  );
  return {
    ...first,
    ...saved,
    ...keptWorkers(site, saved, first),
    site: site.name,
    name: '',
    environment,
    image: environment === saved.environment ? keptImage(site, saved) : '',
    account: site.accounts.length
      ? kept(saved.account, named(site.accounts), first.account)
      : (saved.account ?? first.account),
    layout: kept(saved.layout, named(site.layouts), first.layout),
    options: keptOptions(site, saved.options, first.options),
    groups: keptGroups(site, saved.groups, first)
  };
}

/** What depends on the site's queues and sizes. */
function keptWorkers(
  site: ISite,
  saved: Partial<WorkerValues>,
  first: WorkerValues
): Pick<WorkerValues, 'queue' | 'size'> {
  const isCustom = saved.size === CUSTOM;
  return {
    queue: waitsForQueues(site)
      ? (saved.queue ?? first.queue)
      : kept(saved.queue, site.queues, first.queue),
    size: isCustom ? CUSTOM : kept(saved.size, site.sizes, first.size)
  };
}

/** The last groups, unless their queue is gone: they were there for it. */
function keptGroups(
  site: ISite,
  saved: readonly GroupValues[] | undefined,
  first: LaunchValues
): readonly GroupValues[] {
  const groups = Array.isArray(saved) ? (saved as readonly GroupValues[]) : [];
  const hasQueue = ({ queue }: GroupValues) =>
    waitsForQueues(site) || site.queues.some(one => one.name === queue);
  return groups.filter(hasQueue).map(group => {
    const usual = newGroup(site, first);
    return { ...usual, ...group, ...keptWorkers(site, group, usual) };
  });
}

/** Whether the batch system has not told its queues yet. */
function waitsForQueues(site: ISite): boolean {
  return hasSizes(site) && !site.queues.length;
}

function named(list: readonly string[]): { name: string }[] {
  return list.map(name => ({ name }));
}

/** A value if it is still known, else another one. */
function kept(
  value: string | undefined,
  known: readonly { name: string }[],
  otherwise: string
): string {
  return known.find(one => one.name === value)?.name ?? otherwise;
}

/** The last image, unless it had to be one of others. */
function keptImage(site: ISite, saved: Partial<LaunchValues>): string {
  const { environment = '', image = '' } = saved;
  const field = imageOf(site, { environment });
  const isOpen = field && (!field.choices.length || field.pattern !== null);
  return isOpen || field?.choices.includes(image) ? image : '';
}

/** The last values of the options that are still there, and still possible. */
function keptOptions(
  site: ISite,
  saved: LaunchValues['options'] | undefined,
  first: LaunchValues['options']
): LaunchValues['options'] {
  const known = Object.entries(saved ?? {}).filter(([name, value]) => {
    const option = site.options.find(one => one.name === name);
    const choices = option?.choices ?? [];
    return option && (option.type !== 'choice' || choices.includes(value));
  });
  return { ...first, ...Object.fromEntries(known) };
}
