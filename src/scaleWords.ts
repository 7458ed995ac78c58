import type { TranslationBundle } from '@jupyterlab/translation';

import type { IGroup, Scaling } from './api/types';
import { costWords } from './clusterWords';

/** What a scaling takes, or may take; empty where that is not known. */
export function scaleCostWords(
  scaling: Scaling | null,
  group: IGroup,
  trans: TranslationBundle
): string {
  if (scaling?.mode !== 'adaptive') {
    return scaling ? costWords(group, scaling.workers, trans) : '';
  }
  const cost = costWords(group, scaling.maximum, trans);
  return cost && trans.__('Up to %1, as the work needs', cost);
}

/** How many workers a group may have; empty if any number. */
export function limitWords(
  group: IGroup,
  canGrow: boolean,
  trans: TranslationBundle
): string {
  const { limits, workers } = group;
  if (!canGrow) {
    return trans._n(
      'At most %1 worker: a cluster in one job can shrink, not grow.',
      'At most %1 workers: a cluster in one job can shrink, not grow.',
      workers.requested
    );
  }
  if (!limits.workers) {
    return '';
  }
  return group.queue
    ? trans._n(
        'At most %1 worker in this queue',
        'At most %1 workers in this queue',
        limits.workers
      )
    : trans._n('At most %1 worker', 'At most %1 workers', limits.workers);
}

/** What is wrong with a scaling, or nothing. */
export function scaleProblem(
  scaling: Scaling | null,
  group: IGroup,
  canGrow: boolean,
  trans: TranslationBundle
): string {
  if (!scaling) {
    return trans.__('Enter a whole number, 0 or more.');
  }
  const { workers: limit } = group.limits;
  const isFixed = scaling.mode === 'fixed';
  const most = isFixed ? scaling.workers : scaling.maximum;
  if (!canGrow && most > group.workers.requested) {
    return limitWords(group, canGrow, trans);
  }
  if (!isFixed && scaling.maximum < 1) {
    return trans.__('The most workers must be 1 or more.');
  }
  if (!isFixed && scaling.minimum > scaling.maximum) {
    return trans.__(
      'The fewest workers, %1, are more than the most, %2.',
      scaling.minimum,
      scaling.maximum
    );
  }
  return limit && most > limit
    ? trans.__('%1 workers are more than the limit of %2.', most, limit)
    : '';
}
