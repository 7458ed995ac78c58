import type { ISite } from './api/types';
import { parseMemory } from './format';
import { groupsOf } from './groupValues';
import { isAdaptive, LaunchValues } from './launch';
import {
  hasSizes,
  namedSize,
  queueOf,
  walltimeOf,
  wholeNumber,
  WorkerValues
} from './workerValues';

/** What a launch asks for altogether; `null` is not known (yet). */
export interface ITotals {
  /** Of workers whose number adapts, at most; all else counts with these. */
  workers: number | null;
  /** How many there are at least. */
  least: number | null;
  cores: number | null;
  memory: number | null;
  gpus: number | null;
  walltime: string | null;
}

type Amounts = Omit<ITotals, 'walltime'>;

/** The totals of the form's values, for the line below the sizes. */
export function totalsOf(site: ISite, values: LaunchValues): ITotals {
  const others = groupsOf(site, values).map(one => amountsOf(site, one));
  return {
    ...others.reduce(sum, amountsOf(site, mainWorkers(site, values))),
    walltime: values.walltime.trim() || walltimeOf(site, values)
  };
}

/** The workers that every cluster has: their fixed number is that of their size. */
export function mainWorkers(site: ISite, values: LaunchValues): WorkerValues {
  if (isAdaptive(values)) {
    return values;
  }
  const named = namedSize(site, values);
  const workers = named ? String(named.workers) : values.workers;
  return { ...values, scaling: 'fixed', workers };
}

function amountsOf(site: ISite, values: WorkerValues): Amounts {
  const named = namedSize(site, values);
  const workers = wholeNumber(values.workers);
  const isFixed = values.scaling === 'fixed';
  const times = (each: number | null) =>
    workers === null || each === null || !hasSizes(site)
      ? null
      : workers * each;
  const hasGpus = queueOf(site, values)?.gpus;
  const gpus = hasGpus ? wholeNumber(values.gpus.trim() || '0') : 0;
  return {
    workers,
    least: isFixed ? workers : wholeNumber(values.minimum),
    cores: times(named?.cores ?? wholeNumber(values.cores)),
    memory: times(named?.memory ?? parseMemory(values.memory)),
    gpus: times(named?.gpus ?? gpus)
  };
}

function sum(one: Amounts, other: Amounts): Amounts {
  const add = (a: number | null, b: number | null) =>
    a === null || b === null ? null : a + b;
  return {
    workers: add(one.workers, other.workers),
    least: add(one.least, other.least),
    cores: add(one.cores, other.cores),
    memory: add(one.memory, other.memory),
    gpus: add(one.gpus, other.gpus)
  };
}
