import type {
  ICustomSize,
  IImageField,
  ILaunchRequest,
  IQueue,
  ISite,
  ISize,
  OptionValue
} from './api/types';
import { formatMemory, parseMemory } from './format';

/** The size that is none of the named ones. */
export const CUSTOM = '';

/**
 * What stands in the fields of the launch form.
 *
 * Text fields hold what was typed, also if it is no number yet.
 */
export type LaunchValues = {
  site: string;
  queue: string;
  /** The name of a size, or `CUSTOM`. */
  size: string;
  workers: string;
  cores: string;
  memory: string;
  /** Per worker. */
  gpus: string;
  workersPerJob: string;
  environment: string;
  /** The container image; empty for that of the environment. */
  image: string;
  account: string;
  walltime: string;
  layout: string;
  name: string;
  options: { [name: string]: OptionValue };
};

/** What a launch asks for altogether; `null` is not known (yet). */
export interface ITotals {
  workers: number | null;
  cores: number | null;
  memory: number | null;
  gpus: number | null;
  walltime: string | null;
}

/** The form's first values at a site. */
export function defaultValues(site: ISite): LaunchValues {
  const { defaults, sizes, queues, environments } = site;
  const size = sizes.find(one => one.name === defaults.size) ?? sizes[0];
  return {
    site: site.name,
    queue: defaults.queue ?? queues[0]?.name ?? '',
    size: size?.name ?? CUSTOM,
    workers: String(size?.workers ?? 1),
    cores: String(size?.cores ?? 1),
    memory: formatMemory(size?.memory ?? 2 ** 31),
    gpus: String(size?.gpus ?? 0),
    workersPerJob: String(size?.workers_per_job ?? 1),
    environment: defaults.environment ?? environments[0]?.name ?? '',
    image: '',
    account: defaults.account ?? '',
    walltime: '',
    layout: defaults.layout,
    name: '',
    options: Object.fromEntries(
      site.options
        .filter(option => option.default !== null)
        .map(option => [option.name, option.default as OptionValue])
    )
  };
}

/** The request that the form's values stand for. */
export function requestOf(site: ISite, values: LaunchValues): ILaunchRequest {
  const image = imageOf(site, values) && values.image.trim();
  const request: ILaunchRequest = {
    site: site.name,
    queue: values.queue || undefined,
    size: values.size === CUSTOM ? customSize(site, values) : values.size,
    environment: values.environment || undefined,
    image: image || undefined,
    account: values.account.trim() || undefined,
    walltime: values.walltime.trim() || undefined,
    layout: site.layouts.length > 1 ? values.layout : undefined,
    name: values.name.trim() || undefined,
    options: site.options.length ? values.options : undefined
  };
  return Object.fromEntries(
    Object.entries(request).filter(([, value]) => value !== undefined)
  );
}

/** The totals of the form's values, for the line below the sizes. */
export function totalsOf(site: ISite, values: LaunchValues): ITotals {
  const size = sizeOf(site, requestOf(site, values).size);
  const memory =
    typeof size?.memory === 'string' ? parseMemory(size.memory) : size?.memory;
  const workers = count(size?.workers);
  const times = (value: number | null | undefined) =>
    workers === null || value === null || value === undefined
      ? null
      : workers * value;
  return {
    workers,
    cores: times(count(size?.cores)),
    memory: times(memory),
    gpus: times(size?.gpus ?? 0),
    walltime: values.walltime.trim() || walltimeOf(site, values.size)
  };
}

/** The queue that is chosen. */
export function queueOf(site: ISite, values: LaunchValues): IQueue | undefined {
  return site.queues.find(one => one.name === values.queue);
}

/** The container image that may be chosen, if the environment has one. */
export function imageOf(
  site: ISite,
  values: Pick<LaunchValues, 'environment'>
): IImageField | null {
  const known = site.environments.find(one => one.name === values.environment);
  return known?.image ?? null;
}

function customSize(site: ISite, values: LaunchValues): ICustomSize {
  const perJob = values.workersPerJob.trim();
  const gpus = queueOf(site, values)?.gpus ? values.gpus.trim() : '';
  return {
    workers: number(values.workers),
    cores: number(values.cores),
    memory: values.memory.trim(),
    ...(gpus && { gpus: number(gpus) }),
    ...(perJob && { workers_per_job: number(perJob) })
  };
}

function sizeOf(
  site: ISite,
  size: string | ICustomSize | undefined
): ISize | ICustomSize | undefined {
  return typeof size === 'object'
    ? size
    : site.sizes.find(one => one.name === size);
}

/** The walltime of a launch that names none, by the name of its size. */
export function walltimeOf(site: ISite, size: string): string | null {
  const named = site.sizes.find(one => one.name === size);
  return named?.walltime ?? site.defaults.walltime;
}

/** What was typed, as a number if it is one: else the server says what is wrong. */
function number(text: string): number {
  const trimmed = text.trim();
  const value = Number(trimmed);
  return trimmed && Number.isFinite(value)
    ? value
    : (trimmed as unknown as number);
}

function count(value: number | undefined): number | null {
  return typeof value === 'number' && value > 0 ? value : null;
}
