import type { Event } from '@jupyterlab/services';
import { ServerConnection } from '@jupyterlab/services';
import { Stream } from '@lumino/signaling';

import { Client } from '../api/client';
import type { ICluster, IGroup, ISite } from '../api/types';
import { SCHEMA_ID } from '../events';
import { ClusterModel } from '../model';

export const GIB = 2 ** 30;

export function site(part: Partial<ISite> = {}): ISite {
  return {
    name: 'centre',
    title: 'Centre (Slurm)',
    description: '',
    kind: 'batch',
    batch_system: 'slurm',
    layouts: ['elastic'],
    scheduler: { place: 'host' },
    queues: [
      {
        name: 'regular',
        title: 'Regular',
        limits: { workers: 64, cores: 32, memory: 120 * GIB },
        gpus: null,
        load: null
      },
      { name: 'debug', title: 'Debug', limits: {}, gpus: null, load: null }
    ],
    sizes: [
      {
        name: 'small',
        title: 'Small',
        workers: 2,
        cores: 4,
        memory: 16 * GIB,
        gpus: 0,
        workers_per_job: 1,
        walltime: '01:00:00'
      },
      {
        name: 'large',
        title: 'Large',
        workers: 16,
        cores: 8,
        memory: 64 * GIB,
        gpus: 0,
        workers_per_job: 2,
        walltime: null
      }
    ],
    environments: [
      { name: 'pangeo', title: 'Pangeo', kind: 'environment', image: null },
      {
        name: 'python3',
        title: 'Python 3 (ipykernel)',
        kind: 'kernel',
        image: null
      }
    ],
    accounts: ['science', 'climate'],
    options: [
      {
        name: 'qos',
        title: 'Quality of service',
        description: '',
        type: 'choice',
        default: 'normal',
        choices: ['normal', 'debug']
      }
    ],
    limits: {},
    idle_timeout: null,
    defaults: {
      queue: 'regular',
      size: 'small',
      workers: 2,
      scaling: { mode: 'fixed', workers: 2 },
      account: 'science',
      environment: 'python3',
      layout: 'elastic',
      walltime: '02:00:00'
    },
    ...part
  };
}

export function cluster(part: Partial<ICluster> = {}): ICluster {
  return {
    id: 'k3v9x0q2',
    kind: 'batch',
    name: 'era5',
    site: 'centre',
    site_title: 'Centre (Slurm)',
    queue: 'regular',
    layout: 'elastic',
    can_grow: true,
    size: 'small',
    environment: 'python3',
    environment_title: 'Python 3 (ipykernel)',
    image: null,
    state: 'running',
    reason: '',
    reachable: true,
    unreachable_since: null,
    created: '2026-11-20T10:00:00Z',
    started: '2026-11-20T10:01:00Z',
    ended: null,
    ends_at: null,
    estimated_start: null,
    walltime: '01:00:00',
    workers: { requested: 2, pending: 0, running: 2 },
    cores: 8,
    memory: 32 * GIB,
    gpus: 0,
    scaling: { mode: 'fixed', workers: 2 },
    limits: { workers: 64 },
    can_scale: true,
    can_adapt: true,
    can_forget: false,
    groups: [],
    clients: 0,
    idle_ends_at: null,
    core_hours: null,
    cores_running: null,
    jobs: [],
    scheduler: { address: null, file: null },
    dashboard_url: 'hpcdask/proxy/k3v9x0q2/',
    client_code: 'client = Client()',
    warnings: [],
    script: null,
    exit_code: null,
    ...part
  };
}

export function group(part: Partial<IGroup> = {}): IGroup {
  return {
    name: 'workers',
    queue: 'regular',
    size: 'small',
    walltime: '01:00:00',
    workers: { requested: 2, pending: 0, running: 2 },
    cores: 8,
    memory: 32 * GIB,
    gpus: 0,
    worker: { cores: 4, memory: 16 * GIB, gpus: 0 },
    scaling: { mode: 'fixed', workers: 2 },
    limits: { workers: 64 },
    resources: {},
    ...part
  };
}

/** One request that the server got. */
export interface IAsked {
  method: string;
  path: string;
  body: unknown;
}

type Answer = { status: number; body: unknown };

/**
 * A server of answers given in advance; an answer may be held back until
 * `release` is called.
 */
export class FakeServer {
  readonly asked: IAsked[] = [];
  clusters: ICluster[] = [];
  sites: ISite[] = [site()];
  readonly stream = new Stream<Event.IManager, Event.Emission>(
    {} as Event.IManager
  );

  readonly settings = ServerConnection.makeSettings({
    baseUrl: 'http://localhost/user/alice/',
    appendToken: false,
    fetch: ((request: Request) =>
      this._fetch(request)) as unknown as typeof fetch
  });

  readonly client = new Client(this.settings);

  /** The next answer to this method and path is this one. */
  answer(method: string, path: string, status: number, body?: unknown): void {
    this._answers.set(`${method} ${path}`, { status, body });
  }

  /** Hold answers to this method back, of all paths or of one. */
  hold(method: string, path = ''): void {
    this._held = { method, path };
  }

  release(): void {
    this._held = null;
    this._waiting.splice(0).forEach(go => go());
  }

  emit(id: string, change = 'state'): void {
    this.stream.emit({ schema_id: SCHEMA_ID, cluster: id, change });
  }

  /** How often this was asked. */
  count(method: string, path: string): number {
    return this.asked.filter(one => one.method === method && one.path === path)
      .length;
  }

  model(): ClusterModel {
    return new ClusterModel({ client: this.client, stream: this.stream });
  }

  private async _fetch(request: Request): Promise<Response> {
    const { pathname, search } = new URL(request.url);
    // JupyterLab adds the time, so that nothing is answered from a cache.
    const query = search.replace(/[?&]\d+$/, '');
    const path = pathname.replace('/user/alice/hpcdask/', '') + query;
    const text = await request.text();
    const { method } = request;
    this.asked.push({ method, path, body: text ? JSON.parse(text) : null });
    const { status, body } = this._answer(method, path);
    if (this._held?.method === method && (this._held.path || path) === path) {
      await new Promise<void>(go => this._waiting.push(go));
    }
    const content = typeof body === 'string' ? body : JSON.stringify(body);
    return new Response(status === 204 ? null : content, { status });
  }

  private _answer(method: string, path: string): Answer {
    const key = `${method} ${path}`;
    const given = this._answers.get(key);
    if (given) {
      this._answers.delete(key);
      return given;
    }
    if (path === 'api/sites') {
      return { status: 200, body: { sites: this.sites, problems: [] } };
    }
    if (path === 'api/clusters') {
      return { status: 200, body: { clusters: this.clusters } };
    }
    const found = this.clusters.find(one => path === `api/clusters/${one.id}`);
    return found
      ? { status: 200, body: found }
      : { status: 404, body: { message: 'no such cluster', errors: [] } };
  }

  private readonly _answers = new Map<string, Answer>();
  private _held: { method: string; path: string } | null = null;
  private readonly _waiting: (() => void)[] = [];
}

/** Wait until this is so. */
export async function until(
  isSo: () => boolean,
  what = isSo.toString()
): Promise<void> {
  const end = Date.now() + 2000;
  while (!isSo()) {
    if (Date.now() > end) {
      throw new Error(`still not so: ${what}`);
    }
    await new Promise(resolve => setTimeout(resolve, 5));
  }
}

export function sleep(milliseconds: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, milliseconds));
}

/** Wait until all that was under way without a timer is done. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) {
    await new Promise(resolve => setTimeout(resolve, 0));
  }
}
