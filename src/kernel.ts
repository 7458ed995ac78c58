import { Dialog, showDialog } from '@jupyterlab/apputils';
import {
  INotebookTracker,
  NotebookActions,
  NotebookPanel
} from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';

/**
 * Put a cluster's client code into the current notebook; without one, offer
 * a new notebook. Tells whether the code stands in a notebook now.
 */
export async function insertClientCode(
  code: string,
  tracker: INotebookTracker | null,
  commands: CommandRegistry,
  trans: TranslationBundle
): Promise<boolean> {
  const panel = tracker?.currentWidget ?? (await newNotebook(commands, trans));
  if (!panel) {
    return false;
  }
  await panel.context.ready;
  insertCell(panel, code);
  return true;
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

async function newNotebook(
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
    activate: true
  });
  return made instanceof NotebookPanel ? made : null;
}
