import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { INotebookTracker } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import type { ICluster } from './api/types';
import type { DaskLabextension } from './labextension';
import type { Settings } from './settings';
import type { IClusterModel, ITiles } from './tokens';

/** What the commands need of the panel. */
export interface IPanel {
  /** Show the panel with the launch form. */
  showLaunch(): void;
  /** Show the panel with the cards. */
  showClusters(): void;
  /** Show the panel with the number of workers of this cluster to be edited. */
  showScaling(cluster: ICluster, group: string): void;
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

export const CLUSTER_ARGS = {
  type: 'object',
  properties: {
    id: {
      type: 'string',
      description: 'A cluster; by default the one clicked on, or selected.'
    }
  }
};

/**
 * The cluster that a command is for: given, clicked on, or selected. Nothing
 * can be done to one that the server has not answered for yet.
 */
export function finder({ app, model }: Pick<ICommandOptions, 'app' | 'model'>) {
  return (args: ReadonlyPartialJSONObject): ICluster | undefined => {
    const clicked = app.contextMenuHitTest(node => 'clusterId' in node.dataset);
    const id = args.id ?? clicked?.dataset.clusterId ?? model.selected?.id;
    const cluster = model.get(String(id));
    return cluster && !model.isPlaceholder(cluster.id) ? cluster : undefined;
  };
}

/** A refusal is the model's to keep and the card's to show. */
export function shownOnCard(): void {
  return;
}
