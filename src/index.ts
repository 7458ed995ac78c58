/**
 * The plugins of hpcdask-ext; nothing else is in this file.
 */
import {
  ILabShell,
  ILayoutRestorer,
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IEditorServices } from '@jupyterlab/codeeditor';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStateDB } from '@jupyterlab/statedb';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { Client } from './api/client';
import { CommandIDs } from './commandIds';
import { ClusterModel } from './model';
import { activatePanel } from './panel';
import { TILE_NAMESPACE, Tiles } from './tile';
import { IClusterModel, ITiles } from './tokens';

const DOMAIN = 'hpcdask_ext';

const model: JupyterFrontEndPlugin<IClusterModel> = {
  id: 'hpcdask-ext:model',
  description: 'Provides the tracked Dask clusters.',
  autoStart: true,
  provides: IClusterModel,
  activate: ({ serviceManager }: JupyterFrontEnd): IClusterModel =>
    new ClusterModel({
      client: new Client(serviceManager.serverSettings),
      stream: serviceManager.events.stream
    })
};

const tiles: JupyterFrontEndPlugin<ITiles> = {
  id: 'hpcdask-ext:tiles',
  description: 'Provides dashboard tiles that are pinned to one Dask cluster.',
  autoStart: true,
  provides: ITiles,
  requires: [IClusterModel],
  optional: [ILayoutRestorer, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    clusters: IClusterModel,
    restorer: ILayoutRestorer | null,
    translator: ITranslator | null
  ): ITiles => {
    const client = new Client(app.serviceManager.serverSettings);
    const made = new Tiles({
      shell: app.shell,
      model: clusters,
      trans: (translator ?? nullTranslator).load(DOMAIN),
      urlOf: (url, route) => client.dashboard(url, route)
    });
    void restorer?.restore(made.tracker, {
      command: CommandIDs.openTile,
      args: tile => tile.options,
      name: tile => tile.id.slice(TILE_NAMESPACE.length + 1)
    });
    return made;
  }
};

const panel: JupyterFrontEndPlugin<void> = {
  id: 'hpcdask-ext:plugin',
  description:
    'The Dask clusters panel in the left sidebar, with its commands.',
  autoStart: true,
  requires: [IClusterModel, ITiles],
  optional: [
    ICommandPalette,
    IEditorServices,
    IFileBrowserFactory,
    ILabShell,
    ILayoutRestorer,
    INotebookTracker,
    ISettingRegistry,
    IStateDB,
    ITranslator
  ],
  activate: (
    app: JupyterFrontEnd,
    clusters: IClusterModel,
    made: ITiles,
    palette: ICommandPalette | null,
    editors: IEditorServices | null,
    files: IFileBrowserFactory | null,
    labShell: ILabShell | null,
    restorer: ILayoutRestorer | null,
    notebooks: INotebookTracker | null,
    registry: ISettingRegistry | null,
    state: IStateDB | null,
    translator: ITranslator | null
  ): void => {
    activatePanel({
      app,
      model: clusters,
      tiles: made,
      palette,
      editors,
      files,
      labShell,
      restorer,
      notebooks,
      settings: registry?.load(panel.id) ?? null,
      state,
      translator: translator ?? nullTranslator,
      domain: DOMAIN
    });
  }
};

export * from './tokens';
export default [model, tiles, panel];
