import { Dialog } from '@jupyterlab/apputils';
import {
  CodeEditor,
  CodeEditorWrapper,
  IEditorServices
} from '@jupyterlab/codeeditor';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { Widget } from '@lumino/widgets';
import * as React from 'react';

import type { IPreview, ISite } from '../api/types';
import { adapts, LaunchValues } from '../launch';
import { optionWords } from '../words';
import { Preview } from './preview';

/**
 * Show the preview of what stands in the form, and tell whether the user wants
 * the launch now.
 */
export async function showPreview(
  preview: IPreview,
  site: ISite,
  values: LaunchValues,
  editors: IEditorServices | null,
  trans: TranslationBundle
): Promise<boolean> {
  const dialog = new Dialog({
    title: trans.__('Preview of the launch'),
    body: (
      <Preview
        preview={preview}
        adapts={adapts(site, values)}
        options={optionWords(site, values, trans)}
        isLocal={site.batch_system === 'local'}
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

/** JupyterLab's own editor, to read in, as high as its text. */
function viewers(editors: IEditorServices): (text: string) => Widget {
  return text => {
    const model = new CodeEditor.Model({ mimeType: 'text/x-sh' });
    model.sharedModel.setSource(text);
    const widget = new CodeEditorWrapper({
      factory: options => editors.factoryService.newInlineEditor(options),
      model,
      // Even so, the tab key would stay in it, and put tabs into it.
      editorOptions: { config: { readOnly: true, tabFocusable: false } }
    });
    widget.disposed.connect(() => model.dispose());
    return widget;
  };
}
