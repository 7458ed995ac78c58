import type {
  ICluster,
  ICustomSize,
  ILaunchRequest,
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
  workersPerJob: string;
  environment: string;
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
    workersPerJob: String(size?.workers_per_job ?? 1),
    environment: defaults.environment ?? environments[0]?.name ?? '',
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
  const kept = <T extends string>(
    value: T | undefined,
    known: readonly { name: T }[],
    otherwise: T
  ): T => known.find(one => one.name === value)?.name ?? otherwise;
  const names = (list: readonly string[]) => list.map(name => ({ name }));
  return {
    ...first,
    ...saved,
    site: site.name,
    name: '',
    queue: kept(saved.queue, site.queues, first.queue),
    size:
      saved.size === CUSTOM ? CUSTOM : kept(saved.size, site.sizes, first.size),
    environment: kept(saved.environment, site.environments, first.environment),
    account: site.accounts.length
      ? kept(saved.account, names(site.accounts), first.account)
      : (saved.account ?? first.account),
    layout: kept(saved.layout, names(site.layouts), first.layout),
    options: {
      ...first.options,
      ...Object.fromEntries(
        Object.entries(saved.options ?? {}).filter(([name]) =>
          site.options.some(option => option.name === name)
        )
      )
    }
  };
}

/** The request that the form's values stand for. */
export function requestOf(site: ISite, values: LaunchValues): ILaunchRequest {
  const request: ILaunchRequest = {
    site: site.name,
    queue: values.queue || undefined,
    size: values.size === CUSTOM ? customSize(values) : values.size,
    environment: values.environment || undefined,
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
    walltime: values.walltime.trim() || walltimeOf(site, values.size)
  };
}

/** The card that is shown until the server answers the launch. */
export function placeholder(
  id: string,
  request: ILaunchRequest,
  site: ISite | undefined,
  now: Date
): ICluster {
  const values = site && {
    ...defaultValues(site),
    walltime: request.walltime ?? '',
    ...customValues(request)
  };
  const totals = site && values ? totalsOf(site, values) : null;
  const environment = request.environment ?? site?.defaults.environment ?? '';
  return {
    id,
    name: request.name ?? '',
    site: site?.name ?? request.site ?? '',
    site_title: site?.title ?? request.site ?? '',
    queue: request.queue ?? site?.defaults.queue ?? '',
    layout: request.layout ?? 'elastic',
    size: typeof request.size === 'string' ? request.size : null,
    environment,
    environment_title: titleOf(site, environment),
    state: 'submitting',
    reason: '',
    reachable: true,
    created: now.toISOString(),
    started: null,
    ended: null,
    ends_at: null,
    estimated_start: null,
    walltime: totals?.walltime ?? null,
    workers: {
      requested: totals?.workers ?? 0,
      pending: totals?.workers ?? 0,
      running: 0
    },
    cores: totals?.cores ?? 0,
    memory: totals?.memory ?? 0,
    scaling: { mode: 'fixed', workers: totals?.workers ?? 0 },
    limits: {},
    clients: 0,
    jobs: [],
    scheduler: { address: null, file: null },
    dashboard_url: null,
    client_code: null,
    warnings: []
  };
}

function customSize(values: LaunchValues): ICustomSize {
  const perJob = values.workersPerJob.trim();
  return {
    workers: number(values.workers),
    cores: number(values.cores),
    memory: values.memory.trim(),
    ...(perJob && { workers_per_job: number(perJob) })
  };
}

function customValues(request: ILaunchRequest): Partial<LaunchValues> {
  const { size } = request;
  if (size === undefined) {
    return {};
  }
  if (typeof size === 'string') {
    return { size };
  }
  return {
    size: CUSTOM,
    workers: String(size.workers),
    cores: String(size.cores),
    memory: String(size.memory)
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

function titleOf(site: ISite | undefined, environment: string): string {
  const known = site?.environments.find(one => one.name === environment);
  return known?.title ?? environment;
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
