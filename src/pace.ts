import type { IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';

import type { ICluster } from './api/types';
import { hasEnded } from './format';

/** How often everything is read again, in milliseconds, while events come. */
const SLOW = 60_000;
/** The same while something happens and no event has ever come. */
const FAST = 4_000;

/** When all is read again without being told of a change: seldom, or never. */
export class ReadingPace implements IDisposable {
  constructor(private readonly _options: ReadingPace.IOptions) {
    this._poll = new Poll({
      name: 'hpcdask-ext:ClusterModel',
      auto: false,
      linger: 0,
      factory: () => _options.read(),
      frequency: { interval: SLOW, backoff: true, max: 5 * SLOW },
      standby: () => (this._isWaiting ? 'when-hidden' : true)
    });
    document.addEventListener('visibilitychange', this._onVisible);
  }

  get isDisposed(): boolean {
    return this._poll.isDisposed;
  }

  dispose(): void {
    document.removeEventListener('visibilitychange', this._onVisible);
    this._poll.dispose();
  }

  /**
   * Read faster only while something happens and events do not come, or while
   * there are no sites; from `now` on, or from the next time.
   */
  follow(now = false): void {
    const { clusters, hasSites, isTold } = this._options;
    const isMoving = clusters().some(
      one => !hasEnded(one.state) && one.state !== 'running'
    );
    const isFast = (isMoving && !isTold()) || !hasSites();
    const interval = isFast ? FAST : SLOW;
    if (this.isDisposed) {
      return;
    }
    if (this._poll.frequency.interval !== interval) {
      this._poll.frequency = { ...this._poll.frequency, interval };
    }
    if (now) {
      void this._poll.schedule({ phase: 'started', interval });
    }
  }

  /** Whether anything may change by itself, or was not to be had. */
  private get _isWaiting(): boolean {
    const { clusters, hasSites, mayAppear } = this._options;
    return (
      !hasSites() || mayAppear() || clusters().some(one => !hasEnded(one.state))
    );
  }

  private readonly _onVisible = (): void => {
    if (document.visibilityState === 'visible' && this._isWaiting) {
      void this._poll.refresh();
    }
  };

  private readonly _poll: Poll;
}

export namespace ReadingPace {
  export interface IOptions {
    /** Read everything again. */
    read: () => Promise<void>;
    /** The clusters that are known now. */
    clusters: () => readonly ICluster[];
    /** Whether the sites could be read. */
    hasSites: () => boolean;
    /** Whether clusters that were launched elsewhere may appear. */
    mayAppear: () => boolean;
    /** Whether changes are told of by events. */
    isTold: () => boolean;
  }
}
