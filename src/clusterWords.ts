import type { TranslationBundle } from '@jupyterlab/translation';

import type { ICluster, IGroup } from './api/types';
import { formatDuration, formatMemory, hasEnded } from './format';

/** How long before an idle cluster stops it is time to say so, in ms. */
export const IDLE_WARNING = 5 * 60_000;

/** How many workers are there, of how many. */
export function workersWords(
  { workers, scaling }: Pick<IGroup, 'workers' | 'scaling'>,
  trans: TranslationBundle
): string {
  const { requested, pending, running } = workers;
  if (scaling.mode === 'fixed') {
    return trans._n('%2 / %1 worker', '%2 / %1 workers', requested, running);
  }
  const { minimum, maximum } = scaling;
  return pending
    ? trans._n(
        '%2 of %3–%1 worker, %4 on the way',
        '%2 of %3–%1 workers, %4 on the way',
        maximum,
        running,
        minimum,
        pending
      )
    : trans._n(
        '%2 of %3–%1 worker, adapts to the work',
        '%2 of %3–%1 workers, adapts to the work',
        maximum,
        running,
        minimum
      );
}

/** The same of a whole cluster: of one that others run, all that it has. */
export function allWorkersWords(
  cluster: ICluster,
  trans: TranslationBundle
): string {
  const { kind, workers, groups } = cluster;
  if (kind === 'adopted') {
    return trans._n('%1 worker', '%1 workers', workers.running);
  }
  const scaling =
    groups.length > 1
      ? ({ mode: 'fixed', workers: workers.requested } as const)
      : cluster.scaling;
  return workersWords({ workers, scaling }, trans);
}

/** The same of a group, for a place where “workers” is said already. */
export function shortWorkersWords(
  { workers, scaling }: IGroup,
  trans: TranslationBundle
): string {
  const { requested, running } = workers;
  return scaling.mode === 'fixed'
    ? trans.__('%1 / %2', running, requested)
    : trans.__('%1 of %2–%3', running, scaling.minimum, scaling.maximum);
}

/** What so many workers have together; nothing where that is not known. */
export function costWords(
  { worker }: IGroup,
  workers: number,
  trans: TranslationBundle
): string {
  const { cores, memory, gpus } = worker;
  const parts = [
    cores > 0 && trans._n('%1 core', '%1 cores', cores * workers),
    memory > 0 && formatMemory(memory * workers),
    gpus > 0 && trans._n('%1 GPU', '%1 GPUs', gpus * workers)
  ];
  return parts.filter(Boolean).join(' · ');
}

/** Core-hours, with as many digits as change within a while, and with no 0 at the end. */
export function coreHoursWords(
  hours: number,
  trans: TranslationBundle
): string {
  // What rounds up to the next power of ten has one digit less already.
  const digits = hours < 0.095 ? 2 : hours < 9.95 ? 1 : 0;
  const shown = hours.toLocaleString(undefined, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits
  });
  return trans.__('%1 core-h', shown);
}

/** How long an idle cluster still waits for work. */
export function idleWords(
  endsAt: string,
  now: number,
  trans: TranslationBundle
): string {
  const seconds = (Date.parse(endsAt) - now) / 1000;
  return seconds <= 0
    ? trans.__('Idle: stops now')
    : trans.__('Idle: stops in %1', formatDuration(seconds, trans));
}

/** Where a cluster runs, and what: no part is said twice. */
export function placeWords(
  cluster: ICluster,
  trans: TranslationBundle
): string {
  const { kind, site, site_title: title, queue } = cluster;
  const place = kind === 'adopted' ? trans.__('Adopted') : title || site;
  return [
    place,
    // The queue of this machine has no name of its own.
    queue === site || cluster.groups.length > 1 ? '' : queue,
    cluster.environment_title || cluster.environment
  ]
    .filter(Boolean)
    .join(' · ');
}

/** What Forget does to this cluster. */
export function forgetHelp(
  cluster: ICluster,
  trans: TranslationBundle
): string {
  return hasEnded(cluster.state)
    ? trans.__('Delete the record and the logs of this ended cluster')
    : trans.__('Take this cluster off the list; it goes on running');
}
