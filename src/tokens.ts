import type { ReadonlyJSONObject } from '@lumino/coreutils';
import { Token } from '@lumino/coreutils';
import type { ISignal } from '@lumino/signaling';
import type { Widget } from '@lumino/widgets';

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

/** The clusters of this user, kept up to date by the server's events. */
export interface IClusterModel {
  /** All tracked clusters, newest first, with those that are being launched. */
  readonly clusters: readonly ICluster[];
  /** The clusters, or what is known about reading them, differ from before. */
  readonly clustersChanged: ISignal<IClusterModel, void>;
  /** The sites that this user may use. */
  readonly sites: readonly ISite[];
  /** The site files that could not be read. */
  readonly problems: readonly IProblem[];
  /** Why the sites could not be read, if so; it is tried again by itself. */
  readonly sitesProblem: Error | null;
  /** The sites, or what is known about reading them, differ from before. */
  readonly sitesChanged: ISignal<IClusterModel, void>;
  /** The cluster whose dashboards are shown. */
  readonly selected: ICluster | null;
  readonly selectedChanged: ISignal<IClusterModel, void>;
  /** Why the clusters could not be read, if so. */
  readonly problem: Error | null;
  /** Fulfilled as soon as sites and clusters were read, or could not be. */
  readonly ready: Promise<void>;

  get(id: string): ICluster | undefined;
  /** Why the last act on this cluster was refused, until it is dismissed. */
  refusal(id: string): string;
  dismiss(id: string): void;
  /** Whether this is the card of a launch that the server has not answered. */
  isPlaceholder(id: string): boolean;
  select(id: string | null): void;
  /** Read everything again. */
  refresh(): Promise<void>;
  /** Read the sites again if they are older than this, in milliseconds. */
  refreshSites(age: number): Promise<void>;
  /** What a launch would do; nothing is submitted. */
  preview(request: ILaunchRequest): Promise<IPreview>;
  launch(request: ILaunchRequest): Promise<ICluster>;
  rename(id: string, name: string): Promise<void>;
  /** Track a cluster that runs already, and select it. */
  adopt(request: IAdoptRequest): Promise<ICluster>;
  /** Scale a group of its workers, by default the one that all clusters have. */
  scale(id: string, scaling: Scaling, group?: string): Promise<void>;
  /** Let the idle time of a cluster begin anew. */
  keep(id: string): Promise<void>;
  /** Stop a cluster; one that has ended meanwhile keeps record and logs. */
  stop(id: string): Promise<void>;
  /** Drop the record of a cluster that has ended, or that was adopted. */
  forget(id: string): Promise<void>;
  /** The plots of a cluster's dashboard by name; none while it has none. */
  plots(id: string): Promise<IPlots>;
}

export const IClusterModel = new Token<IClusterModel>(
  'hpcdask-ext:IClusterModel',
  'The tracked Dask clusters: read, launch, scale, stop them, and hear of changes.'
);

/** Which plot of which cluster: all that a pinned tile needs to come back. */
export interface ITileOptions extends ReadonlyJSONObject {
  cluster: string;
  /** The name of the cluster when the tile was made. */
  name: string;
  /** The plot's route below the dashboard's URL. */
  route: string;
  label: string;
}

/** Tiles that stay with their cluster, whichever is selected. */
export interface ITiles {
  /** The tile of this plot, made if there is none; it is not attached yet. */
  tile(options: ITileOptions): Widget;
  /** Show the tile in the main area. */
  open(options: ITileOptions): Widget;
}

export const ITiles = new Token<ITiles>(
  'hpcdask-ext:ITiles',
  'Dashboard tiles in the main area that are pinned to one Dask cluster.'
);
