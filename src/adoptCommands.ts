import type { JupyterFrontEnd } from '@jupyterlab/application';
import { FileDialog, IFileBrowserFactory } from '@jupyterlab/filebrowser';
import type { INotebookTracker } from '@jupyterlab/notebook';
import type { ITranslator, TranslationBundle } from '@jupyterlab/translation';
import { linkIcon } from '@jupyterlab/ui-components';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { Adoption } from './adoption';
import type { AdoptFile } from './adoptValues';
import type { IAdoptRequest } from './api/types';
import { CommandIDs } from './commandIds';
import type { IPanel } from './commandParts';
import { clusterIcon } from './icons';
import {
  adoptFromKernel,
  onKernelChanged,
  pythonKernel
} from './notebookCluster';
import { askAdoption } from './panel/adoptDialog';
import type { IClusterModel } from './tokens';

export interface IAdoptCommandOptions {
  app: JupyterFrontEnd;
  model: IClusterModel;
  panel: Pick<IPanel, 'showClusters'>;
  files: IFileBrowserFactory | null;
  notebooks: INotebookTracker | null;
  trans: TranslationBundle;
  translator: ITranslator;
}

/** Add the commands that track clusters which run already. */
export function addAdoptCommands(options: IAdoptCommandOptions): void {
  const { model, panel, trans } = options;
  const adoption: Adoption = new Adoption({
    model,
    panel,
    trans,
    ask: question =>
      askAdoption(question, {
        attempt: request => adoption.attempt(request),
        browse: browserOf(options),
        notebook: notebookOf(options, adoption),
        trans
      })
  });
  addAdopt(options, adoption);
  addAdoptFile(options, adoption);
  addAdoptNotebook(options, adoption);
}

function addAdopt(options: IAdoptCommandOptions, adoption: Adoption): void {
  const { app, trans } = options;
  app.commands.addCommand(CommandIDs.adopt, {
    label: trans.__('Adopt Dask Cluster…'),
    caption: trans.__('Adopt a cluster that runs already'),
    icon: linkIcon,
    describedBy: {
      args: {
        type: 'object',
        properties: {
          request: {
            type: 'object',
            description: 'A request as in the REST API, to adopt at once'
          }
        }
      }
    },
    execute: args =>
      args.request
        ? adoption.adopt(args.request as IAdoptRequest)
        : adoption.ask()
  });
}

function addAdoptFile(options: IAdoptCommandOptions, adoption: Adoption): void {
  const { app, trans } = options;
  const { contents } = app.serviceManager;
  app.commands.addCommand(CommandIDs.adoptFile, {
    label: trans.__('Adopt Dask Cluster'),
    caption: trans.__('Adopt the cluster that this scheduler file is of'),
    icon: clusterIcon,
    describedBy: {
      args: {
        type: 'object',
        properties: {
          path: {
            type: 'string',
            description:
              'A scheduler file; by default the one selected in the file browser.'
          }
        }
      }
    },
    isEnabled: args => schedulerFile(options, args) !== null,
    isVisible: args => schedulerFile(options, args) !== null,
    execute: async args => {
      const path = schedulerFile(options, args);
      if (path !== null) {
        await adoption.adopt({ scheduler_file: contents.localPath(path) });
      }
    }
  });
}

function addAdoptNotebook(
  options: IAdoptCommandOptions,
  adoption: Adoption
): void {
  const { app, notebooks, trans } = options;
  const notebook = () => notebookOf(options, adoption);
  app.commands.addCommand(CommandIDs.adoptNotebook, {
    label: trans.__('Adopt This Notebook’s Dask Cluster'),
    caption: trans.__(
      'Track the Dask cluster that this notebook is connected to, with its dashboards'
    ),
    icon: clusterIcon,
    describedBy: { args: { type: 'object', properties: {} } },
    isEnabled: () => notebook() !== null,
    isVisible: () => notebook() !== null,
    execute: () => notebook()?.adopt()
  });
  if (notebooks) {
    onKernelChanged(notebooks, () =>
      app.commands.notifyCommandChanged(CommandIDs.adoptNotebook)
    );
  }
}

/** The current notebook, if its kernel can be asked for a cluster. */
function notebookOf(
  { app, notebooks, trans }: IAdoptCommandOptions,
  adoption: Adoption
): { name: string; adopt: () => Promise<void> } | null {
  const current = notebooks?.currentWidget ?? null;
  const kernel = pythonKernel(app, current);
  const name = current?.title.label ?? '';
  return kernel
    ? { name, adopt: () => adoptFromKernel(kernel, name, adoption, trans) }
    : null;
}

/** Lets the user choose a file, where there is a file browser. */
function browserOf({ app, files, trans, translator }: IAdoptCommandOptions) {
  const manager = files?.tracker.currentWidget?.model.manager;
  return manager
    ? async (field: AdoptFile): Promise<string | null> => {
        const answer = await FileDialog.getOpenFiles({
          manager,
          translator,
          title: trans.__('Choose a file'),
          filter: item =>
            item.type === 'directory' || isWanted(field, item.path) ? {} : null
        });
        const file = answer.value?.find(one => one.type !== 'directory');
        return answer.button.accept && file
          ? app.serviceManager.contents.localPath(file.path)
          : null;
      }
    : null;
}

function isWanted(field: AdoptFile, path: string): boolean {
  return field !== 'scheduler_file' || isJSON(path);
}

/** Whether this may be a scheduler's file, if the user says so. */
export function isJSON(path: string): boolean {
  return /\.json$/i.test(path);
}

/**
 * The file that is given, or the only one that is selected and is named as
 * schedulers' files are.
 */
function schedulerFile(
  { files }: IAdoptCommandOptions,
  args: ReadonlyPartialJSONObject
): string | null {
  if (typeof args.path === 'string') {
    return args.path;
  }
  const items = [...(files?.tracker.currentWidget?.selectedItems() ?? [])];
  const [item] = items;
  const isOne = items.length === 1 && /scheduler[^/]*\.json$/i.test(item.path);
  return isOne ? item.path : null;
}
