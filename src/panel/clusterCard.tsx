import * as React from 'react';

import type { ICluster } from '../api/types';
import { hasEnded, isStoppable, stateWord } from '../format';
import { stateIcon } from '../icons';
import { equal } from '../table';
import { Actions } from './cardActions';
import {
  Editing,
  ICardActions,
  IClusterCardProps,
  IEditable,
  Notes
} from './cardParts';
import { Progress } from './cardProgress';
import { Warnings } from './cardWarnings';
import { InlineEditor } from './controls';
import { TimeLeft } from './times';

/** One cluster: what runs, how far it is, how long it has, what to do next. */
function Card(props: IClusterCardProps): JSX.Element {
  const { cluster, actions, trans, isPlaceholder } = props;
  const [editing, setEditing] = React.useState<Editing>(null);
  const { id, state } = cluster;
  const name = cluster.name || trans.__('new cluster');
  const place = placeOf(cluster);
  const classes = [
    'jp-HPCDask-card',
    `jp-mod-${state}`,
    props.isSelected && 'jp-mod-selected',
    !cluster.reachable && 'jp-mod-unreachable'
  ];
  const onKeyDown = (event: React.KeyboardEvent) => {
    if (event.target === event.currentTarget && !isPlaceholder) {
      onCardKey(event, cluster, actions, () => setEditing('name'));
    }
  };
  return (
    <li
      className={classes.filter(Boolean).join(' ')}
      data-cluster-id={isPlaceholder ? undefined : id}
      data-state={state}
      aria-label={trans.__('%1, %2', name, stateWord(state, trans))}
      aria-current={props.isSelected}
      aria-busy={isPlaceholder}
      tabIndex={props.isTabStop ? 0 : -1}
      onClick={() => actions.select(id)}
      onKeyDown={onKeyDown}
    >
      <Head
        {...props}
        name={name}
        isEditing={editing === 'name'}
        setEditing={setEditing}
      />
      <div className="jp-HPCDask-card-line">
        <span className="jp-HPCDask-card-place" title={place}>
          {place}
        </span>
        {cluster.ends_at && !hasEnded(state) && (
          <TimeLeft endsAt={cluster.ends_at} trans={trans} />
        )}
      </div>
      <Notes {...props} />
      {!hasEnded(state) && (
        <Progress
          {...props}
          isEditing={editing === 'workers'}
          setEditing={setEditing}
        />
      )}
      {!isPlaceholder && <Actions {...props} setEditing={setEditing} />}
      <Warnings {...props} />
    </li>
  );
}

/** A card is drawn again only when what it shows differs. */
export const ClusterCard = React.memo(
  Card,
  ({ actions: a, trans: t, ...before }, { actions, trans, ...after }) =>
    a === actions && t === trans && equal(before, after)
);

/** Where it runs, and what; the queue of this machine has no name of its own. */
function placeOf(cluster: ICluster): string {
  const { site, site_title: title, queue, environment } = cluster;
  return [
    title || site,
    queue === site ? '' : queue,
    cluster.environment_title || environment
  ]
    .filter(Boolean)
    .join(' · ');
}

function Head(
  props: IClusterCardProps & IEditable & { name: string }
): JSX.Element {
  const { cluster, actions, trans, name, isEditing, setEditing } = props;
  const icon = stateIcon(cluster.state);
  const onConfirm = (value: string) => {
    setEditing(null);
    const changed = value.trim();
    if (changed && changed !== cluster.name) {
      actions.rename(cluster.id, changed);
    }
  };
  return (
    <div className="jp-HPCDask-card-head">
      <icon.react
        tag="span"
        className="jp-HPCDask-card-stateIcon"
        width="14px"
        height="14px"
      />
      {isEditing ? (
        <InlineEditor
          label={trans.__('Name of the cluster')}
          value={cluster.name}
          onConfirm={onConfirm}
          onCancel={() => setEditing(null)}
        />
      ) : (
        <span
          className="jp-HPCDask-card-name"
          title={trans.__('%1 (double-click to rename)', name)}
          onDoubleClick={() => !props.isPlaceholder && setEditing('name')}
        >
          {name}
        </span>
      )}
      <span className="jp-HPCDask-card-state">
        {stateWord(cluster.state, trans)}
      </span>
    </div>
  );
}

/** Enter opens, the space bar selects, Delete stops or forgets, F2 renames. */
function onCardKey(
  event: React.KeyboardEvent,
  cluster: ICluster,
  actions: ICardActions,
  rename: () => void
): void {
  const { id, state } = cluster;
  const acts: { [key: string]: () => void } = {
    Enter: () =>
      cluster.dashboard_url ? actions.showDashboards(id) : actions.select(id),
    ' ': () => actions.select(id),
    Delete: () => {
      if (hasEnded(state)) {
        actions.forget(id);
      } else if (isStoppable(state)) {
        actions.stop(id);
      }
    },
    F2: rename
  };
  const act = acts[event.key];
  if (act) {
    event.preventDefault();
    event.stopPropagation();
    act();
  }
}
