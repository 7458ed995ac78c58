import { Dialog } from '@jupyterlab/apputils';
import { CodeViewerWidget, IEditorServices } from '@jupyterlab/codeeditor';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { Widget } from '@lumino/widgets';
import * as React from 'react';

import type { IPreview } from '../api/types';
import { Preview } from './preview';

/** Show a preview, and tell whether the user wants the launch now. */
export async function showPreview(
  preview: IPreview,
  editors: IEditorServices | null,
  trans: TranslationBundle
): Promise<boolean> {
  const dialog = new Dialog({
    title: trans.__('Preview of the launch'),
    body: (
      <Preview
        preview={preview}
        now={Date.now()}
        trans={trans}
        makeViewer={editors && viewers(editors)}
      />
    ),
    buttons: [
      Dialog.cancelButton({ label: trans.__('Close') }),
      Dialog.okButton({ label: trans.__('Launch cluster') })
    ],
    // Who came here by Enter, and holds it, has not asked for a cluster.
    defaultButton: 0
  });
  dialog.addClass('jp-HPCDask-previewDialog');
  return (await dialog.launch()).button.accept;
}

/** JupyterLab's own viewer of code. */
function viewers(editors: IEditorServices): (text: string) => Widget {
  const { factoryService } = editors;
  return text =>
    CodeViewerWidget.createCodeViewer({
      factory: options => factoryService.newInlineEditor(options),
      content: text,
      mimeType: 'text/x-sh',
      // The tab key would stay in it, and put tabs into it.
      editorOptions: { config: { tabFocusable: false, lineWrap: false } }
    });
}
