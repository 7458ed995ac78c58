import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ISignal, Signal } from '@lumino/signaling';

export type AskBeforeStop = 'connected' | 'always' | 'never';

/** The user's settings, with the schema's defaults until they are loaded. */
export class Settings {
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The names of the dashboards that stand first in the list. */
  get favourites(): readonly string[] {
    return this._get('favourites', [
      'Task Stream',
      'Progress',
      'Workers Memory',
      'Cluster Memory'
    ]);
  }

  get askBeforeStop(): AskBeforeStop {
    return this._get('askBeforeStop', 'connected');
  }

  get drivesDaskLabextension(): boolean {
    return this._get('drivesDaskLabextension', true);
  }

  /** Take over what the registry has loaded. */
  connect(loaded: ISettingRegistry.ISettings): void {
    this._loaded = loaded;
    loaded.changed.connect(() => this._changed.emit(), this);
    this._changed.emit();
  }

  async setFavourites(names: readonly string[]): Promise<void> {
    await this._loaded?.set('favourites', [...names]);
  }

  private _get<T>(name: string, otherwise: T): T {
    return (this._loaded?.get(name).composite as T | undefined) ?? otherwise;
  }

  private readonly _changed = new Signal<this, void>(this);
  private _loaded: ISettingRegistry.ISettings | null = null;
}
