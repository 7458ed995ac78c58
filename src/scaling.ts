import type { ICluster, IGroup, Scaling } from './api/types';

/** The name of the group that every cluster has. */
export const MAIN_GROUP = 'workers';

/** The kinds of workers of a cluster: at least one. */
export function groupsOf(cluster: ICluster): readonly IGroup[] {
  return cluster.groups.length ? cluster.groups : [onlyGroup(cluster)];
}

/** What of a cluster differs as soon as a group is to be scaled so. */
export function scaled(
  cluster: ICluster,
  name: string,
  scaling: Scaling
): Partial<ICluster> {
  const groups = groupsOf(cluster).map(one =>
    one.name === name ? withScaling(one, scaling) : one
  );
  const sum = (what: keyof IGroup['workers']) =>
    groups.reduce((all, one) => all + one.workers[what], 0);
  return {
    groups,
    scaling: groups[0].scaling,
    workers: {
      requested: sum('requested'),
      pending: sum('pending'),
      running: sum('running')
    }
  };
}

export type ScalingMode = Scaling['mode'];

/** What stands in the fields of a form that scales. */
export interface IScaleValues {
  mode: ScalingMode;
  workers: string;
  minimum: string;
  maximum: string;
}

/** A form with what is so; what is not, begins with what there is now. */
export function scaleValues(group: IGroup): IScaleValues {
  const { scaling, workers } = group;
  const isFixed = scaling.mode === 'fixed';
  return {
    mode: scaling.mode,
    workers: String(isFixed ? scaling.workers : workers.requested),
    minimum: String(isFixed ? 0 : scaling.minimum),
    maximum: String(isFixed ? Math.max(1, scaling.workers) : scaling.maximum)
  };
}

/** What a form asks for, or `null` where a number is none. */
export function scalingOf(values: IScaleValues): Scaling | null {
  const { mode } = values;
  const texts =
    mode === 'fixed' ? [values.workers] : [values.minimum, values.maximum];
  const [first, second] = texts.map(text =>
    /^\s*\d+\s*$/.test(text) ? Number(text) : null
  );
  if (mode === 'fixed') {
    return first === null ? null : { mode, workers: first };
  }
  return first === null || second === null
    ? null
    : { mode, minimum: first, maximum: second };
}

export function isSame(one: Scaling, other: Scaling): boolean {
  return one.mode === 'fixed'
    ? other.mode === 'fixed' && one.workers === other.workers
    : other.mode === 'adaptive' &&
        one.minimum === other.minimum &&
        one.maximum === other.maximum;
}

function withScaling(group: IGroup, scaling: Scaling): IGroup {
  const { requested: before, running } = group.workers;
  const requested =
    scaling.mode === 'fixed'
      ? scaling.workers
      : Math.min(scaling.maximum, Math.max(scaling.minimum, before));
  const pending = Math.max(0, requested - running);
  return { ...group, scaling, workers: { requested, pending, running } };
}

/** The group of a launch that is not answered. */
function onlyGroup(cluster: ICluster): IGroup {
  const { queue, size, walltime, workers, cores, memory, gpus } = cluster;
  const each = (total: number) =>
    workers.requested ? total / workers.requested : 0;
  return {
    name: MAIN_GROUP,
    ...{ queue, size, walltime, workers, cores, memory, gpus },
    worker: { cores: each(cores), memory: each(memory), gpus: each(gpus) },
    scaling: cluster.scaling,
    limits: cluster.limits,
    resources: {}
  };
}
