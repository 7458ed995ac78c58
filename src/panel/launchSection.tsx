import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import { ISignal, Signal } from '@lumino/signaling';
import * as React from 'react';

import type { IPreview, ISite } from '../api/types';
import type { FormMemory } from '../formMemory';
import { LaunchValues, requestOf } from '../launch';
import { afterChange, IRefusal, NOTHING_WRONG, refusalOf } from '../refusal';
import type { IClusterModel } from '../tokens';
import { LaunchForm } from './launchForm';

/** The parts of the form that are as high as what is in them. */
const PARTS = ['fields', 'footer'];

/** How old what is known about queues may get, in milliseconds. */
const OLD = 60_000;

/** The launch form, with what stands in its fields. */
export class LaunchSection extends ReactWidget {
  constructor(private readonly _options: LaunchSection.IOptions) {
    super();
    this.addClass('jp-HPCDask-launchSection');
    this.title.label = _options.trans.__('Launch');
    _options.model.sitesChanged.connect(this._onSites, this);
    void _options.memory.restored.then(() => {
      this._isRestored = true;
      this._takeSites();
    });
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

  /** The form's height with all that it shows, in whole pixels. */
  get naturalHeight(): number {
    // With a part of a pixel too little, there would be a scroll bar.
    return PARTS.reduce((sum, name) => {
      const part = this._part(name);
      return sum + (part ? Math.ceil(part.getBoundingClientRect().height) : 0);
    }, 0);
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
    const { memory, model, trans } = this._options;
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
        isMoreOpen={memory.isMoreOpen(values?.site ?? '')}
        isPreviewing={this._isPreviewing}
        trans={trans}
        onDrawn={this._onForm}
        onRetry={() => void model.refresh()}
        onSite={this._onSite}
        onChange={this._onChange}
        onMore={this._onMore}
        onVisit={this._onVisit}
        onPreview={this._onPreview}
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
    const { memory, model } = this._options;
    const chosen = model.sites.find(one => one.name === memory.site);
    return chosen ?? model.sites.at(0);
  }

  private get _values(): LaunchValues | null {
    const site = this._site;
    return site ? this._options.memory.values(site.name) : null;
  }

  /** What is wrong at the site that is shown. */
  private get _refusal(): IRefusal {
    return this._refusals.get(this._site?.name ?? '') ?? NOTHING_WRONG;
  }

  /** Sites came, or changed: keep what was typed as far as it still fits. */
  private _onSites(): void {
    // What is remembered comes first, or the defaults would be kept instead.
    if (this._isRestored) {
      this._takeSites();
    }
  }

  private _takeSites(): void {
    const { memory, model } = this._options;
    memory.take(model.sites);
    this.update();
  }

  private readonly _onSite = (name: string): void => {
    this._options.memory.site = name;
    this.update();
  };

  private readonly _onChange = (change: Partial<LaunchValues>): void => {
    const values = this._values;
    if (values) {
      this._options.memory.change(values.site, change);
      this._refuse(values.site, afterChange(this._refusal, values, change));
    }
  };

  private readonly _onMore = (isOpen: boolean): void => {
    const site = this._site;
    if (site) {
      void this._options.memory.setMoreOpen(site.name, isOpen);
      this.update();
    }
  };

  /** Who comes to launch something wants to know how full the queues are. */
  private readonly _onVisit = (): void => {
    const { model } = this._options;
    if (model.sites.some(one => one.batch_system !== 'local')) {
      void model.refreshSites(OLD);
    }
  };

  private readonly _onPreview = (): void => {
    const site = this._site;
    const values = this._values;
    if (site && values && !this._isPreviewing) {
      this._isPreviewing = true;
      this._refuse(site.name, NOTHING_WRONG);
      void this._preview(site, values);
    }
  };

  private async _preview(site: ISite, values: LaunchValues): Promise<void> {
    const { model, showPreview } = this._options;
    try {
      const preview = await model.preview(requestOf(site, values));
      this._isPreviewing = false;
      if (!preview.valid) {
        const { errors, note } = preview;
        this._refuse(site.name, { errors, message: errors.length ? '' : note });
        return;
      }
      this.update();
      if (await showPreview(preview, site, values)) {
        await this._launch(site, values);
      }
    } catch (error) {
      this._isPreviewing = false;
      this._refuse(site.name, refusalOf(error));
    }
  }

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
      const { memory, model } = this._options;
      await model.launch(requestOf(site, values));
      // The name was for one cluster; the form may show another site by now.
      memory.change(site.name, { name: '' });
      this.update();
      await memory.save(site.name, values);
    } catch (error) {
      this._refuse(site.name, refusalOf(error));
    }
  }

  /** Say at a site what is wrong, whichever is shown when the answer comes. */
  private _refuse(site: string, refusal: IRefusal): void {
    this._refusals.set(site, refusal);
    this.update();
  }

  private readonly _observer = new ResizeObserver(() => this._resized.emit());
  private readonly _resized = new Signal<this, void>(this);
  private readonly _refusals = new Map<string, IRefusal>();
  private _isPreviewing = false;
  private _isReady = false;
  private _isRestored = false;
}

export namespace LaunchSection {
  export interface IOptions {
    model: IClusterModel;
    memory: FormMemory;
    trans: TranslationBundle;
    /**
     * Show the preview of what stands in the form, and tell whether the launch
     * is wanted.
     */
    showPreview: (
      preview: IPreview,
      site: ISite,
      values: LaunchValues
    ) => Promise<boolean>;
  }
}
