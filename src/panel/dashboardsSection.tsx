import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import * as React from 'react';

import { messageOf } from '../api/client';
import { CommandIDs } from '../commandIds';
import type { Settings } from '../settings';
import type { IClusterModel, ITileOptions, ITiles } from '../tokens';
import { dragWhenMoved } from './drag';
import { IPlot, plotsOf } from './tileGroups';
import { TileList } from './tileList';

/** How long to wait before a dashboard is asked again, in milliseconds. */
const RETRY = 3_000;

/** The dashboards of the selected cluster. */
export class DashboardsSection extends ReactWidget {
  constructor(private readonly _options: DashboardsSection.IOptions) {
    super();
    const { model, settings, trans } = _options;
    this.addClass('jp-HPCDask-dashboardsSection');
    this.title.label = trans.__('Dashboards');
    model.selectedChanged.connect(this._onSelected, this);
    settings.changed.connect(this.update, this);
    this._onSelected();
  }

  override dispose(): void {
    if (this.isDisposed) {
      return;
    }
    window.clearTimeout(this._retry);
    this._options.model.selectedChanged.disconnect(this._onSelected, this);
    this._options.settings.changed.disconnect(this.update, this);
    super.dispose();
  }

  focusSearch(): void {
    this.node.querySelector<HTMLElement>('.jp-HPCDask-search')?.focus();
  }

  render(): JSX.Element {
    const { model, settings, commands, trans } = this._options;
    const execute = (command: string, plot: IPlot) =>
      void commands.execute(command, this._tile(plot));
    return (
      <TileList
        key={model.selected?.id}
        cluster={model.selected}
        plots={this._plots}
        problem={this._problem}
        favourites={settings.favourites}
        hasLayout={commands.isEnabled(CommandIDs.openLayout, {
          id: model.selected?.id
        })}
        trans={trans}
        onOpen={plot => execute(CommandIDs.openDashboard, plot)}
        onOpenPinned={plot => execute(CommandIDs.openTile, plot)}
        onGrab={this._onGrab}
        onFavourites={names => void settings.setFavourites(names)}
        onOpenLayout={() =>
          void commands.execute(CommandIDs.openLayout, {
            id: model.selected?.id
          })
        }
      />
    );
  }

  /** Read the plots of another cluster, or of one that began to answer. */
  private _onSelected(): void {
    const { selected } = this._options.model;
    const url = selected?.dashboard_url ?? '';
    if (url !== this._url) {
      this._url = url;
      this._plots = null;
      this._problem = '';
      window.clearTimeout(this._retry);
      if (selected && url) {
        void this._read(selected.id, url);
      }
    }
    this.update();
  }

  private async _read(id: string, url: string): Promise<void> {
    try {
      const plots = await this._options.model.plots(id);
      if (url === this._url && !this.isDisposed) {
        this._plots = plotsOf(plots);
        this._problem = '';
        this.update();
      }
    } catch (error) {
      if (url === this._url && !this.isDisposed) {
        this._problem = messageOf(error);
        this._retry = window.setTimeout(() => void this._read(id, url), RETRY);
        this.update();
      }
    }
  }

  private readonly _onGrab = (
    plot: IPlot,
    event: React.PointerEvent<HTMLElement>
  ): void => {
    const tile = this._tile(plot);
    dragWhenMoved(event.nativeEvent, plot.label, () =>
      this._options.tiles.tile(tile)
    );
  };

  private _tile(plot: IPlot): ITileOptions {
    const { selected } = this._options.model;
    return {
      cluster: selected?.id ?? '',
      name: selected?.name ?? '',
      route: plot.route,
      label: plot.label
    };
  }

  private _plots: readonly IPlot[] | null = null;
  private _problem = '';
  private _retry: number | undefined;
  private _url = '';
}

export namespace DashboardsSection {
  export interface IOptions {
    model: IClusterModel;
    commands: CommandRegistry;
    settings: Settings;
    tiles: ITiles;
    trans: TranslationBundle;
  }
}
