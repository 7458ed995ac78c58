import { MainAreaWidget } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import {
  HTMLSelect,
  ReactWidget,
  refreshIcon,
  ToolbarButton
} from '@jupyterlab/ui-components';
import * as React from 'react';

import { messageOf } from '../api/client';
import type { ICluster, ILog, LogRole } from '../api/types';
import { logsIcon } from '../icons';

export type ReadLogs = (id: string, role?: LogRole) => Promise<ILog[]>;

/** The end of the logs of all jobs, also of those that have ended. */
export function Logs(props: {
  logs: readonly ILog[] | null;
  problem: string;
  trans: TranslationBundle;
}): JSX.Element {
  const { logs, problem, trans } = props;
  return (
    <div className="jp-HPCDask-logs">
      {problem && (
        <div className="jp-HPCDask-message jp-mod-error" role="alert">
          {problem}
        </div>
      )}
      {!logs && !problem && (
        <p role="status">{trans.__('Loading the logs…')}</p>
      )}
      {logs?.length === 0 && (
        <p role="status">{trans.__('Nothing has been logged yet.')}</p>
      )}
      {logs?.map((log, index) => (
        <section key={`${log.role} ${log.job} ${index}`}>
          <h3>
            {roleWord(log.role, trans)}
            {log.job && log.job !== log.role && <code>{log.job}</code>}
          </h3>
          {log.truncated && (
            <div className="jp-HPCDask-logs-truncated">
              {trans.__('Only the end is shown.')}
            </div>
          )}
          <pre tabIndex={0}>{log.text || trans.__('(empty)')}</pre>
        </section>
      ))}
    </div>
  );
}

/** The logs of one cluster, with a filter by role. */
export class LogsView extends ReactWidget {
  constructor(
    private readonly _id: string,
    private readonly _readLogs: ReadLogs,
    private readonly _trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-HPCDask-logsView');
    void this.read();
  }

  role: LogRole | undefined = undefined;

  /** Read the logs of the role; only the last answer asked for counts. */
  async read(): Promise<void> {
    const turn = (this._turn += 1);
    const isLate = () => turn !== this._turn || this.isDisposed;
    try {
      const logs = await this._readLogs(this._id, this.role);
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
      <Logs logs={this._logs} problem={this._problem} trans={this._trans} />
    );
  }

  private _logs: readonly ILog[] | null = null;
  private _problem = '';
  private _turn = 0;
}

/** The main area's widget with the logs of a cluster. */
export function createLogs(
  cluster: ICluster,
  readLogs: ReadLogs,
  trans: TranslationBundle
): MainAreaWidget {
  const view = new LogsView(cluster.id, readLogs, trans);
  const widget = new MainAreaWidget({ content: view });
  widget.id = logsId(cluster);
  widget.title.label = trans.__('Logs · %1', cluster.name);
  widget.title.icon = logsIcon;
  widget.title.closable = true;
  widget.toolbar.addItem(
    'role',
    ReactWidget.create(
      <RoleFilter
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

function RoleFilter(props: {
  trans: TranslationBundle;
  onRole: (role: LogRole | undefined) => void;
}): JSX.Element {
  const { trans, onRole } = props;
  const [role, setRole] = React.useState('');
  const roles: LogRole[] = ['scheduler', 'worker', 'launch'];
  return (
    <HTMLSelect
      aria-label={trans.__('Logs shown')}
      value={role}
      options={[
        { value: '', label: trans.__('All logs') },
        ...roles.map(one => ({ value: one, label: roleWord(one, trans) }))
      ]}
      onChange={event => {
        setRole(event.target.value);
        onRole((event.target.value || undefined) as LogRole | undefined);
      }}
    />
  );
}

function roleWord(role: LogRole, trans: TranslationBundle): string {
  switch (role) {
    case 'scheduler':
      return trans.__('Scheduler');
    case 'worker':
      return trans.__('Worker');
    case 'launch':
      return trans.__('Launch');
  }
}
