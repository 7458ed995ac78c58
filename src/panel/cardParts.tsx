import type { TranslationBundle } from '@jupyterlab/translation';
import { closeIcon, LabIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { ICluster } from '../api/types';
import { unreachableIcon, warningIcon } from '../icons';
import { commandLine } from '../shell';
import { scriptWords } from '../words';
import { IconButton } from './controls';
import { EstimatedStart } from './times';

/** What a card can ask for; each is the act of one command. */
export interface ICardActions {
  select: (id: string) => void;
  showDashboards: (id: string) => void;
  insertCode: (id: string) => void;
  scale: (id: string, workers: number) => void;
  rename: (id: string, name: string) => void;
  showLogs: (id: string) => void;
  stop: (id: string) => void;
  forget: (id: string) => void;
  dismiss: (id: string) => void;
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
  actions: ICardActions;
  trans: TranslationBundle;
}

export type Editing = 'name' | 'workers' | null;

/** What of a card is being edited in place. */
export interface IEditable {
  isEditing: boolean;
  setEditing: (editing: Editing) => void;
}

/** The script, reason, warnings, what could not be reached and what was refused. */
export function Notes(props: IClusterCardProps): JSX.Element {
  const { cluster, refusal, actions, trans } = props;
  return (
    <>
      {!cluster.reachable && (
        <Note
          icon={unreachableIcon}
          label={trans.__('Unreachable')}
          text={trans.__('Cannot be reached: this is what was last known.')}
        />
      )}
      <Script {...props} />
      {cluster.reason && cluster.exit_code !== 0 && (
        <div className="jp-HPCDask-card-reason">{cluster.reason}</div>
      )}
      {cluster.state === 'pending' && cluster.estimated_start && (
        <EstimatedStart start={cluster.estimated_start} trans={trans} />
      )}
      {cluster.warnings.map((warning, index) => (
        <Note
          key={index}
          icon={warningIcon}
          label={trans.__('Warning')}
          text={warning}
        />
      ))}
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

/** The script that the cluster runs, and how it ended: then that is the reason. */
function Script(props: IClusterCardProps): JSX.Element | null {
  const { cluster, trans } = props;
  const { script, exit_code: code } = cluster;
  return script ? (
    <div
      className={`jp-HPCDask-card-script ${code ? 'jp-mod-error' : ''}`}
      title={commandLine(script)}
    >
      {scriptWords(cluster, trans)}
    </div>
  ) : null;
}

/** A sentence behind an icon, which has a name of its own. */
function Note(props: {
  icon: LabIcon;
  label: string;
  text: string;
}): JSX.Element {
  return (
    <div className="jp-HPCDask-card-note">
      <span role="img" aria-label={props.label} title={props.label}>
        <props.icon.react tag={null} width="14px" height="14px" />
      </span>
      <span>{props.text}</span>
    </div>
  );
}
