import type {
  ILabShell,
  ILayoutRestorer,
  JupyterFrontEnd
} from '@jupyterlab/application';
import type { ICommandPalette } from '@jupyterlab/apputils';
import type { IEditorServices } from '@jupyterlab/codeeditor';
import type { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import type { INotebookTracker } from '@jupyterlab/notebook';
import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import type { IStateDB } from '@jupyterlab/statedb';
import type { ITranslator, TranslationBundle } from '@jupyterlab/translation';

import { addAdoptCommands, isJSON } from '../adoptCommands';
import { Client } from '../api/client';
import type { ICluster } from '../api/types';
import { CommandIDs } from '../commandIds';
import { addCommands } from '../commands';
import { FormMemory } from '../formMemory';
import { IdleNotifier } from '../idle';
import { DaskLabextension } from '../labextension';
import { addScriptCommand } from '../scriptCommand';
import { ScriptMemory } from '../scriptMemory';
import { rememberSelection } from '../selection';
import { Settings } from '../settings';
import type { IClusterModel, ITiles } from '../tokens';
import { FileDrop } from './fileDrop';
import { createLogs, logsId } from './logs';
import { ClusterPanel } from './panel';
import { showPreview } from './previewDialog';

export interface IPanelOptions {
  app: JupyterFrontEnd;
  model: IClusterModel;
  tiles: ITiles;
  editors: IEditorServices | null;
  files: IFileBrowserFactory | null;
  palette: ICommandPalette | null;
  labShell: ILabShell | null;
  restorer: ILayoutRestorer | null;
  notebooks: INotebookTracker | null;
  settings: Promise<ISettingRegistry.ISettings> | null;
  state: IStateDB | null;
  translator: ITranslator;
  domain: string;
}

/** Put the panel into the left sidebar, and its commands where they belong. */
export function activatePanel(options: IPanelOptions): void {
  const { app, model, tiles, state, translator } = options;
  const trans = translator.load(options.domain);
  const settings = new Settings();
  options.settings
    ?.then(loaded => settings.connect(loaded))
    .catch(reason => console.error('hpcdask-ext: no settings', reason));
  const client = new Client(app.serviceManager.serverSettings);
  const labextension = new DaskLabextension(app.commands);
  const form = new FormMemory(state);
  const panel: ClusterPanel = new ClusterPanel({
    model,
    settings,
    memory: form,
    tiles,
    trans,
    translator,
    commands: app.commands,
    showPreview: (preview, site, values) =>
      showPreview(preview, site, values, options.editors, trans),
    reveal: widget => app.shell.activateById(widget.id)
  });
  addCommands({
    app,
    model,
    panel,
    tiles,
    labextension,
    settings,
    trans,
    notebooks: options.notebooks,
    showLogs: cluster => showLogs(options, client, cluster, trans)
  });
  addAdoptCommands({
    app,
    model,
    panel,
    trans,
    translator,
    files: options.files,
    notebooks: options.notebooks
  });
  addScriptCommand({
    app,
    model,
    panel,
    form,
    memory: new ScriptMemory(state, form),
    trans,
    files: options.files
  });
  app.shell.add(panel, 'left', { rank: 250, type: 'Dask Clusters' });
  options.restorer?.add(panel, panel.id);
  addToMenus(app, options.palette, trans);
  void rememberSelection(model, state);
  const drop = new FileDrop({
    panel,
    reveal: () => app.shell.activateById(panel.id),
    accepts: isJSON,
    drop: path => void app.commands.execute(CommandIDs.adoptFile, { path })
  });
  const idle = new IdleNotifier({ model, commands: app.commands, trans });
  panel.disposed.connect(() => {
    drop.dispose();
    idle.dispose();
  });
  driveDaskLabextension(app, model, labextension, settings);
}

/** dask-labextension's own list shows the dashboards of the selected cluster. */
function driveDaskLabextension(
  app: JupyterFrontEnd,
  model: IClusterModel,
  labextension: DaskLabextension,
  settings: Settings
): void {
  const follow = () => {
    const url = model.selected?.dashboard_url;
    if (url && settings.drivesDaskLabextension) {
      void labextension.populate(url);
    }
  };
  void app.restored.then(() => {
    model.selectedChanged.connect(follow, labextension);
    follow();
  });
}

function showLogs(
  { app, model }: IPanelOptions,
  client: Client,
  cluster: ICluster,
  trans: TranslationBundle
): void {
  const id = logsId(cluster);
  const open = [...app.shell.widgets('main')].some(one => one.id === id);
  if (!open) {
    const read: Client['logs'] = (...what) => client.logs(...what);
    app.shell.add(createLogs(cluster, model, read, trans), 'main');
  }
  app.shell.activateById(id);
}

function addToMenus(
  app: JupyterFrontEnd,
  palette: ICommandPalette | null,
  trans: TranslationBundle
): void {
  const category = trans.__('Dask');
  for (const command of [
    CommandIDs.launch,
    CommandIDs.adopt,
    CommandIDs.adoptNotebook,
    CommandIDs.refresh,
    CommandIDs.openLayout
  ]) {
    palette?.addItem({ command, category });
  }
  const ofCard = [
    CommandIDs.insertCode,
    CommandIDs.showDashboards,
    CommandIDs.scale,
    CommandIDs.keep,
    CommandIDs.rename,
    CommandIDs.showLogs,
    CommandIDs.stop,
    CommandIDs.forget
  ];
  ofCard.forEach((command, rank) =>
    app.contextMenu.addItem({
      command,
      selector: '.jp-HPCDask-card[data-cluster-id]',
      rank
    })
  );
  app.contextMenu.addItem({
    command: CommandIDs.openTile,
    selector: '.jp-HPCDask-tileRow',
    rank: 0
  });
}
