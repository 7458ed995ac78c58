import type { Event } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';
import { ISignal, Signal } from '@lumino/signaling';

import { Client, messageOf } from './api/client';
import type {
  ICluster,
  ILaunchRequest,
  IPlots,
  IProblem,
  ISite
} from './api/types';
import { ChangeFeed } from './events';
import { hasEnded } from './format';
import { placeholder } from './launch';
import { ClusterReader } from './reader';
import { ClusterTable, equal } from './table';
import type { IClusterModel } from './tokens';

/** How often everything is read again, in milliseconds, while events come. */
const SLOW = 60_000;
/** The same while something happens and no event has ever come. */
const FAST = 4_000;

/** What is known about sites and clusters; the only one that talks to the API. */
export class ClusterModel implements IClusterModel, IDisposable {
  constructor(options: ClusterModel.IOptions) {
    this._client = options.client;
    this._table.changed.connect(() => this._clustersChanged.emit(), this);
    this._table.selectedChanged.connect(
      () => this._selectedChanged.emit(),
      this
    );
    this._reader = new ClusterReader(this._client, this._table, problem =>
      this._tell(problem)
    );
    this._feed = new ChangeFeed({
      stream: options.stream,
      changed: ids => void this._reread(ids),
      forgotten: id => this._table.remove(id)
    });
    this._poll = new Poll({
      name: 'hpcdask-ext:ClusterModel',
      auto: false,
      linger: 0,
      factory: () => this._readClusters(),
      frequency: { interval: SLOW, backoff: true, max: 5 * SLOW },
      standby: () => (this._isLive ? 'when-hidden' : true)
    });
    document.addEventListener('visibilitychange', this._onVisible);
    this.ready = this._start();
  }

  readonly ready: Promise<void>;

  get clusters(): readonly ICluster[] {
    return this._table.clusters;
  }

  get clustersChanged(): ISignal<this, void> {
    return this._clustersChanged;
  }

  get sites(): readonly ISite[] {
    return this._sites;
  }

  get problems(): readonly IProblem[] {
    return this._problems;
  }

  get sitesChanged(): ISignal<this, void> {
    return this._sitesChanged;
  }

  get selected(): ICluster | null {
    return this._table.selected;
  }

  get selectedChanged(): ISignal<this, void> {
    return this._selectedChanged;
  }

  get problem(): Error | null {
    return this._problem;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    document.removeEventListener('visibilitychange', this._onVisible);
    this._poll.dispose();
    this._feed.dispose();
    this._table.dispose();
    Signal.clearData(this);
  }

  get(id: string): ICluster | undefined {
    return this._table.get(id);
  }

  refusal(id: string): string {
    return this._refusals.get(id) ?? '';
  }

  dismiss(id: string): void {
    if (this._refusals.delete(id)) {
      this._clustersChanged.emit();
    }
  }

  isPlaceholder(id: string): boolean {
    return this._reader.launching.has(id);
  }

  select(id: string | null): void {
    this._table.select(id);
  }

  async refresh(): Promise<void> {
    await Promise.allSettled([this._readSites(), this._readClusters()]);
  }

  async launch(request: ILaunchRequest): Promise<ICluster> {
    const before = this.selected?.id ?? null;
    const site = this._sites.find(one => one.name === request.site);
    const shownId = `launching-${(this._launches += 1)}`;
    this._reader.launching.add(shownId);
    this._table.set([
      placeholder(shownId, request, site, new Date()),
      ...this.clusters
    ]);
    this.select(shownId);
    try {
      const cluster = await this._client.launch(request);
      this._table.touch(cluster.id);
      this._reader.launching.delete(shownId);
      this._table.replace(shownId, cluster);
      return cluster;
    } catch (error) {
      if (this.selected?.id === shownId) {
        this.select(before);
      }
      this._reader.launching.delete(shownId);
      this._table.remove(shownId);
      throw error;
    } finally {
      this._pace(true);
      void this._reread([]);
    }
  }

  rename(id: string, name: string): Promise<void> {
    return this._act(id, { name }, () => this._client.rename(id, name));
  }

  scale(id: string, workers: number): Promise<void> {
    const running = this.get(id)?.workers.running ?? 0;
    const pending = Math.max(0, workers - running);
    const shown = { workers: { requested: workers, pending, running } };
    return this._act(id, shown, () => this._client.scale(id, workers));
  }

  stop(id: string): Promise<void> {
    return this._act(id, { state: 'stopping', reason: '' }, () =>
      this._client.stop(id)
    );
  }

  async forget(id: string): Promise<void> {
    const cluster = this.get(id);
    // The same request would stop a cluster that has not ended.
    if (cluster && hasEnded(cluster.state)) {
      await this._act(id, {}, () => this._client.stop(id));
    }
  }

  async plots(id: string): Promise<IPlots> {
    const url = this.get(id)?.dashboard_url;
    return url ? this._client.plots(url) : {};
  }

  /** Show at once what was asked, then what is so; put it back if refused. */
  private async _act(
    id: string,
    shown: Partial<ICluster>,
    ask: () => Promise<ICluster | null>
  ): Promise<void> {
    const before = this.get(id);
    const version = this._table.touch(id);
    this._refusals.delete(id);
    this._table.patch(id, shown);
    try {
      const cluster = await ask();
      if (!cluster) {
        this._table.remove(id);
      } else if (this._table.isNewest(id, version)) {
        this._table.patch(id, cluster);
      }
    } catch (error) {
      this._refusals.set(id, messageOf(error));
      if (before && this._table.isNewest(id, version)) {
        this._table.patch(id, before);
      }
      this._clustersChanged.emit();
      void this._reread([id]);
      throw error;
    } finally {
      this._pace(true);
    }
  }

  private async _start(): Promise<void> {
    await this.refresh();
    this._pace(true);
  }

  private async _readSites(): Promise<void> {
    try {
      const { sites, problems } = await this._client.sites();
      const same = equal(sites, this._sites) && equal(problems, this._problems);
      this._sites = sites;
      this._problems = problems;
      if (!same) {
        this._sitesChanged.emit();
      }
    } catch (error) {
      this._tell(error as Error);
      throw error;
    }
  }

  private async _readClusters(): Promise<void> {
    try {
      await this._reader.readAll();
    } finally {
      this._pace();
    }
  }

  private async _reread(ids: readonly string[]): Promise<void> {
    await this._reader.read(ids);
    this._pace();
  }

  private _tell(problem: Error | null): void {
    const same = problem?.message === this._problem?.message;
    this._problem = problem;
    if (!same) {
      this._clustersChanged.emit();
    }
  }

  /** Whether anything may change by itself. */
  private get _isLive(): boolean {
    return this.clusters.some(one => !hasEnded(one.state));
  }

  /**
   * Poll faster only while something happens and events do not come; from
   * `now` on, or from the next time.
   */
  private _pace(now = false): void {
    const isMoving = this.clusters.some(
      one => !hasEnded(one.state) && one.state !== 'running'
    );
    const interval = isMoving && !this._feed.works ? FAST : SLOW;
    if (this._isDisposed) {
      return;
    }
    if (this._poll.frequency.interval !== interval) {
      this._poll.frequency = { ...this._poll.frequency, interval };
    }
    if (now) {
      void this._poll.schedule({ phase: 'started', interval });
    }
  }

  private readonly _onVisible = (): void => {
    if (document.visibilityState === 'visible' && this._isLive) {
      void this._poll.refresh();
    }
  };

  private readonly _client: Client;
  private readonly _clustersChanged = new Signal<this, void>(this);
  private readonly _feed: ChangeFeed;
  private readonly _poll: Poll;
  private readonly _reader: ClusterReader;
  private readonly _refusals = new Map<string, string>();
  private readonly _selectedChanged = new Signal<this, void>(this);
  private readonly _sitesChanged = new Signal<this, void>(this);
  private readonly _table = new ClusterTable();
  private _isDisposed = false;
  private _launches = 0;
  private _problem: Error | null = null;
  private _problems: readonly IProblem[] = [];
  private _sites: readonly ISite[] = [];
}

export namespace ClusterModel {
  export interface IOptions {
    client: Client;
    /** The server's events: `serviceManager.events.stream`. */
    stream: Event.Stream;
  }
}
