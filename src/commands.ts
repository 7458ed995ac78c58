import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { INotebookTracker } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import { editIcon, refreshIcon } from '@jupyterlab/ui-components';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import type { ICluster, ILaunchRequest } from './api/types';
import { askName, askWorkers, confirmStop } from './dialogs';
import { hasEnded, isScalable, isStoppable } from './format';
import {
  clusterIcon,
  codeIcon,
  forgetIcon,
  logsIcon,
  scaleIcon,
  stopIcon,
  tilesIcon
} from './icons';
import { insertClientCode, kernelOf } from './kernel';
import type { DaskLabextension } from './labextension';
import type { Settings } from './settings';
import type { IClusterModel, ITileOptions, ITiles } from './tokens';

export namespace CommandIDs {
  export const launch = 'hpcdask:launch';
  export const refresh = 'hpcdask:refresh';
  export const showDashboards = 'hpcdask:show-dashboards';
  export const insertCode = 'hpcdask:insert-client-code';
  export const scale = 'hpcdask:scale';
  export const rename = 'hpcdask:rename';
  export const showLogs = 'hpcdask:show-logs';
  export const stop = 'hpcdask:stop';
  export const forget = 'hpcdask:forget';
  export const openDashboard = 'hpcdask:open-dashboard';
  export const openTile = 'hpcdask:open-tile';
  export const openLayout = 'hpcdask:open-layout';
  export const runScript = 'hpcdask:run-script';
}

/** What the commands need of the panel. */
export interface IPanel {
  /** Show the panel with the launch form. */
  showLaunch(): void;
  /** Show the panel with the cards. */
  showClusters(): void;
  /** Show the panel with the dashboards of the selected cluster. */
  showDashboards(): void;
}

export interface ICommandOptions {
  app: JupyterFrontEnd;
  model: IClusterModel;
  panel: IPanel;
  tiles: ITiles;
  labextension: DaskLabextension;
  notebooks: INotebookTracker | null;
  settings: Settings;
  trans: TranslationBundle;
  showLogs: (cluster: ICluster) => void;
}

const CLUSTER_ARGS = {
  type: 'object',
  properties: {
    id: {
      type: 'string',
      description: 'A cluster; by default the one clicked on, or selected.'
    }
  }
};

const TILE_ARGS = {
  type: 'object',
  properties: {
    cluster: { type: 'string', description: 'The id of a cluster' },
    name: { type: 'string', description: 'Its name' },
    route: { type: 'string', description: 'A plot below its dashboard' },
    label: { type: 'string', description: 'The name of the plot' }
  }
};

/** Add all commands; acts that are refused say so on the cluster's card. */
export function addCommands(options: ICommandOptions): void {
  addGeneral(options);
  addViews(options);
  addChanges(options);
  addEndings(options);
  addDashboards(options);
}

function addGeneral({ app, model, panel, trans }: ICommandOptions): void {
  app.commands.addCommand(CommandIDs.launch, {
    label: trans.__('Launch Dask Cluster'),
    caption: trans.__('Show the form to launch a Dask cluster'),
    icon: clusterIcon,
    describedBy: {
      args: {
        type: 'object',
        properties: {
          request: {
            type: 'object',
            description: 'A launch request, to launch without the form'
          }
        }
      }
    },
    execute: async args => {
      if (args.request) {
        await model.launch(args.request as ILaunchRequest);
      } else {
        panel.showLaunch();
      }
    }
  });
  app.commands.addCommand(CommandIDs.refresh, {
    label: trans.__('Refresh Dask Clusters'),
    caption: trans.__('Reload sites and clusters'),
    icon: refreshIcon,
    describedBy: { args: { type: 'object', properties: {} } },
    execute: () => model.refresh()
  });
}

function addViews(options: ICommandOptions): void {
  const { app, model, panel, notebooks, trans, showLogs } = options;
  const find = finder(options);
  app.commands.addCommand(CommandIDs.showDashboards, {
    label: trans.__('Dashboards'),
    caption: trans.__('Show the dashboards of this cluster'),
    icon: tilesIcon,
    describedBy: { args: CLUSTER_ARGS },
    isEnabled: args => Boolean(find(args)),
    execute: args => {
      model.select(find(args)!.id);
      panel.showDashboards();
    }
  });
  app.commands.addCommand(CommandIDs.insertCode, {
    label: trans.__('Insert Client Code'),
    caption: trans.__('Insert the client code into the notebook'),
    icon: codeIcon,
    describedBy: { args: CLUSTER_ARGS },
    isEnabled: args => {
      const cluster = find(args);
      return Boolean(cluster?.client_code && isStoppable(cluster.state));
    },
    execute: async args => {
      const cluster = find(args);
      if (cluster?.client_code) {
        const kernel = kernelOf(cluster, model.sites);
        await insertClientCode(cluster, kernel, notebooks, app.commands, trans);
      }
    }
  });
  app.commands.addCommand(CommandIDs.showLogs, {
    label: trans.__('Logs'),
    caption: trans.__('Show the logs of this cluster'),
    icon: logsIcon,
    describedBy: { args: CLUSTER_ARGS },
    isEnabled: args => Boolean(find(args)),
    execute: args => showLogs(find(args)!)
  });
}

function addChanges(options: ICommandOptions): void {
  const { app, model, trans } = options;
  const find = finder(options);
  app.commands.addCommand(CommandIDs.scale, {
    label: trans.__('Scale…'),
    caption: trans.__('Change the number of workers'),
    icon: scaleIcon,
    describedBy: { args: CLUSTER_ARGS },
    isEnabled: args => isScalable(find(args)?.state),
    execute: async args => {
      const cluster = find(args)!;
      const workers =
        (args.workers as number | undefined) ??
        (await askWorkers(cluster, trans));
      if (workers !== null) {
        await model.scale(cluster.id, workers).catch(shownOnCard);
      }
    }
  });
  app.commands.addCommand(CommandIDs.rename, {
    label: trans.__('Rename…'),
    caption: trans.__('Rename this cluster'),
    icon: editIcon,
    describedBy: { args: CLUSTER_ARGS },
    isEnabled: args => Boolean(find(args)),
    execute: async args => {
      const cluster = find(args)!;
      const name =
        (args.name as string | undefined) ?? (await askName(cluster, trans));
      if (name && name !== cluster.name) {
        await model.rename(cluster.id, name).catch(shownOnCard);
      }
    }
  });
}

function addEndings(options: ICommandOptions): void {
  const { app, model, settings, trans } = options;
  const find = finder(options);
  app.commands.addCommand(CommandIDs.stop, {
    label: trans.__('Stop'),
    caption: trans.__('Stop this cluster and end all of its jobs'),
    icon: stopIcon,
    describedBy: { args: CLUSTER_ARGS },
    isEnabled: args => isStoppable(find(args)?.state),
    execute: async args => {
      const cluster = find(args)!;
      const asks =
        settings.askBeforeStop === 'always' ||
        (settings.askBeforeStop === 'connected' && cluster.clients !== 0);
      if (!asks || (await confirmStop(cluster, trans))) {
        await model.stop(cluster.id).catch(shownOnCard);
      }
    }
  });
  app.commands.addCommand(CommandIDs.forget, {
    label: trans.__('Forget'),
    caption: trans.__('Delete the record and the logs of this ended cluster'),
    icon: forgetIcon,
    describedBy: { args: CLUSTER_ARGS },
    isEnabled: args => hasEnded(find(args)?.state),
    execute: args => model.forget(find(args)!.id).catch(shownOnCard)
  });
}

function addDashboards(options: ICommandOptions): void {
  const { app, labextension, tiles, trans } = options;
  const find = finder(options);
  app.commands.addCommand(CommandIDs.openDashboard, {
    label: trans.__('Open Dashboard'),
    caption: trans.__('Open this dashboard of the selected cluster'),
    icon: tilesIcon,
    describedBy: { args: TILE_ARGS },
    execute: async args => {
      const tile = args as unknown as ITileOptions;
      const url = find({ id: tile.cluster })?.dashboard_url;
      if (labextension.isAvailable && url) {
        await labextension.openDashboard(url, tile);
      } else {
        tiles.open(tile);
      }
    }
  });
  app.commands.addCommand(CommandIDs.openTile, {
    label: trans.__('Open Pinned Tile'),
    caption: trans.__('Open a dashboard that stays with its cluster'),
    icon: tilesIcon,
    describedBy: { args: TILE_ARGS },
    execute: args => {
      tiles.open((args.cluster ? args : clickedTile(options)) as ITileOptions);
    }
  });
  app.commands.addCommand(CommandIDs.openLayout, {
    label: trans.__('Open Dask Dashboard Layout'),
    caption: trans.__('Open the layout configured in dask-labextension'),
    icon: tilesIcon,
    describedBy: { args: CLUSTER_ARGS },
    isEnabled: args =>
      labextension.isAvailable && Boolean(find(args)?.dashboard_url),
    execute: args => labextension.openLayout(find(args)!.dashboard_url!)
  });
}

/**
 * The cluster that a command is for: given, clicked on, or selected. Nothing
 * can be done to one that the server has not answered for yet.
 */
function finder({ app, model }: ICommandOptions) {
  return (args: ReadonlyPartialJSONObject): ICluster | undefined => {
    const clicked = app.contextMenuHitTest(node => 'clusterId' in node.dataset);
    const id = args.id ?? clicked?.dataset.clusterId ?? model.selected?.id;
    const cluster = model.get(String(id));
    return cluster && !model.isPlaceholder(cluster.id) ? cluster : undefined;
  };
}

/** The row of the tile list that was clicked on, as a tile. */
function clickedTile({ app, model }: ICommandOptions): ITileOptions {
  const row = app.contextMenuHitTest(node => 'route' in node.dataset);
  return {
    cluster: model.selected?.id ?? '',
    name: model.selected?.name ?? '',
    route: row?.dataset.route ?? '/status',
    label: row?.dataset.label ?? ''
  };
}

/** A refusal is the model's to keep and the card's to show. */
function shownOnCard(): void {
  return;
}
