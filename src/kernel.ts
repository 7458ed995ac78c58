import { Dialog, Notification, showDialog } from '@jupyterlab/apputils';
import {
  INotebookTracker,
  NotebookActions,
  NotebookPanel
} from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';

import type { ICluster, ISite } from './api/types';

/** How long a hint stays, in milliseconds: it is two lines to read. */
const HINT = 15_000;

/**
 * Put a cluster's client code into the current notebook; without one, offer
 * a new notebook. Tells whether the code stands in a notebook now.
 */
export async function insertClientCode(
  cluster: ICluster,
  kernel: string | null,
  tracker: INotebookTracker | null,
  commands: CommandRegistry,
  trans: TranslationBundle
): Promise<boolean> {
  const open = tracker?.currentWidget;
  const panel = open ?? (await newNotebook(kernel, commands, trans));
  if (!panel || !cluster.client_code) {
    return false;
  }
  await panel.context.ready;
  insertCell(panel, cluster.client_code);
  if (open && kernel) {
    // A notebook that was just opened may have to start its kernel first.
    void panel.sessionContext.ready.then(() =>
      hintAtKernel(panel, cluster, kernel, trans)
    );
  }
  return true;
}

/**
 * The kernel whose environment a cluster runs in; none if that is one that
 * the site describes, for which there may be no kernel.
 */
export function kernelOf(
  cluster: ICluster,
  sites: readonly ISite[]
): string | null {
  const site = sites.find(one => one.name === cluster.site);
  const environment = site?.environments.find(
    one => one.name === cluster.environment
  );
  return environment?.kind === 'kernel' ? environment.name : null;
}

/** Say so where a notebook runs another kernel than that of the cluster. */
function hintAtKernel(
  panel: NotebookPanel,
  cluster: ICluster,
  kernel: string,
  trans: TranslationBundle
): void {
  const { session, kernelDisplayName } = panel.sessionContext;
  const running = session?.kernel?.name;
  if (running && running !== kernel) {
    Notification.info(
      trans.__(
        'This notebook runs “%1”, the cluster “%2”: choose the cluster’s kernel, or expect warnings about versions.',
        kernelDisplayName,
        cluster.environment_title || kernel
      ),
      { autoClose: HINT }
    );
  }
}

/**
 * Insert a code cell after the active one; an empty active code cell is used
 * as it is.
 */
export function insertCell(panel: NotebookPanel, code: string): void {
  const notebook = panel.content;
  const active = notebook.activeCell?.model;
  const isFree =
    active?.type === 'code' && !active.sharedModel.getSource().trim();
  if (!isFree) {
    NotebookActions.insertBelow(notebook);
    if (notebook.activeCell?.model.type !== 'code') {
      NotebookActions.changeCellType(notebook, 'code');
    }
  }
  notebook.activeCell?.model.sharedModel.setSource(code);
  notebook.activate();
  if (notebook.activeCell) {
    void notebook.scrollToItem(notebook.activeCellIndex).catch(() => undefined);
  }
}

/** A new notebook with this kernel; JupyterLab asks for one if it is none. */
async function newNotebook(
  kernel: string | null,
  commands: CommandRegistry,
  trans: TranslationBundle
): Promise<NotebookPanel | null> {
  const canCreate = commands.hasCommand('notebook:create-new');
  const answer = await showDialog({
    title: trans.__('No notebook is open'),
    body: canCreate
      ? trans.__(
          'The client code is inserted into the current notebook. Create a new notebook for it?'
        )
      : trans.__('Open a notebook first: the client code is inserted into it.'),
    buttons: canCreate
      ? [
          Dialog.cancelButton({ label: trans.__('Cancel') }),
          Dialog.okButton({ label: trans.__('New notebook') })
        ]
      : [Dialog.okButton({ label: trans.__('Close') })]
  });
  if (!canCreate || !answer.button.accept) {
    return null;
  }
  const made: unknown = await commands.execute('notebook:create-new', {
    activate: true,
    ...(kernel && { kernelName: kernel })
  });
  return made instanceof NotebookPanel ? made : null;
}
