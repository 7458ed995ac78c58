import type { IStateDB } from '@jupyterlab/statedb';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import type { ISite } from './api/types';
import type { LaunchValues } from './launch';
import { rememberedValues } from './remembered';

const STATE_KEY = 'hpcdask-ext:launch';

/** What outlives the page: the last site, and for each site its last values. */
interface ISaved {
  site?: string;
  values?: { [site: string]: Partial<LaunchValues> };
  /** The sites where all fields are shown. */
  more?: string[];
}

/**
 * What stands in the launch form at each site, also when another one is shown,
 * and what stood there at the last launch.
 */
export class FormMemory {
  constructor(private readonly _state: IStateDB | null) {
    this.restored = this._restore();
  }

  /** Fulfilled as soon as what was saved is there. */
  readonly restored: Promise<void>;

  /** The site that the user chose last. */
  get site(): string | undefined {
    return this._saved.site;
  }

  set site(name: string | undefined) {
    this._saved = { ...this._saved, site: name };
  }

  /** What stands in the form at a site; nothing before the site was taken. */
  values(site: string): LaunchValues | null {
    return this._values.get(site) ?? null;
  }

  /** Sites came, or changed: keep what was typed as far as it still fits. */
  take(sites: readonly ISite[]): void {
    for (const site of sites) {
      const before = this._values.get(site.name);
      const saved = before ?? this._saved.values?.[site.name];
      const values = rememberedValues(site, saved);
      this._values.set(site.name, { ...values, name: before?.name ?? '' });
    }
  }

  change(site: string, change: Partial<LaunchValues>): void {
    const values = this._values.get(site);
    if (values) {
      this._values.set(site, { ...values, ...change });
    }
  }

  isMoreOpen(site: string): boolean {
    return this._saved.more?.includes(site) ?? false;
  }

  async setMoreOpen(site: string, isOpen: boolean): Promise<void> {
    if (isOpen !== this.isMoreOpen(site)) {
      const others = (this._saved.more ?? []).filter(one => one !== site);
      await this._save({ more: isOpen ? [...others, site] : others });
    }
  }

  /** These values were launched. */
  async save(site: string, values: LaunchValues): Promise<void> {
    await this._save({
      // Or the form would turn back to it from the site that is shown by now.
      site: this.site ?? site,
      values: { ...this._saved.values, [site]: values }
    });
  }

  private async _restore(): Promise<void> {
    const saved = await this._state?.fetch(STATE_KEY).catch(() => undefined);
    this._saved = { ...(saved as ISaved | undefined), ...this._saved };
  }

  private async _save(part: ISaved): Promise<void> {
    this._saved = { ...this._saved, ...part };
    await this._state?.save(
      STATE_KEY,
      this._saved as ReadonlyPartialJSONObject
    );
  }

  private _saved: ISaved = {};
  private readonly _values = new Map<string, LaunchValues>();
}
