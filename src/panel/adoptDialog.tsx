import { Dialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { IAdoptQuestion } from '../adoption';
import {
  AdoptFile,
  adoptRequest,
  adoptValues,
  IAdoptValues
} from '../adoptValues';
import type { IAdoptRequest } from '../api/types';
import { IRefusal, NOTHING_WRONG } from '../refusal';
import { AdoptForm } from './adoptForm';

export interface IAdoptDialogOptions {
  /** Adopt; tells what is wrong with the request, or nothing. */
  attempt: (request: IAdoptRequest) => Promise<IRefusal | null>;
  /** The file that the user chooses, or `null`, where files can be chosen. */
  browse: ((field: AdoptFile) => Promise<string | null>) | null;
  /** The notebook whose kernel may be asked for its cluster. */
  notebook: { name: string; adopt: () => Promise<void> } | null;
  trans: TranslationBundle;
}

/** Ask for a cluster, until one is adopted or nobody wants it. */
export async function askAdoption(
  question: IAdoptQuestion,
  options: IAdoptDialogOptions
): Promise<void> {
  const { browse, notebook, trans } = options;
  let values = adoptValues(question.request);
  let { refusal } = question;
  for (;;) {
    const body = new AdoptBody(values, refusal, options);
    await new AdoptDialog(body, trans).launch();
    ({ values, refusal } = body);
    if (body.leftFor === null) {
      return;
    }
    if (body.leftFor === 'notebook') {
      return notebook?.adopt();
    }
    // JupyterLab shows one dialog at a time: this one comes back afterwards.
    const path = await browse?.(body.leftFor);
    if (path) {
      values = { ...values, [body.leftFor]: path };
      refusal = without(refusal, body.leftFor);
    }
  }
}

/** It stays open until the cluster is here, so that errors can be mended. */
class AdoptDialog extends Dialog<void> {
  constructor(
    private readonly _form: AdoptBody,
    trans: TranslationBundle
  ) {
    super({
      title: trans.__('Adopt a cluster that runs already'),
      body: _form,
      buttons: [
        Dialog.cancelButton({ label: trans.__('Cancel') }),
        Dialog.okButton({ label: trans.__('Adopt') })
      ],
      focusNodeSelector: 'input[type="text"]'
    });
    this.addClass('jp-HPCDask-adoptDialog');
    _form.left.then(
      () => super.resolve(0),
      () => undefined
    );
  }

  override resolve(index?: number): void {
    if (index === 0) {
      super.resolve(0);
    } else {
      void this._form.run().then(isDone => isDone && super.resolve(1));
    }
  }

  /** What is wrong is the server's to say: nothing keeps from trying again. */
  protected override _checkValidation(): void {
    return;
  }
}

/** The form in the dialog, with what stands in its fields. */
export class AdoptBody extends ReactWidget {
  constructor(
    public values: IAdoptValues,
    public refusal: IRefusal,
    private readonly _options: IAdoptDialogOptions
  ) {
    super();
  }

  /** Why the dialog was left without an end: for a file, or a notebook. */
  leftFor: AdoptFile | 'notebook' | null = null;

  /** Fulfilled when it is left so. */
  readonly left = new Promise<void>(resolve => {
    this._leave = resolve;
  });

  /** Adopt the cluster; tells whether that went well. */
  async run(): Promise<boolean> {
    if (this._isAsking) {
      return false;
    }
    this._isAsking = true;
    this.refusal = NOTHING_WRONG;
    this.update();
    const refusal = await this._options.attempt(adoptRequest(this.values));
    this._isAsking = false;
    this.refusal = refusal ?? NOTHING_WRONG;
    this.update();
    return refusal === null;
  }

  render(): JSX.Element {
    const { browse, notebook, trans } = this._options;
    return (
      <AdoptForm
        values={this.values}
        refusal={this.refusal}
        isAsking={this._isAsking}
        notebook={notebook?.name ?? null}
        canBrowse={browse !== null}
        trans={trans}
        onChange={this._onChange}
        onBrowse={this._onLeave}
        onNotebook={() => this._onLeave('notebook')}
      />
    );
  }

  private readonly _onChange = (change: Partial<IAdoptValues>): void => {
    this.values = { ...this.values, ...change };
    this.refusal = without(this.refusal, ...Object.keys(change));
    this.update();
  };

  private readonly _onLeave = (what: AdoptFile | 'notebook'): void => {
    this.leftFor = what;
    this._leave();
  };

  private _isAsking = false;
  private _leave!: () => void;
}

/** What is still wrong when these fields have changed. */
function without(refusal: IRefusal, ...fields: string[]): IRefusal {
  // Where the scheduler is, all else depends on.
  const isElsewhere = ['by', 'scheduler_file', 'address'].some(one =>
    fields.includes(one)
  );
  return isElsewhere
    ? NOTHING_WRONG
    : {
        errors: refusal.errors.filter(one => !fields.includes(one.field)),
        message: ''
      };
}
