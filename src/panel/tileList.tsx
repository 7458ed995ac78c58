import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { ICluster } from '../api/types';
import { starFilledIcon, starIcon, tilesIcon } from '../icons';
import { IconButton } from './controls';
import {
  groupPlots,
  IPlot,
  IPlotGroup,
  sameName,
  searchPlots
} from './tileGroups';

export interface ITileListProps {
  /** The selected cluster. */
  cluster: ICluster | null;
  /** The plots of its dashboard, or `null` until it answers. */
  plots: readonly IPlot[] | null;
  problem: string;
  favourites: readonly string[];
  hasLayout: boolean;
  trans: TranslationBundle;
  onOpen: (plot: IPlot) => void;
  onOpenPinned: (plot: IPlot) => void;
  /** The pointer goes down on a row: it may become a drag. */
  onGrab: (plot: IPlot, event: React.PointerEvent<HTMLElement>) => void;
  onFavourites: (names: readonly string[]) => void;
  onOpenLayout: () => void;
}

/** The dashboards of the selected cluster, to click on or to drag. */
export function TileList(props: ITileListProps): JSX.Element {
  const { cluster, plots, trans } = props;
  const [query, setQuery] = React.useState('');
  const message = messageOf(props);
  if (!cluster || !plots || message) {
    return (
      <div className="jp-HPCDask-tileList">
        <div className="jp-HPCDask-empty" role="status">
          <p>{message}</p>
        </div>
      </div>
    );
  }
  const found = searchPlots(plots, query);
  return (
    <div className="jp-HPCDask-tileList" onKeyDown={moveFocus}>
      <div className="jp-HPCDask-tileList-head">
        <input
          type="search"
          className="jp-mod-styled jp-HPCDask-search"
          placeholder={trans.__('Dashboards of %1', cluster.name)}
          aria-label={trans.__('Search the dashboards of %1', cluster.name)}
          value={query}
          onChange={event => setQuery(event.target.value)}
        />
      </div>
      {groupPlots(found, props.favourites, trans).map((group, index) => (
        <Group
          key={group.title}
          group={group}
          {...props}
          hasLayout={props.hasLayout && index === 0}
        />
      ))}
      {!found.length && (
        <div className="jp-HPCDask-empty" role="status">
          <p>{trans.__('No dashboard matches.')}</p>
        </div>
      )}
    </div>
  );
}

function messageOf(props: ITileListProps): string {
  const { cluster, plots, problem, trans } = props;
  if (!cluster) {
    return trans.__('Select a cluster to see its dashboards.');
  }
  if (cluster.state === 'stopped' || cluster.state === 'failed') {
    return trans.__('%1 has ended: its dashboards are gone.', cluster.name);
  }
  if (!cluster.dashboard_url) {
    return trans.__(
      'The dashboards of %1 appear here as soon as it runs.',
      cluster.name || trans.__('the new cluster')
    );
  }
  if (problem) {
    return trans.__('The dashboard does not answer: %1', problem);
  }
  return plots ? '' : trans.__('Loading the list of dashboards…');
}

function Group(props: ITileListProps & { group: IPlotGroup }): JSX.Element {
  const { group, trans } = props;
  return (
    <section>
      <div className="jp-HPCDask-tileGroup-head">
        <h3>{group.title}</h3>
        {props.hasLayout && (
          <button
            type="button"
            className="jp-mod-styled jp-HPCDask-smallButton"
            title={trans.__('Open the usual dashboards beside the notebook')}
            onClick={props.onOpenLayout}
          >
            {trans.__('Open layout')}
          </button>
        )}
      </div>
      <ul className="jp-HPCDask-tiles">
        {group.plots.map(plot => (
          <Row key={plot.route} plot={plot} {...props} />
        ))}
      </ul>
    </section>
  );
}

function Row(props: ITileListProps & { plot: IPlot }): JSX.Element {
  const { plot, favourites, trans } = props;
  const isFavourite = favourites.some(name => sameName(name, plot.label));
  const toggle = () =>
    props.onFavourites(
      isFavourite
        ? favourites.filter(name => !sameName(name, plot.label))
        : [...favourites, plot.label]
    );
  return (
    <li
      className="jp-HPCDask-tileRow"
      data-route={plot.route}
      data-label={plot.label}
      onPointerDown={event => props.onGrab(plot, event)}
    >
      <button
        type="button"
        className="jp-HPCDask-tileRow-open"
        title={trans.__(
          '%1: click to open, drag to where you want it, Shift+click to pin it to this cluster',
          plot.label
        )}
        aria-label={plot.label}
        onClick={event =>
          event.shiftKey ? props.onOpenPinned(plot) : props.onOpen(plot)
        }
      >
        <tilesIcon.react tag="span" width="14px" height="14px" />
        <span>{plot.label}</span>
      </button>
      <IconButton
        icon={isFavourite ? starFilledIcon : starIcon}
        label={trans.__('Favourite: %1', plot.label)}
        pressed={isFavourite}
        onClick={toggle}
      />
    </li>
  );
}

/** The arrow keys move between search field and rows. */
function moveFocus(event: React.KeyboardEvent<HTMLElement>): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) {
    return;
  }
  const stops = [
    ...event.currentTarget.querySelectorAll<HTMLElement>(
      '.jp-HPCDask-search, .jp-HPCDask-tileRow-open'
    )
  ];
  const at = stops.indexOf(event.target as HTMLElement);
  if (at >= 0) {
    event.preventDefault();
    stops[Math.min(Math.max(at + step, 0), stops.length - 1)].focus();
  }
}
