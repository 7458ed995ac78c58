import type { Event } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { ISignal, Signal } from '@lumino/signaling';

import { ClusterActs } from './acts';
import type { Client } from './api/client';
import type {
  IAdoptRequest,
  ICluster,
  ILaunchRequest,
  IPlots,
  IPreview,
  IProblem,
  ISite,
  Scaling
} from './api/types';
import { ChangeFeed } from './events';
import { ReadingPace } from './pace';
import { ClusterReader } from './reader';
import { MAIN_GROUP } from './scaling';
import { SiteReader } from './sites';
import { ClusterTable } from './table';
import type { IClusterModel } from './tokens';

/** What is known about sites and clusters; the only one that talks to the API. */
export class ClusterModel implements IClusterModel, IDisposable {
  constructor(options: ClusterModel.IOptions) {
    this._client = options.client;
    this._sites = new SiteReader(this._client);
    this._sites.changed.connect(this._onSites, this);
    this._table.changed.connect(() => this._clustersChanged.emit(), this);
    this._table.selectedChanged.connect(
      () => this._selectedChanged.emit(),
      this
    );
    this._reader = new ClusterReader(this._client, this._table, problem =>
      this._tell(problem)
    );
    this._acts = new ClusterActs({
      client: this._client,
      table: this._table,
      launching: this._reader.launching,
      onRefusals: () => this._clustersChanged.emit(),
      onRefused: id => void this._reread([id]),
      onActed: () => {
        this._pace.follow(true);
        // What had to wait for a launch can be read now.
        void this._reread([]);
      }
    });
    this._feed = new ChangeFeed({
      stream: options.stream,
      changed: ids => void this._reread(ids),
      forgotten: id => this._table.remove(id)
    });
    this._pace = new ReadingPace({
      read: () => this._readAgain(),
      clusters: () => this.clusters,
      hasSites: () => this.sitesProblem === null,
      mayAppear: () => this.sites.some(site => site.kind === 'gateway'),
      isTold: () => this._feed.works
    });
    this.ready = this.refresh();
  }

  readonly ready: Promise<void>;

  get clusters(): readonly ICluster[] {
    return this._table.clusters;
  }

  get clustersChanged(): ISignal<this, void> {
    return this._clustersChanged;
  }

  get sites(): readonly ISite[] {
    return this._sites.sites;
  }

  get problems(): readonly IProblem[] {
    return this._sites.problems;
  }

  get sitesProblem(): Error | null {
    return this._sites.problem;
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
    this._pace.dispose();
    this._feed.dispose();
    this._sites.dispose();
    this._table.dispose();
    Signal.clearData(this);
  }

  get(id: string): ICluster | undefined {
    return this._table.get(id);
  }

  refusal(id: string): string {
    return this._acts.refusal(id);
  }

  dismiss(id: string): void {
    this._acts.dismiss(id);
  }

  isPlaceholder(id: string): boolean {
    return this._reader.launching.has(id);
  }

  select(id: string | null): void {
    this._table.select(id);
  }

  async refresh(): Promise<void> {
    await Promise.allSettled([this._sites.read(), this._readClusters()]);
    this._pace.follow(true);
  }

  async refreshSites(age: number): Promise<void> {
    await this._sites.readIfOlder(age).catch(() => undefined);
  }

  preview(request: ILaunchRequest): Promise<IPreview> {
    return this._client.preview(request);
  }

  launch(request: ILaunchRequest): Promise<ICluster> {
    const site = this.sites.find(one => one.name === request.site);
    return this._acts.launch(request, site);
  }

  rename(id: string, name: string): Promise<void> {
    return this._acts.rename(id, name);
  }

  adopt(request: IAdoptRequest): Promise<ICluster> {
    return this._acts.adopt(request);
  }

  scale(id: string, scaling: Scaling, group = MAIN_GROUP): Promise<void> {
    return this._acts.scale(id, scaling, group);
  }

  keep(id: string): Promise<void> {
    return this._acts.keep(id);
  }

  stop(id: string): Promise<void> {
    return this._acts.stop(id);
  }

  forget(id: string): Promise<void> {
    return this._acts.forget(id);
  }

  async plots(id: string): Promise<IPlots> {
    const url = this.get(id)?.dashboard_url;
    return url ? this._client.plots(url) : {};
  }

  /** What the poll reads: the clusters, and the sites until they are there. */
  private async _readAgain(): Promise<void> {
    await Promise.all([
      this._readClusters(),
      ...(this.sitesProblem ? [this._sites.read()] : [])
    ]);
  }

  private async _readClusters(): Promise<void> {
    try {
      await this._reader.readAll();
    } finally {
      this._pace.follow();
    }
  }

  private async _reread(ids: readonly string[]): Promise<void> {
    await this._reader.read(ids);
    this._pace.follow();
  }

  private _tell(problem: Error | null): void {
    const same = problem?.message === this._problem?.message;
    this._problem = problem;
    if (!same) {
      this._clustersChanged.emit();
    }
  }

  private _onSites(): void {
    this._sitesChanged.emit();
    this._pace.follow();
  }

  private readonly _acts: ClusterActs;
  private readonly _client: Client;
  private readonly _clustersChanged = new Signal<this, void>(this);
  private readonly _feed: ChangeFeed;
  private readonly _pace: ReadingPace;
  private readonly _reader: ClusterReader;
  private readonly _selectedChanged = new Signal<this, void>(this);
  private readonly _sites: SiteReader;
  private readonly _sitesChanged = new Signal<this, void>(this);
  private readonly _table = new ClusterTable();
  private _isDisposed = false;
  private _problem: Error | null = null;
}

export namespace ClusterModel {
  export interface IOptions {
    client: Client;
    /** The server's events: `serviceManager.events.stream`. */
    stream: Event.Stream;
  }
}
