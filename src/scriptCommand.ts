import type { JupyterFrontEnd } from '@jupyterlab/application';
import { showErrorMessage } from '@jupyterlab/apputils';
import type { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { CommandIDs } from './commandIds';
import type { IPanel } from './commandParts';
import type { FormMemory } from './formMemory';
import { clusterIcon } from './icons';
import { runScript } from './panel/scriptDialog';
import type { ScriptMemory } from './scriptMemory';
import type { IClusterModel } from './tokens';
import { hasSizes } from './workerValues';

export interface IScriptCommandOptions {
  app: JupyterFrontEnd;
  model: IClusterModel;
  panel: Pick<IPanel, 'showClusters'>;
  files: IFileBrowserFactory | null;
  form: FormMemory;
  memory: ScriptMemory;
  trans: TranslationBundle;
}

/** Add the command that runs a script or a notebook with a cluster. */
export function addScriptCommand(options: IScriptCommandOptions): void {
  const { app, trans } = options;
  app.commands.addCommand(CommandIDs.runScript, {
    label: trans.__('Run with Dask Cluster…'),
    caption: trans.__(
      'Run this file with a Dask cluster of its own, in one job'
    ),
    icon: clusterIcon,
    describedBy: {
      args: {
        type: 'object',
        properties: {
          path: {
            type: 'string',
            description:
              'A Python file or a notebook; by default the one selected in the file browser.'
          }
        }
      }
    },
    isEnabled: args => pathOf(options, args) !== null,
    execute: async args => {
      const path = pathOf(options, args);
      if (path !== null) {
        await run(options, path);
      }
    }
  });
}

async function run(
  options: IScriptCommandOptions,
  path: string
): Promise<void> {
  const { model, panel, form, memory, trans } = options;
  await Promise.all([model.ready, memory.restored]);
  form.take(model.sites);
  if (!model.sites.some(hasSizes)) {
    await showErrorMessage(
      trans.__('No site is available'),
      model.sitesProblem?.message ??
        trans.__('Ask the administrator of this Jupyter server.')
    );
  } else if (await runScript({ path, model, memory, trans })) {
    panel.showClusters();
  }
}

/** The file that is given, or the only one that is selected. */
function pathOf(
  { app, files }: IScriptCommandOptions,
  args: ReadonlyPartialJSONObject
): string | null {
  const { contents } = app.serviceManager;
  const selected = [...(files?.tracker.currentWidget?.selectedItems() ?? [])];
  const path = args.path ?? (selected.length === 1 ? selected[0].path : null);
  return typeof path === 'string' && /\.(py|ipynb)$/.test(path)
    ? contents.localPath(path)
    : null;
}
