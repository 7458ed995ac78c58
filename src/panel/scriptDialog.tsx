import { Dialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { ISite } from '../api/types';
import { afterChange, NOTHING_WRONG, refusalOf } from '../refusal';
import { ScriptChoice, ScriptMemory, scriptRequest } from '../scriptMemory';
import { splitWords, UnfinishedWord } from '../shell';
import type { IClusterModel } from '../tokens';
import { hasSizes } from '../workerValues';
import { ScriptForm } from './scriptForm';

export interface IScriptOptions {
  /** The script, below the server's root. */
  path: string;
  model: IClusterModel;
  memory: ScriptMemory;
  trans: TranslationBundle;
}

/** Ask how to run a script, and run it; tells whether it was launched. */
export async function runScript(options: IScriptOptions): Promise<boolean> {
  const dialog = new ScriptDialog(options, new ScriptBody(options));
  return (await dialog.launch()).button.accept;
}

/** It stays open until the script is launched, so that errors can be mended. */
class ScriptDialog extends Dialog<void> {
  constructor(
    { path, trans }: IScriptOptions,
    private readonly _form: ScriptBody
  ) {
    super({
      title: trans.__('Run %1 with a cluster', path.split('/').at(-1)),
      body: _form,
      buttons: [
        Dialog.cancelButton({ label: trans.__('Cancel') }),
        Dialog.okButton({ label: trans.__('Run') })
      ],
      focusNodeSelector: 'input'
    });
    this.addClass('jp-HPCDask-scriptDialog');
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
export class ScriptBody extends ReactWidget {
  constructor(private readonly _options: IScriptOptions) {
    super();
    const { memory, model } = _options;
    // A script runs in the job of its cluster, so there has to be one.
    this._sites = model.sites.filter(hasSizes);
    this._site =
      this._sites.find(one => one.name === memory.site) ?? this._sites[0];
  }

  /** Launch it; tells whether that went well. */
  async run(): Promise<boolean> {
    const { memory, model, path } = this._options;
    const words = this._words;
    if (this._isRunning || words === null) {
      return false;
    }
    const site = this._site;
    const values = this._values;
    this._isRunning = true;
    this._refusal = NOTHING_WRONG;
    this.update();
    try {
      await model.launch(scriptRequest(site, values, path, words));
      await memory.save(site.name, values);
      return true;
    } catch (error) {
      this._refusal = refusalOf(error);
      this.update();
      return false;
    } finally {
      this._isRunning = false;
    }
  }

  render(): JSX.Element {
    const { path, trans } = this._options;
    return (
      <ScriptForm
        path={path}
        sites={this._sites}
        site={this._site}
        values={this._values}
        line={this._line}
        words={this._words}
        refusal={this._refusal}
        trans={trans}
        onSite={this._onSite}
        onChange={this._onChange}
        onLine={this._onLine}
      />
    );
  }

  private get _values() {
    const { memory } = this._options;
    return { ...memory.values(this._site), ...this._choice };
  }

  private get _words(): string[] | null {
    try {
      return splitWords(this._line);
    } catch (error) {
      if (error instanceof UnfinishedWord) {
        return null;
      }
      throw error;
    }
  }

  private readonly _onSite = (name: string): void => {
    const found = this._sites.find(one => one.name === name);
    this._site = found ?? this._site;
    this._choice = {};
    this._refusal = NOTHING_WRONG;
    this.update();
  };

  private readonly _onChange = (change: Partial<ScriptChoice>): void => {
    this._refusal = afterChange(this._refusal, this._values, change);
    this._choice = { ...this._choice, ...change };
    this.update();
  };

  private readonly _onLine = (line: string): void => {
    this._line = line;
    const errors = this._refusal.errors.filter(
      one => !one.field.startsWith('script.arguments')
    );
    this._refusal = { errors, message: '' };
    this.update();
  };

  private _choice: Partial<ScriptChoice> = {};
  private _isRunning = false;
  private _line = '';
  private _refusal = NOTHING_WRONG;
  private _site: ISite;
  private readonly _sites: readonly ISite[];
}
