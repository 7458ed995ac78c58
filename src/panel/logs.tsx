import { MainAreaWidget } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import {
  ReactWidget,
  refreshIcon,
  ToolbarButton
} from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import { Poll } from '@lumino/polling';
import * as React from 'react';

import { messageOf } from '../api/client';
import type { ICluster, ILog, LogRole } from '../api/types';
import { hasEnded } from '../format';
import { logsIcon } from '../icons';
import type { IClusterModel } from '../tokens';
import { Logs, RoleFilter } from './logParts';

export type ReadLogs = (
  id: string,
  role?: LogRole,
  tail?: number
) => Promise<ILog[]>;

/** How often the log of a script that runs is read, in milliseconds. */
const FOLLOW = 3_000;
/** How much of what a script printed is shown. */
const MANY_LINES = 2_000;

/** The logs of one cluster, with a filter by role. */
export class LogsView extends ReactWidget {
  constructor(private readonly _options: LogsView.IOptions) {
    super();
    this.addClass('jp-HPCDask-logsView');
    this.role = _options.cluster.script ? 'allocation' : undefined;
    this._isComplete = !this._isLive;
    this._poll = new Poll({
      name: 'hpcdask-ext:LogsView',
      auto: false,
      factory: () => this._readAgain(),
      frequency: { interval: FOLLOW, backoff: true, max: 10 * FOLLOW },
      standby: 'when-hidden'
    });
    _options.model.clustersChanged.connect(this._pace, this);
    void this.read();
  }

  role: LogRole | undefined;

  override dispose(): void {
    if (!this.isDisposed) {
      this._options.model.clustersChanged.disconnect(this._pace, this);
      this._poll.dispose();
      super.dispose();
    }
  }

  /** Read the logs of the role; only the last answer asked for counts. */
  async read(): Promise<void> {
    const { cluster, readLogs } = this._options;
    const turn = (this._turn += 1);
    const isLate = () => turn !== this._turn || this.isDisposed;
    try {
      const lines = this.role === 'allocation' ? MANY_LINES : undefined;
      const logs = await readLogs(cluster.id, this.role, lines);
      if (!isLate()) {
        this._logs = logs;
        this._problem = '';
        this.update();
      }
    } catch (error) {
      if (!isLate()) {
        this._problem = messageOf(error);
        this.update();
      }
    }
  }

  render(): JSX.Element {
    return (
      <Logs
        logs={this._logs}
        problem={this._problem}
        hasScript={this._options.cluster.script !== null}
        trans={this._options.trans}
      />
    );
  }

  protected override onAfterAttach(msg: Message): void {
    super.onAfterAttach(msg);
    this._pace();
  }

  protected override onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    this._pace();
  }

  protected override onAfterHide(msg: Message): void {
    super.onAfterHide(msg);
    this._pace();
  }

  /** Follow a script while it runs and somebody looks; then read its end. */
  private _pace(): void {
    const follows = this._isLive && this.isVisible;
    if (follows && !this._follows) {
      void this._poll.start();
    } else if (!follows && this._follows) {
      void this._poll.stop();
    }
    this._follows = follows;
    if (!this._isLive && !this._isComplete && this.isVisible) {
      this._isComplete = true;
      void this.read();
    }
  }

  /** Rejects where the server could not be asked, so that it is asked less. */
  private async _readAgain(): Promise<void> {
    await this.read();
    if (this._problem) {
      throw new Error(this._problem);
    }
  }

  /** Whether a script may print more. */
  private get _isLive(): boolean {
    const { cluster, model } = this._options;
    const now = model.get(cluster.id);
    return cluster.script !== null && now !== undefined && !hasEnded(now.state);
  }

  private _follows = false;
  private _isComplete: boolean;
  private _logs: readonly ILog[] | null = null;
  private readonly _poll: Poll;
  private _problem = '';
  private _turn = 0;
}

export namespace LogsView {
  export interface IOptions {
    cluster: ICluster;
    model: IClusterModel;
    readLogs: ReadLogs;
    trans: TranslationBundle;
  }
}

/** The main area's widget with the logs of a cluster. */
export function createLogs(
  cluster: ICluster,
  model: IClusterModel,
  readLogs: ReadLogs,
  trans: TranslationBundle
): MainAreaWidget {
  const view = new LogsView({ cluster, model, readLogs, trans });
  const widget = new MainAreaWidget({ content: view });
  widget.id = logsId(cluster);
  widget.title.label = trans.__('Logs · %1', cluster.name);
  widget.title.icon = logsIcon;
  widget.title.closable = true;
  widget.toolbar.addItem(
    'role',
    ReactWidget.create(
      <RoleFilter
        cluster={cluster}
        role={view.role}
        trans={trans}
        onRole={role => {
          view.role = role;
          void view.read();
        }}
      />
    )
  );
  widget.toolbar.addItem(
    'refresh',
    new ToolbarButton({
      icon: refreshIcon,
      tooltip: trans.__('Reload the logs'),
      onClick: () => void view.read()
    })
  );
  return widget;
}

export function logsId(cluster: ICluster): string {
  return `hpcdask-logs-${cluster.id}`;
}
