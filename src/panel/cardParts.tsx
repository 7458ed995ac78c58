import type { TranslationBundle } from '@jupyterlab/translation';
import { closeIcon, LabIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { ICluster } from '../api/types';
import { formatMemory, hasEnded, isScalable, isStoppable } from '../format';
import {
  codeIcon,
  forgetIcon,
  logsIcon,
  scaleIcon,
  stopIcon,
  tilesIcon,
  unreachableIcon,
  warningIcon
} from '../icons';
import { IconButton, InlineEditor } from './controls';
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

/** Reason, warnings, what could not be reached and what was refused. */
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
      {cluster.reason && (
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

/** How many workers are there, of what is asked for; and for how long. */
export function Progress(props: IClusterCardProps & IEditable): JSX.Element {
  const { cluster, actions, trans, isEditing, setEditing } = props;
  const { requested, running } = cluster.workers;
  const words = trans._n(
    '%2 / %1 worker',
    '%2 / %1 workers',
    requested,
    running
  );
  const onConfirm = (value: string) => {
    setEditing(null);
    if (value !== '' && Number(value) !== requested) {
      actions.scale(cluster.id, Number(value));
    }
  };
  return (
    <>
      <div
        className="jp-HPCDask-progress"
        role="progressbar"
        aria-label={trans.__('Workers')}
        aria-valuemin={0}
        aria-valuemax={requested}
        aria-valuenow={Math.min(running, requested)}
        aria-valuetext={words}
      >
        <div
          style={{
            width: `${requested ? Math.min(100, (100 * running) / requested) : 0}%`
          }}
        />
      </div>
      <div className="jp-HPCDask-card-numbers">
        {isEditing && isScalable(cluster.state) ? (
          <span>
            <InlineEditor
              label={trans.__('Number of workers')}
              type="number"
              minimum={0}
              maximum={cluster.limits.workers ?? undefined}
              value={String(requested)}
              onConfirm={onConfirm}
              onCancel={() => setEditing(null)}
            />
            {trans.__('workers')}
          </span>
        ) : (
          <span className="jp-HPCDask-card-workers">{words}</span>
        )}
        <span>{trans._n('%1 core', '%1 cores', cluster.cores)}</span>
        <span>{formatMemory(cluster.memory)}</span>
      </div>
    </>
  );
}

/** What to do next. */
export function Actions(
  props: IClusterCardProps & Pick<IEditable, 'setEditing'>
): JSX.Element {
  const { cluster, actions, trans } = props;
  const { id, state } = cluster;
  const logs = (
    <IconButton
      icon={logsIcon}
      label={trans.__('Logs')}
      onClick={() => actions.showLogs(id)}
    />
  );
  if (hasEnded(state)) {
    return (
      <div className="jp-HPCDask-card-actions">
        {logs}
        <IconButton
          icon={forgetIcon}
          label={trans.__('Forget')}
          onClick={() => actions.forget(id)}
        />
      </div>
    );
  }
  return (
    <div className="jp-HPCDask-card-actions">
      <IconButton
        icon={codeIcon}
        label={trans.__('Insert client code')}
        disabled={!isStoppable(state) || !cluster.client_code}
        onClick={() => actions.insertCode(id)}
      />
      <IconButton
        icon={tilesIcon}
        label={trans.__('Dashboards')}
        disabled={!cluster.dashboard_url}
        onClick={() => actions.showDashboards(id)}
      />
      <IconButton
        icon={scaleIcon}
        label={trans.__('Scale')}
        disabled={!isScalable(state)}
        onClick={() => props.setEditing('workers')}
      />
      {logs}
      <IconButton
        icon={stopIcon}
        label={trans.__('Stop')}
        className="jp-HPCDask-stop"
        disabled={!isStoppable(state)}
        onClick={() => actions.stop(id)}
      />
    </div>
  );
}
