import type {
  IImageField,
  ILaunchRequest,
  ISite,
  OptionValue
} from './api/types';
import { groupRequest, groupsOf, GroupValues } from './groupValues';
import {
  hasSizes,
  queueOf,
  scalingRequest,
  sizeRequest,
  workerValues,
  WorkerValues
} from './workerValues';

/**
 * What stands in the fields of the launch form.
 *
 * Text fields hold what was typed, also if it is no number yet.
 */
export type LaunchValues = WorkerValues & {
  site: string;
  environment: string;
  /** The container image; empty for that of the environment. */
  image: string;
  account: string;
  layout: string;
  name: string;
  options: { [name: string]: OptionValue };
  /** Workers of other kinds. */
  groups: readonly GroupValues[];
};

/** The form's first values at a site. */
export function defaultValues(site: ISite): LaunchValues {
  const { defaults, sizes, queues, environments } = site;
  const size = sizes.find(one => one.name === defaults.size) ?? sizes.at(0);
  const queue = queueOf(site, { queue: defaults.queue ?? '' }) ?? queues.at(0);
  return {
    ...workerValues(site, queue, size),
    site: site.name,
    environment: defaults.environment ?? environments.at(0)?.name ?? '',
    image: '',
    account: defaults.account ?? '',
    layout: defaults.layout,
    name: '',
    options: Object.fromEntries(
      site.options
        .filter(option => option.default !== null)
        .map(option => [option.name, option.default as OptionValue])
    ),
    groups: []
  };
}

/** The request that the form's values stand for. */
export function requestOf(site: ISite, values: LaunchValues): ILaunchRequest {
  const image = imageOf(site, values) && values.image.trim();
  const groups = groupsOf(site, values).map(one => groupRequest(site, one));
  const says = saysScaling(site, values);
  const ofJobs = {
    queue: values.queue || undefined,
    size: sizeRequest(site, values, says),
    account: values.account.trim() || undefined,
    walltime: values.walltime.trim() || undefined
  };
  const request: ILaunchRequest = {
    site: site.name,
    // Of others, who decide about these, nobody asks for them.
    ...(hasSizes(site) && ofJobs),
    scaling: says ? scalingRequest(values) : undefined,
    groups: groups.length ? groups : undefined,
    environment: values.environment || undefined,
    image: image || undefined,
    layout: site.layouts.length > 1 ? values.layout : undefined,
    name: values.name.trim() || undefined,
    options: site.options.length ? optionsOf(site, values) : undefined
  };
  return Object.fromEntries(
    Object.entries(request).filter(([, value]) => value !== undefined)
  );
}

/** Whether the number of workers can follow the work. */
export function canAdapt(values: Pick<LaunchValues, 'layout'>): boolean {
  return values.layout === 'elastic';
}

/** Whether the number of the workers that every cluster has is to do so. */
export function isAdaptive(
  values: Pick<LaunchValues, 'layout' | 'scaling'>
): boolean {
  return values.scaling === 'adaptive' && canAdapt(values);
}

/** Whether the number of any workers is to do so. */
export function adapts(site: ISite, values: LaunchValues): boolean {
  const groups = groupsOf(site, values);
  return isAdaptive(values) || groups.some(one => one.scaling === 'adaptive');
}

/** The container image that may be chosen, if the environment has one. */
export function imageOf(
  site: ISite,
  values: Pick<LaunchValues, 'environment'>
): IImageField | null {
  const known = site.environments.find(one => one.name === values.environment);
  return known?.image ?? null;
}

/** A fixed number of workers is that of their size, where there are sizes. */
function saysScaling(site: ISite, values: LaunchValues): boolean {
  return isAdaptive(values) || !hasSizes(site);
}

/** The site's options, but for what was left empty: that has its default. */
function optionsOf(site: ISite, values: LaunchValues): LaunchValues['options'] {
  const texts = site.options
    .filter(option => option.type === 'string')
    .map(option => option.name);
  return Object.fromEntries(
    Object.entries(values.options).filter(
      ([name, value]) => value !== '' || texts.includes(name)
    )
  );
}
