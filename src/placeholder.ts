import type { ICluster, ILaunchRequest, ISite } from './api/types';
import { defaultValues, LaunchValues } from './launch';
import { totalsOf } from './totals';
import { CUSTOM } from './workerValues';

/** The card that is shown until the server answers the launch. */
export function placeholder(
  id: string,
  request: ILaunchRequest,
  site: ISite | undefined,
  now: Date
): ICluster {
  const values = site && {
    ...defaultValues(site),
    queue: request.queue ?? site.defaults.queue ?? '',
    walltime: request.walltime ?? '',
    ...customValues(request),
    ...scalingValues(request)
  };
  const totals = site && values ? totalsOf(site, values) : null;
  const environment = request.environment ?? site?.defaults.environment ?? '';
  const layout = request.layout ?? site?.defaults.layout ?? 'elastic';
  return {
    id,
    kind: site?.kind ?? 'batch',
    name: request.name ?? '',
    site: site?.name ?? request.site ?? '',
    site_title: site?.title ?? request.site ?? '',
    queue: request.queue ?? site?.defaults.queue ?? '',
    layout,
    can_grow: layout !== 'allocation',
    size: typeof request.size === 'string' ? request.size : null,
    environment,
    environment_title: titleOf(site, environment),
    image: request.image ?? null,
    state: 'submitting',
    reason: '',
    reachable: true,
    unreachable_since: null,
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
    gpus: totals?.gpus ?? 0,
    scaling: request.scaling ?? {
      mode: 'fixed',
      workers: totals?.workers ?? 0
    },
    limits: {},
    can_scale: false,
    can_adapt: false,
    can_forget: false,
    groups: [],
    clients: 0,
    idle_ends_at: null,
    core_hours: null,
    cores_running: null,
    jobs: [],
    scheduler: { address: null, file: null },
    dashboard_url: null,
    client_code: null,
    warnings: [],
    script: request.script ?? null,
    exit_code: null
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
    memory: String(size.memory),
    gpus: String(size.gpus ?? 0)
  };
}

/** What adapts begins with its minimum. */
function scalingValues({ scaling }: ILaunchRequest): Partial<LaunchValues> {
  switch (scaling?.mode) {
    case 'adaptive':
      return {
        scaling: 'adaptive',
        minimum: String(scaling.minimum),
        workers: String(scaling.minimum)
      };
    case 'fixed':
      return { workers: String(scaling.workers) };
    default:
      return {};
  }
}

function titleOf(site: ISite | undefined, environment: string): string {
  const known = site?.environments.find(one => one.name === environment);
  return known?.title ?? environment;
}
