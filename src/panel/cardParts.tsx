import type { TranslationBundle } from '@jupyterlab/translation';
import { closeIcon, LabIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { ICluster, Scaling } from '../api/types';
import { forgetHelp } from '../clusterWords';
import { formatTime, hasEnded } from '../format';
import { unreachableIcon } from '../icons';
import { commandLine } from '../shell';
import { scriptWords } from '../words';
import { IconButton } from './controls';
import { SmallButton } from './smallButton';
import { EstimatedStart } from './times';

/** What of a card is edited in place: its name, or the number of workers. */
export type Editing =
  { what: 'name' } | { what: 'scale'; group: string } | null;

/** What a card can ask for; each is the act of one command. */
export interface ICardActions {
  select: (id: string) => void;
  showDashboards: (id: string) => void;
  insertCode: (id: string) => void;
  scale: (id: string, group: string, scaling: Scaling) => void;
  keep: (id: string) => void;
  rename: (id: string, name: string) => void;
  showLogs: (id: string) => void;
  stop: (id: string) => void;
  forget: (id: string) => void;
  dismiss: (id: string) => void;
  /** Open the warnings of a card, or fold them. */
  showWarnings: (id: string, isOpen: boolean) => void;
  /** Edit something of a card in place, or end that. */
  edit: (id: string, editing: Editing) => void;
}

export interface IClusterCardProps {
  cluster: ICluster;
  /** Why the last act was refused. */
  refusal: string;
  isSelected: boolean;
  /** Whether the tab key comes here: it does to one card of the list. */
  isTabStop: boolean;
  /** Whether the server has not answered the launch. */
  isPlaceholder: boolean;
  areWarningsOpen: boolean;
  editing: Editing;
  actions: ICardActions;
  trans: TranslationBundle;
}

/** The script, the reason, what could not be reached and what was refused. */
export function Notes(props: IClusterCardProps): JSX.Element {
  const { cluster, refusal, actions, trans } = props;
  return (
    <>
      {!cluster.reachable && <Unreachable {...props} />}
      <Script {...props} />
      {cluster.reason && !isOfScript(cluster) && (
        <div className="jp-HPCDask-card-reason">{cluster.reason}</div>
      )}
      {cluster.state === 'pending' && cluster.estimated_start && (
        <EstimatedStart start={cluster.estimated_start} trans={trans} />
      )}
      {refusal && (
        <div className="jp-HPCDask-message jp-mod-error" role="alert">
          <span>{refusal}</span>
          <IconButton
            icon={closeIcon}
            label={trans.__('Dismiss')}
            onClick={() => actions.dismiss(cluster.id)}
          />
        </div>
      )}
    </>
  );
}

/**
 * Whether a reason says no more, or the same and what to do, as our own words
 * about the script: that it has ended with this exit code.
 */
function isOfScript(cluster: ICluster): boolean {
  const { exit_code: code, reason } = cluster;
  return code === 0 || new RegExp(`\\bexit code ${code}\\b`).test(reason);
}

/** The script that the cluster runs, and how it ended: told once. */
function Script(props: IClusterCardProps): JSX.Element | null {
  const { cluster, trans } = props;
  const { script, exit_code: code, reason } = cluster;
  return script ? (
    <div
      className={`jp-HPCDask-card-script ${code ? 'jp-mod-error' : ''}`}
      title={commandLine(script)}
    >
      {code && isOfScript(cluster) ? reason : scriptWords(cluster, trans)}
    </div>
  ) : null;
}

/** Since when it cannot be reached; what is somebody else's may be forgotten. */
function Unreachable(props: IClusterCardProps): JSX.Element {
  const { cluster, actions, trans } = props;
  const { id, unreachable_since: since } = cluster;
  return (
    <Note
      icon={unreachableIcon}
      label={trans.__('Unreachable')}
      text={
        since
          ? trans.__(
              'Cannot be reached since %1: this is what was last known.',
              formatTime(since, Date.now())
            )
          : trans.__('Cannot be reached: this is what was last known.')
      }
    >
      {cluster.can_forget && !hasEnded(cluster.state) && (
        <SmallButton
          label={trans.__('Forget')}
          title={forgetHelp(cluster, trans)}
          onClick={() => actions.forget(id)}
        />
      )}
    </Note>
  );
}

/** A sentence behind an icon with a name of its own, and what can be done. */
export function Note(props: {
  icon: LabIcon;
  label: string;
  text: React.ReactNode;
  className?: string;
  children?: React.ReactNode;
}): JSX.Element {
  return (
    <div className={`jp-HPCDask-card-note ${props.className ?? ''}`}>
      <span role="img" aria-label={props.label} title={props.label}>
        <props.icon.react tag={null} width="14px" height="14px" />
      </span>
      <span>{props.text}</span>
      {props.children}
    </div>
  );
}
