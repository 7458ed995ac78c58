import type { IStateDB } from '@jupyterlab/statedb';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { ISignal, Signal } from '@lumino/signaling';
import * as React from 'react';

import { APIError, messageOf } from '../api/client';
import type { IFieldError, ISite } from '../api/types';
import { LaunchValues, rememberedValues, requestOf } from '../launch';
import type { IClusterModel } from '../tokens';
import { LaunchForm } from './launchForm';

/** The parts of the form that are as high as what is in them. */
const PARTS = ['fields', 'footer'];

const STATE_KEY = 'hpcdask-ext:launch';

/** What is remembered: the last site, and for each site its last values. */
interface IRemembered {
  site?: string;
  values?: { [site: string]: Partial<LaunchValues> };
}

/** The launch form, with what stands in its fields. */
export class LaunchSection extends ReactWidget {
  constructor(private readonly _options: LaunchSection.IOptions) {
    super();
    this.addClass('jp-HPCDask-launchSection');
    this.title.label = _options.trans.__('Launch');
    _options.model.sitesChanged.connect(this._onSites, this);
    void this._restore();
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this._observer.disconnect();
      this._options.model.sitesChanged.disconnect(this._onSites, this);
      super.dispose();
    }
  }

  /** The form's height with all that it shows, in pixels. */
  get naturalHeight(): number {
    return PARTS.reduce(
      (sum, part) => sum + (this._part(part)?.offsetHeight ?? 0),
      0
    );
  }

  /** The natural height is another one. */
  get resized(): ISignal<this, void> {
    return this._resized;
  }

  /** Put the focus on the button: Enter launches. */
  focusLaunch(): void {
    this.node
      .querySelector<HTMLElement>('.jp-HPCDask-launchForm-button')
      ?.focus();
  }

  render(): JSX.Element | null {
    const { model, trans } = this._options;
    const values = this._values;
    return values || model.problems.length ? (
      <LaunchForm
        sites={model.sites}
        problems={model.problems}
        values={values ?? ({ site: '' } as LaunchValues)}
        errors={this._errors}
        message={this._message}
        trans={trans}
        onDrawn={this._onForm}
        onSite={this._onSite}
        onChange={this._onChange}
        onLaunch={this._onLaunch}
      />
    ) : null;
  }

  /** The form is drawn: watch how high it wants to be. */
  private readonly _onForm = (): void => {
    this._observer.disconnect();
    for (const part of PARTS) {
      const node = this._part(part);
      if (node) {
        this._observer.observe(node);
      }
    }
  };

  private _part(part: string): HTMLElement | null {
    return this.node.querySelector<HTMLElement>(
      `.jp-HPCDask-launchForm-${part}`
    );
  }

  private get _site(): ISite | undefined {
    const { sites } = this._options.model;
    return sites.find(one => one.name === this._remembered.site) ?? sites.at(0);
  }

  private get _values(): LaunchValues | null {
    const site = this._site;
    return (site && this._bySite.get(site.name)) ?? null;
  }

  private async _restore(): Promise<void> {
    const saved = await this._options.state
      ?.fetch(STATE_KEY)
      .catch(() => undefined);
    this._remembered = (saved ?? {}) as IRemembered;
    this._isRestored = true;
    this._takeSites();
  }

  /** Sites came, or changed: keep what was typed as far as it still fits. */
  private _onSites(): void {
    // What is remembered comes first, or the defaults would be kept instead.
    if (this._isRestored) {
      this._takeSites();
    }
  }

  private _takeSites(): void {
    for (const site of this._options.model.sites) {
      const before = this._bySite.get(site.name);
      const values = rememberedValues(
        site,
        before ?? this._remembered.values?.[site.name]
      );
      this._bySite.set(site.name, { ...values, name: before?.name ?? '' });
    }
    this.update();
  }

  private readonly _onSite = (name: string): void => {
    this._remembered = { ...this._remembered, site: name };
    this._refused();
  };

  private readonly _onChange = (change: Partial<LaunchValues>): void => {
    const values = this._values;
    if (values) {
      this._bySite.set(values.site, { ...values, ...change });
      const isTouched = (field: string) => touches(change, field);
      this._refused(this._errors.filter(one => !isTouched(one.field)));
    }
  };

  private readonly _onLaunch = (): void => {
    const site = this._site;
    const values = this._values;
    if (site && values) {
      this._refused();
      void this._launch(site, values);
    }
  };

  private async _launch(site: ISite, values: LaunchValues): Promise<void> {
    try {
      await this._options.model.launch(requestOf(site, values));
      this._onChange({ name: '' });
      await this._remember(site, values);
    } catch (error) {
      if (error instanceof APIError && error.errors.length) {
        this._refused(error.errors);
      } else {
        this._refused([], messageOf(error));
      }
    }
  }

  private async _remember(site: ISite, values: LaunchValues): Promise<void> {
    this._remembered = {
      site: site.name,
      values: { ...this._remembered.values, [site.name]: values }
    };
    await this._options.state?.save(
      STATE_KEY,
      this._remembered as ReadonlyPartialJSONObject
    );
  }

  private _refused(errors: readonly IFieldError[] = [], message = ''): void {
    this._errors = errors;
    this._message = message;
    this.update();
  }

  private readonly _observer = new ResizeObserver(() => this._resized.emit());
  private readonly _resized = new Signal<this, void>(this);
  private readonly _bySite = new Map<string, LaunchValues>();
  private _errors: readonly IFieldError[] = [];
  private _isRestored = false;
  private _message = '';
  private _remembered: IRemembered = {};
}

export namespace LaunchSection {
  export interface IOptions {
    model: IClusterModel;
    state: IStateDB | null;
    trans: TranslationBundle;
  }
}

/** Whether a change of the form may have put right what was wrong. */
function touches(change: Partial<LaunchValues>, field: string): boolean {
  const [first, second] = field.split('.');
  if (first === 'size' || first === 'scaling') {
    const names = { workers_per_job: 'workersPerJob' } as const;
    const name = names[second as keyof typeof names] ?? second;
    return 'size' in change || 'queue' in change || name in change;
  }
  return first in change || 'queue' in change;
}
