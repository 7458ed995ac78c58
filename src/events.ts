import type { Event } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';

export const SCHEMA_ID = 'https://hpcdask-ext.readthedocs.io/events/cluster/v1';

/** What one event says; the cluster itself is to be read again. */
export interface IClusterEvent {
  cluster: string;
  change: string;
}

/**
 * Our events out of the server's stream, gathered.
 *
 * A cluster that starts emits several within milliseconds: `flush` gets the
 * ids that changed since the last time, once each.
 */
export class ChangeFeed implements IDisposable {
  constructor(private readonly _options: ChangeFeed.IOptions) {
    this._options.stream.connect(this._onEvent, this);
  }

  /** Whether an event of ours has ever come: so pushing works. */
  get works(): boolean {
    return this._works;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      window.clearTimeout(this._timer);
      Signal.clearData(this);
    }
  }

  private _onEvent(_: unknown, emission: Event.Emission): void {
    const event = emission as unknown as IClusterEvent;
    if (emission.schema_id !== SCHEMA_ID || typeof event.cluster !== 'string') {
      return;
    }
    this._works = true;
    if (event.change === 'forgotten') {
      this._changed.delete(event.cluster);
      this._options.forgotten(event.cluster);
      return;
    }
    this._changed.add(event.cluster);
    this._timer ??= window.setTimeout(
      () => this._flush(),
      this._options.gather ?? 30
    );
  }

  private _flush(): void {
    const ids = [...this._changed];
    this._changed.clear();
    this._timer = undefined;
    if (ids.length) {
      this._options.changed(ids);
    }
  }

  private readonly _changed = new Set<string>();
  private _isDisposed = false;
  private _timer: number | undefined;
  private _works = false;
}

export namespace ChangeFeed {
  export interface IOptions {
    stream: Event.Stream;
    /** These clusters are to be read again. */
    changed: (ids: string[]) => void;
    /** This cluster is not tracked any more. */
    forgotten: (id: string) => void;
    /** How long events are gathered, in milliseconds. */
    gather?: number;
  }
}
