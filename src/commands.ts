import { refreshIcon } from '@jupyterlab/ui-components';

import type { ILaunchRequest } from './api/types';
import { addChanges } from './changeCommands';
import { CommandIDs } from './commandIds';
import { CLUSTER_ARGS, finder, ICommandOptions } from './commandParts';
import { isStoppable } from './format';
import { clusterIcon, codeIcon, logsIcon, tilesIcon } from './icons';
import { insertClientCode, kernelOf } from './kernel';
import type { ITileOptions } from './tokens';

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
