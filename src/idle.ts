import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import type { IDisposable } from '@lumino/disposable';

import type { ICluster } from './api/types';
import { IDLE_WARNING } from './clusterWords';
import { CommandIDs } from './commandIds';
import { formatTime, hasEnded } from './format';
import type { IClusterModel } from './tokens';

/** The longest time that a timer of the browser can wait, in ms. */
const LONGEST = 2 ** 31 - 1;

/** What was said about an idle cluster. */
interface ITold {
  endsAt: string;
  notification: string;
}

/**
 * Says, once in each idle time, that a cluster is about to stop. It waits by
 * itself; what the notification says goes with the idle time.
 */
export class IdleNotifier implements IDisposable {
  constructor(private readonly _options: IdleNotifier.IOptions) {
    _options.model.clustersChanged.connect(this._follow, this);
    this._follow();
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      window.clearTimeout(this._timer);
      this._options.model.clustersChanged.disconnect(this._follow, this);
    }
  }

  private _follow(): void {
    const { clusters } = this._options.model;
    const idle = clusters.filter(
      one => one.idle_ends_at && !hasEnded(one.state)
    );
    this._dropOld(idle);
    const now = Date.now();
    const waits = idle
      .filter(one => this._told.get(one.id)?.endsAt !== one.idle_ends_at)
      .map(one => ({ one, ms: warningOf(one) - now }));
    waits.filter(({ ms }) => ms <= 0).forEach(({ one }) => this._tell(one));
    const next = Math.min(...waits.map(({ ms }) => ms).filter(ms => ms > 0));
    window.clearTimeout(this._timer);
    if (next !== Infinity) {
      this._timer = window.setTimeout(
        () => this._follow(),
        Math.min(next, LONGEST)
      );
    }
  }

  private _tell(cluster: ICluster): void {
    const { commands, trans } = this._options;
    const { id, name } = cluster;
    const endsAt = cluster.idle_ends_at!;
    const notification = Notification.warning(
      trans.__(
        '%1 is idle: without work, it stops at %2.',
        name,
        formatTime(endsAt, Date.now())
      ),
      {
        autoClose: false,
        actions: [
          {
            label: trans.__('Keep'),
            caption: trans.__('Do not stop it yet: its idle time begins anew'),
            displayType: 'accent',
            callback: () => void commands.execute(CommandIDs.keep, { id })
          }
        ]
      }
    );
    this._told.set(id, { endsAt, notification });
  }

  /**
   * Take back what is not so any more. That it was said is kept: it may be so
   * again, where a cluster could not be kept.
   */
  private _dropOld(idle: readonly ICluster[]): void {
    const { model } = this._options;
    for (const [id, { endsAt, notification }] of this._told) {
      if (!idle.some(one => one.id === id && one.idle_ends_at === endsAt)) {
        Notification.dismiss(notification);
      }
      if (!model.get(id)) {
        this._told.delete(id);
      }
    }
  }

  private readonly _told = new Map<string, ITold>();
  private _isDisposed = false;
  private _timer: number | undefined;
}

export namespace IdleNotifier {
  export interface IOptions {
    model: IClusterModel;
    commands: CommandRegistry;
    trans: TranslationBundle;
  }
}

function warningOf(cluster: ICluster): number {
  return Date.parse(cluster.idle_ends_at!) - IDLE_WARNING;
}
