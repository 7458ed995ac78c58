import type { TranslationBundle } from '@jupyterlab/translation';
import { HTMLSelect } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { ICluster, ILog, LogRole } from '../api/types';

/** The end of the logs of all jobs, also of those that have ended. */
export function Logs(props: {
  logs: readonly ILog[] | null;
  problem: string;
  /** Whether the log of the cluster's job is that of a script. */
  hasScript: boolean;
  trans: TranslationBundle;
}): JSX.Element {
  const { logs, problem, hasScript, trans } = props;
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
            {roleWord(log.role, hasScript, trans)}
            {log.job && log.job !== log.role && <code>{log.job}</code>}
          </h3>
          {log.truncated && (
            <div className="jp-HPCDask-logs-truncated">
              {trans.__('Only the end is shown.')}
            </div>
          )}
          <LogText text={log.text || trans.__('(empty)')} />
        </section>
      ))}
    </div>
  );
}

/** The text of a log: its end stays in view until one scrolls away from it. */
function LogText(props: { text: string }): JSX.Element {
  const node = React.useRef<HTMLPreElement>(null);
  const isAtEnd = React.useRef(true);
  React.useLayoutEffect(() => {
    if (node.current && isAtEnd.current) {
      node.current.scrollTop = node.current.scrollHeight;
    }
  }, [props.text]);
  return (
    <pre
      ref={node}
      tabIndex={0}
      onScroll={event => {
        const { scrollHeight, scrollTop, clientHeight } = event.currentTarget;
        isAtEnd.current = scrollHeight - scrollTop - clientHeight < 8;
      }}
    >
      {props.text}
    </pre>
  );
}

/** Which of the logs are shown. */
export function RoleFilter(props: {
  cluster: ICluster;
  /** The one that is shown first. */
  role: LogRole | undefined;
  trans: TranslationBundle;
  onRole: (role: LogRole | undefined) => void;
}): JSX.Element {
  const { cluster, trans, onRole } = props;
  const [role, setRole] = React.useState<string>(props.role ?? '');
  const hasScript = cluster.script !== null;
  const roles: LogRole[] = [
    ...(cluster.layout === 'allocation' ? (['allocation'] as const) : []),
    'scheduler',
    'worker',
    'launch'
  ];
  return (
    <HTMLSelect
      aria-label={trans.__('Logs shown')}
      value={role}
      options={[
        { value: '', label: trans.__('All logs') },
        ...roles.map(one => ({
          value: one,
          label: roleWord(one, hasScript, trans)
        }))
      ]}
      onChange={event => {
        setRole(event.target.value);
        onRole((event.target.value || undefined) as LogRole | undefined);
      }}
    />
  );
}

function roleWord(
  role: LogRole,
  hasScript: boolean,
  trans: TranslationBundle
): string {
  switch (role) {
    case 'scheduler':
      return trans.__('Scheduler');
    case 'worker':
      return trans.__('Worker');
    case 'allocation':
      return hasScript ? trans.__('Script') : trans.__('Job');
    case 'launch':
      return trans.__('Launch');
  }
}
