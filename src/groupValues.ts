import type { IGroupRequest, ISite } from './api/types';
import {
  CUSTOM,
  hasSizes,
  scalingRequest,
  sizeRequest,
  WorkerValues,
  workerValues
} from './workerValues';

/** What the form asks of workers of another kind. */
export type GroupValues = WorkerValues & {
  name: string;
  /** The Dask resources of each worker, as text: `GPU=1, disk=20`. */
  resources: string;
};

/** Workers of one kind, and those of others that are asked for with them. */
type Workers = Pick<WorkerValues, 'queue'> & {
  layout: string;
  groups: readonly GroupValues[];
};

/** What is asked for where there are GPUs, but no named size has any. */
const ONE_GPU = { size: CUSTOM, workers: '1', workersPerJob: '1', gpus: '1' };

/** Whether workers of other kinds can be asked for. */
export function canHaveGroups(
  site: ISite,
  values: Pick<Workers, 'layout'>
): boolean {
  return (
    hasSizes(site) && values.layout === 'elastic' && site.queues.length > 0
  );
}

/** The groups that are asked for: what stands in a hidden field is not. */
export function groupsOf(
  site: ISite,
  values: Pick<Workers, 'layout' | 'groups'>
): readonly GroupValues[] {
  return canHaveGroups(site, values) ? values.groups : [];
}

/**
 * More workers, of a kind that is not there yet: in a queue that is not used
 * yet, with GPUs if there is one.
 */
export function newGroup(site: ISite, values: Workers): GroupValues {
  const used = [values, ...values.groups].map(one => one.queue);
  const unused = site.queues.filter(one => !used.includes(one.name));
  const queue =
    unused.find(one => one.gpus) ?? unused.at(0) ?? site.queues.at(0);
  const isForGpus = Boolean(queue?.gpus);
  const usual = site.sizes.find(one => one.name === site.defaults.size);
  const withGpus = site.sizes.find(one => one.gpus > 0);
  const names = values.groups.map(one => one.name);
  return {
    ...workerValues(site, queue, (isForGpus && withGpus) || usual),
    ...(isForGpus && !withGpus && ONE_GPU),
    name: freeName(isForGpus ? 'gpu' : 'workers2', names),
    resources: ''
  };
}

/** The request that a group's values stand for. */
export function groupRequest(site: ISite, values: GroupValues): IGroupRequest {
  const resources = readResources(values.resources);
  return {
    name: values.name.trim(),
    queue: values.queue || undefined,
    size: sizeRequest(site, values, true),
    walltime: values.walltime.trim() || undefined,
    scaling: scalingRequest(values),
    ...(resources.length && { resources: Object.fromEntries(resources) })
  };
}

/**
 * The resources that a text names, with how many there are of each: one, if
 * it does not say. What is no number stays as it is.
 */
export function readResources(text: string): [string, number][] {
  return text
    .split(',')
    .filter(part => part.trim())
    .map(part => {
      const [name, amount = '1'] = part.split(/=(.*)/s).map(one => one.trim());
      const value = amount ? Number(amount) : NaN;
      return [
        name,
        Number.isFinite(value) ? value : (amount as unknown as number)
      ];
    });
}

/** A name like this one, but a free one. */
function freeName(like: string, taken: readonly string[]): string {
  const stem = like.replace(/\d+$/, '');
  const numbered = taken.map((_, index) => `${stem}${index + 2}`);
  const last = `${stem}${taken.length + 2}`;
  return [like, ...numbered, last].find(name => !taken.includes(name))!;
}
