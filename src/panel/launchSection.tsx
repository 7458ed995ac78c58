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

/** What the server said is wrong with a launch: by field, and otherwise. */
interface IRefusal {
  errors: readonly IFieldError[];
  message: string;
}

const NOTHING_WRONG: IRefusal = { errors: [], message: '' };

/** The launch form, with what stands in its fields. */
export class LaunchSection extends ReactWidget {
  constructor(private readonly _options: LaunchSection.IOptions) {
    super();
    this.addClass('jp-HPCDask-launchSection');
    this.title.label = _options.trans.__('Launch');
    _options.model.sitesChanged.connect(this._onSites, this);
    void this._restore();
    void _options.model.ready.then(() => {
      this._isReady = true;
      this.update();
    });
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
    const { errors, message } = this._refusal;
    // Until it is known whether there is a site, there is nothing to say.
    return values || this._isReady || model.sitesProblem ? (
      <LaunchForm
        sites={model.sites}
        problems={model.problems}
        sitesProblem={model.sitesProblem}
        values={values ?? ({ site: '' } as LaunchValues)}
        errors={errors}
        message={message}
        trans={trans}
        onDrawn={this._onForm}
        onRetry={() => void model.refresh()}
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

  /** What is wrong at the site that is shown. */
  private get _refusal(): IRefusal {
    return this._refusals.get(this._site?.name ?? '') ?? NOTHING_WRONG;
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
    this.update();
  };

  private readonly _onChange = (change: Partial<LaunchValues>): void => {
    const values = this._values;
    if (values) {
      this._bySite.set(values.site, { ...values, ...change });
      const isTouched = (field: string) => touches(change, field);
      const errors = this._refusal.errors.filter(one => !isTouched(one.field));
      this._refuse(values.site, { errors, message: '' });
    }
  };

  private readonly _onLaunch = (): void => {
    const site = this._site;
    const values = this._values;
    if (site && values) {
      this._refuse(site.name, NOTHING_WRONG);
      void this._launch(site, values);
    }
  };

  private async _launch(site: ISite, values: LaunchValues): Promise<void> {
    try {
      await this._options.model.launch(requestOf(site, values));
      this._dropName(site);
      await this._remember(site, values);
    } catch (error) {
      if (error instanceof APIError && error.errors.length) {
        this._refuse(site.name, { errors: error.errors, message: '' });
      } else {
        this._refuse(site.name, { errors: [], message: messageOf(error) });
      }
    }
  }

  /** The name was for one cluster; the form may show another site by now. */
  private _dropName(site: ISite): void {
    const values = this._bySite.get(site.name);
    if (values) {
      this._bySite.set(site.name, { ...values, name: '' });
      this.update();
    }
  }

  private async _remember(site: ISite, values: LaunchValues): Promise<void> {
    this._remembered = {
      // Or the form would turn back to it from the site that is shown by now.
      site: this._remembered.site ?? site.name,
      values: { ...this._remembered.values, [site.name]: values }
    };
    await this._options.state?.save(
      STATE_KEY,
      this._remembered as ReadonlyPartialJSONObject
    );
  }

  /** Say at a site what is wrong, whichever is shown when the answer comes. */
  private _refuse(site: string, refusal: IRefusal): void {
    this._refusals.set(site, refusal);
    this.update();
  }

  private readonly _observer = new ResizeObserver(() => this._resized.emit());
  private readonly _resized = new Signal<this, void>(this);
  private readonly _bySite = new Map<string, LaunchValues>();
  private readonly _refusals = new Map<string, IRefusal>();
  private _isReady = false;
  private _isRestored = false;
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
