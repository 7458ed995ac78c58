import * as React from 'react';

import type { ICluster } from '../api/types';
import { placeWords } from '../clusterWords';
import { hasEnded, isStoppable, stateWord } from '../format';
import { stateIcon } from '../icons';
import { equal } from '../table';
import { Actions } from './cardActions';
import { Idle } from './cardIdle';
import { Editing, ICardActions, IClusterCardProps, Notes } from './cardParts';
import { Progress } from './cardProgress';
import { Warnings } from './cardWarnings';
import { InlineEditor } from './controls';
import { TimeLeft } from './times';

/** One cluster: what runs, how far it is, how long it has, what to do next. */
function Card(props: IClusterCardProps): JSX.Element {
  const { cluster, actions, trans, isPlaceholder, editing } = props;
  const card = useFocusAfter(editing);
  const { id, state } = cluster;
  const name = cluster.name || trans.__('new cluster');
  const place = placeWords(cluster, trans);
  const classes = [
    'jp-HPCDask-card',
    `jp-mod-${state}`,
    props.isSelected && 'jp-mod-selected',
    !cluster.reachable && 'jp-mod-unreachable'
  ];
  const onKeyDown = (event: React.KeyboardEvent) => {
    if (event.target === event.currentTarget && !isPlaceholder) {
      onCardKey(event, cluster, actions);
    }
  };
  return (
    <li
      ref={card}
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
      <Head {...props} name={name} />
      <div className="jp-HPCDask-card-line">
        <span
          className="jp-HPCDask-card-place"
          title={cluster.kind === 'adopted' ? addressOf(cluster) : place}
        >
          {place}
        </span>
        {cluster.ends_at && !hasEnded(state) && (
          <TimeLeft endsAt={cluster.ends_at} trans={trans} />
        )}
      </div>
      <Notes {...props} />
      <Idle {...props} />
      <Progress {...props} />
      {!isPlaceholder && <Actions {...props} />}
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

/** The card, which gets the focus that is left by what was edited in it. */
function useFocusAfter(editing: Editing): React.RefObject<HTMLLIElement> {
  const card = React.useRef<HTMLLIElement>(null);
  const before = React.useRef(editing);
  React.useEffect(() => {
    const isOver = before.current && !editing;
    before.current = editing;
    if (!isOver) {
      return;
    }
    // A click elsewhere has put the focus there by then.
    const timer = window.setTimeout(() => {
      if (document.activeElement === document.body) {
        card.current?.focus({ preventScroll: true });
      }
    });
    return () => window.clearTimeout(timer);
  }, [editing]);
  return card;
}

/** Where the scheduler of an adopted cluster is: that is all of its place. */
function addressOf(cluster: ICluster): string | undefined {
  return cluster.scheduler.address ?? undefined;
}

function Head(props: IClusterCardProps & { name: string }): JSX.Element {
  const { cluster, actions, trans, name, editing } = props;
  const icon = stateIcon(cluster.state);
  const onConfirm = (value: string) => {
    actions.edit(cluster.id, null);
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
      {editing?.what === 'name' ? (
        <InlineEditor
          label={trans.__('Name of the cluster')}
          value={cluster.name}
          onConfirm={onConfirm}
          onCancel={() => actions.edit(cluster.id, null)}
        />
      ) : (
        <span
          className="jp-HPCDask-card-name"
          title={trans.__('%1 (double-click to rename)', name)}
          onDoubleClick={() =>
            !props.isPlaceholder && actions.edit(cluster.id, { what: 'name' })
          }
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
  actions: ICardActions
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
    F2: () => actions.edit(id, { what: 'name' })
  };
  const act = acts[event.key];
  if (act) {
    event.preventDefault();
    event.stopPropagation();
    act();
  }
}
