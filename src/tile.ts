import type { JupyterFrontEnd } from '@jupyterlab/application';
import { WidgetTracker } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { IFrame } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import { PanelLayout, Widget } from '@lumino/widgets';

import type { ICluster } from './api/types';
import { hasEnded } from './format';
import { clusterIcon } from './icons';
import type { IClusterModel, ITileOptions, ITiles } from './tokens';

export const TILE_NAMESPACE = 'hpcdask-tile';

/**
 * One plot of one cluster's dashboard. Whichever cluster is selected, it
 * stays with its own, and says so when that has ended.
 */
export class Tile extends Widget {
  constructor(options: Tile.IOptions) {
    super();
    this.options = options.tile;
    this._model = options.model;
    this._trans = options.trans;
    this._urlOf = options.urlOf;
    this.id = tileId(options.tile);
    this.addClass('jp-HPCDask-tile');
    // As the shell does for what it adds itself: a drop goes past it.
    this.title.icon = clusterIcon.bindprops({ stylesheet: 'mainAreaTab' });
    this.title.dataset = { id: this.id };
    this.title.closable = true;
    this._frame.node.querySelector('iframe')!.title = options.tile.label;
    this._notice.addClass('jp-HPCDask-tile-notice');
    this._notice.node.setAttribute('role', 'status');
    const layout = (this.layout = new PanelLayout());
    layout.addWidget(this._notice);
    layout.addWidget(this._frame);
    this._model.clustersChanged.connect(this._onChanged, this);
    void this._model.ready.then(() => {
      this._isReady = true;
      this._onChanged();
    });
    this._onChanged();
  }

  readonly options: ITileOptions;

  override dispose(): void {
    if (!this.isDisposed) {
      this._model.clustersChanged.disconnect(this._onChanged, this);
      super.dispose();
    }
  }

  /** A closed tile is gone: the next one starts anew. */
  protected override onCloseRequest(msg: Message): void {
    super.onCloseRequest(msg);
    this.dispose();
  }

  private _onChanged(): void {
    if (this.isDisposed) {
      return;
    }
    const { cluster: id, label } = this.options;
    const cluster = this._model.get(id);
    const name = cluster?.name || this.options.name;
    this.title.label = this._trans.__('%1 · %2', label, name);
    this.title.caption = this._trans.__('%1 of the cluster %2', label, name);
    if (cluster?.dashboard_url) {
      this._show(cluster);
    } else if (cluster && hasEnded(cluster.state)) {
      // Or the plot would try to reconnect for as long as it is open.
      this._frame.url = 'about:blank';
      this._hasPlot = false;
    }
    this._tell(cluster, name);
  }

  /** Load the plot, anew if the dashboard could not be reached before. */
  private _show(cluster: ICluster): void {
    const url = this._urlOf(cluster.dashboard_url!, this.options.route);
    if (this._frame.url !== url || (cluster.reachable && !this._reachable)) {
      this._frame.url = url;
    }
    this._hasPlot = true;
    this._reachable = cluster.reachable;
  }

  private _tell(cluster: ICluster | undefined, name: string): void {
    const message = this._message(cluster, name);
    this._notice.node.textContent = message;
    this._notice.setHidden(!message);
    this._frame.setHidden(!this._hasPlot);
  }

  private _message(cluster: ICluster | undefined, name: string): string {
    const trans = this._trans;
    if (!cluster) {
      // What could not be read is not known to be gone.
      return this._isReady && !this._model.problem
        ? trans.__('This cluster is no longer tracked.')
        : trans.__('Looking for the cluster…');
    }
    if (hasEnded(cluster.state)) {
      return trans.__('The cluster %1 has ended.', name);
    }
    if (!cluster.dashboard_url) {
      return trans.__('The dashboard of %1 does not answer yet.', name);
    }
    if (cluster.reachable) {
      return '';
    }
    return cluster.reason
      ? trans.__('The cluster %1 cannot be reached: %2', name, cluster.reason)
      : trans.__('The cluster %1 cannot be reached at the moment.', name);
  }

  private readonly _frame = new IFrame({
    sandbox: [
      'allow-scripts',
      'allow-same-origin',
      'allow-downloads',
      'allow-popups'
    ]
  });
  private readonly _model: IClusterModel;
  private readonly _notice = new Widget();
  private readonly _trans: TranslationBundle;
  private readonly _urlOf: (dashboardUrl: string, route: string) => string;
  private _hasPlot = false;
  private _isReady = false;
  private _reachable = true;
}

export namespace Tile {
  export interface IOptions {
    tile: ITileOptions;
    model: IClusterModel;
    trans: TranslationBundle;
    /** The absolute URL of a route of a dashboard. */
    urlOf: (dashboardUrl: string, route: string) => string;
  }
}

/** All pinned tiles: one for each plot of each cluster. */
export class Tiles implements ITiles {
  constructor(private readonly _options: Tiles.IOptions) {}

  readonly tracker = new WidgetTracker<Tile>({ namespace: TILE_NAMESPACE });

  tile(options: ITileOptions): Tile {
    const id = tileId(options);
    const known = this.tracker.find(one => one.id === id);
    if (known) {
      return known;
    }
    const tile = new Tile({ tile: options, ...this._options });
    void this.tracker.add(tile);
    return tile;
  }

  open(options: ITileOptions): Tile {
    const tile = this.tile(options);
    const { shell } = this._options;
    if (!tile.isAttached) {
      shell.add(tile, 'main', { mode: 'split-right' });
    }
    shell.activateById(tile.id);
    return tile;
  }
}

export namespace Tiles {
  export interface IOptions extends Omit<Tile.IOptions, 'tile'> {
    shell: JupyterFrontEnd.IShell;
  }
}

/** The widget's id: `hpcdask-tile-<cluster>-<plot>`. */
export function tileId(tile: ITileOptions): string {
  const plot = tile.route.replace(/^\/(individual-)?/, '');
  return `${TILE_NAMESPACE}-${tile.cluster}-${plot.replace(/[^\w]+/g, '-')}`;
}
