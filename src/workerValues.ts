import type {
  ICustomSize,
  ILimits,
  IQueue,
  ISite,
  ISize,
  Scaling
} from './api/types';
import { formatMemory } from './format';

/** The size that is none of the named ones. */
export const CUSTOM = '';

/**
 * What the form asks of workers of one kind.
 *
 * Text fields hold what was typed, also if it is no number yet.
 */
export type WorkerValues = {
  queue: string;
  /** The name of a size, or `CUSTOM`. */
  size: string;
  scaling: Scaling['mode'];
  /** How many, or how many at most if their number adapts. */
  workers: string;
  /** How many at least if their number adapts. */
  minimum: string;
  cores: string;
  memory: string;
  /** Per worker. */
  gpus: string;
  workersPerJob: string;
  walltime: string;
};

/** The first values at a site, in one of its queues and with one of its sizes. */
export function workerValues(
  site: ISite,
  queue: IQueue | undefined,
  size: ISize | undefined
): WorkerValues {
  return {
    queue: queue?.name ?? '',
    scaling: 'fixed',
    minimum: '0',
    walltime: '',
    ...sizeValues(size),
    ...(!hasSizes(site) && scalingValues(site.defaults.scaling))
  };
}

function scalingValues(scaling: Scaling): Partial<WorkerValues> {
  const { mode } = scaling;
  return mode === 'adaptive'
    ? {
        scaling: mode,
        minimum: String(scaling.minimum),
        workers: String(scaling.maximum)
      }
    : { scaling: mode, workers: String(scaling.workers) };
}

/** A named size is also where a custom one starts from. */
export function sizeValues(
  size: ISize | undefined
): Pick<
  WorkerValues,
  'size' | 'workers' | 'cores' | 'memory' | 'gpus' | 'workersPerJob'
> {
  return {
    size: size?.name ?? CUSTOM,
    workers: String(size?.workers ?? 1),
    cores: String(size?.cores ?? 1),
    memory: formatMemory(size?.memory ?? 2 ** 31),
    gpus: String(size?.gpus ?? 0),
    workersPerJob: String(size?.workers_per_job ?? 1)
  };
}

/** Whether the workers of a site have queues and sizes: else others decide. */
export function hasSizes(site: ISite): boolean {
  return site.kind === 'batch';
}

/** The queue that is chosen. */
export function queueOf(
  site: ISite,
  values: Pick<WorkerValues, 'queue'>
): IQueue | undefined {
  return site.queues.find(one => one.name === values.queue);
}

/** The named size that is chosen, if it is one. */
export function namedSize(
  site: ISite,
  values: Pick<WorkerValues, 'size'>
): ISize | undefined {
  return site.sizes.find(one => one.name === values.size);
}

/** The limits of these workers: those of their queue, where there are queues. */
export function limitsOf(
  site: ISite,
  values: Pick<WorkerValues, 'queue'>
): ILimits {
  return hasSizes(site) ? (queueOf(site, values)?.limits ?? {}) : site.limits;
}

/** The walltime of workers for which none is typed; `null` is unlimited. */
export function walltimeOf(
  site: ISite,
  values: Pick<WorkerValues, 'queue' | 'size'>
): string | null {
  const size = namedSize(site, values) ?? site.sizes.at(0);
  return size?.walltime ?? limitsOf(site, values).walltime ?? null;
}

/** How many workers share a job; `null` if that is no number yet. */
export function workersPerJob(
  site: ISite,
  values: WorkerValues
): number | null {
  if (!hasSizes(site)) {
    return 1;
  }
  const named = namedSize(site, values);
  return named
    ? named.workers_per_job
    : wholeNumber(values.workersPerJob.trim() || '1');
}

/**
 * The size to ask for where the site has sizes. Where the scaling says how
 * many workers there are, which may be none, that of the size is for nothing.
 */
export function sizeRequest(
  site: ISite,
  values: WorkerValues,
  saysScaling: boolean
): string | ICustomSize {
  if (values.size !== CUSTOM) {
    return values.size;
  }
  const perJob = values.workersPerJob.trim();
  const gpus = queueOf(site, values)?.gpus ? values.gpus.trim() : '';
  return {
    workers: saysScaling
      ? wholeNumber(values.workers) || 1
      : number(values.workers),
    cores: number(values.cores),
    memory: values.memory.trim(),
    ...(gpus && { gpus: number(gpus) }),
    ...(perJob && { workers_per_job: number(perJob) })
  };
}

/** The scaling to ask for; what is left empty is left out. */
export function scalingRequest(values: WorkerValues): Scaling {
  const asked = (text: string) =>
    text.trim() ? number(text) : (undefined as unknown as number);
  return values.scaling === 'adaptive'
    ? {
        mode: 'adaptive',
        minimum: asked(values.minimum),
        maximum: asked(values.workers)
      }
    : { mode: 'fixed', workers: asked(values.workers) };
}

/** The whole number that a text stands for; `null` if it is none. */
export function wholeNumber(text: string): number | null {
  const trimmed = text.trim();
  return /^\d+$/.test(trimmed) ? Number(trimmed) : null;
}

/** What was typed, as a number if it is one: else the server says what is wrong. */
function number(text: string): number {
  const trimmed = text.trim();
  const value = Number(trimmed);
  return trimmed && Number.isFinite(value)
    ? value
    : (trimmed as unknown as number);
}
