import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { APIError } from '../api/client';
import type { ICluster } from '../api/types';
import { Announcer } from './announcer';
import type { Editing, ICardActions } from './cardParts';
import { ClusterCard } from './clusterCard';
import { ErrorBoundary } from './errorBoundary';
import { SmallButton } from './smallButton';

export interface IClusterListProps {
  clusters: readonly ICluster[];
  selected: string | null;
  /** Why the clusters could not be read, if so. */
  problem: Error | null;
  isLoading: boolean;
  isPlaceholder: (id: string) => boolean;
  refusal: (id: string) => string;
  areWarningsOpen: (id: string) => boolean;
  editing: (id: string) => Editing;
  actions: ICardActions;
  /** Ask which cluster to adopt. */
  onAdopt: () => void;
  trans: TranslationBundle;
}

/**
 * The clusters that matter now; below, folded, those that were stopped. That a
 * script has ended well is for the user to see, as a failure is.
 */
export function ClusterList(props: IClusterListProps): JSX.Element {
  const { clusters, problem, isLoading, trans } = props;
  const isOver = (one: ICluster) =>
    one.state === 'stopped' && one.exit_code !== 0;
  const over = clusters.filter(isOver);
  const current = clusters.filter(one => !isOver(one));
  return (
    <div className="jp-HPCDask-clusterList" onKeyDown={moveFocus}>
      <Announcer
        clusters={clusters.filter(one => !props.isPlaceholder(one.id))}
        isLoading={isLoading}
        trans={trans}
      />
      {problem && (
        <div className="jp-HPCDask-message jp-mod-error" role="alert">
          {problemText(problem, trans)}
        </div>
      )}
      {current.length > 0 && (
        <Cards {...props} clusters={current} label={trans.__('Clusters')} />
      )}
      {!isLoading && !problem && !current.length && (
        <Empty isFirst={!over.length} onAdopt={props.onAdopt} trans={trans} />
      )}
      {over.length > 0 && (
        <details className="jp-HPCDask-ended">
          <summary>
            {trans.__('Ended')}
            <span className="jp-HPCDask-count">{over.length}</span>
          </summary>
          <Cards
            {...props}
            clusters={over}
            label={trans.__('Ended clusters')}
          />
        </details>
      )}
    </div>
  );
}

function Cards(props: IClusterListProps & { label: string }): JSX.Element {
  const { clusters, selected } = props;
  const tabStop = clusters.find(one => one.id === selected) ?? clusters[0];
  return (
    <ul className="jp-HPCDask-cards" aria-label={props.label}>
      {clusters.map(cluster => (
        <ErrorBoundary
          key={cluster.id}
          shown={cluster}
          fallback={words => (
            <BrokenCard cluster={cluster} words={words} trans={props.trans} />
          )}
        >
          <ClusterCard
            cluster={cluster}
            refusal={props.refusal(cluster.id)}
            isSelected={cluster.id === selected}
            isTabStop={cluster === tabStop}
            isPlaceholder={props.isPlaceholder(cluster.id)}
            areWarningsOpen={props.areWarningsOpen(cluster.id)}
            editing={props.editing(cluster.id)}
            actions={props.actions}
            trans={props.trans}
          />
        </ErrorBoundary>
      ))}
    </ul>
  );
}

/** What stands where a card cannot be drawn: the cluster is not affected. */
function BrokenCard(props: {
  cluster: ICluster;
  words: string;
  trans: TranslationBundle;
}): JSX.Element {
  const { cluster, words, trans } = props;
  return (
    <li className="jp-HPCDask-message jp-mod-error" role="alert">
      {trans.__(
        'The cluster “%1” cannot be shown (%2). It is not affected: reload the page, and report this if it happens again.',
        cluster.name || cluster.id,
        words
      )}
    </li>
  );
}

function Empty(props: {
  isFirst: boolean;
  onAdopt: () => void;
  trans: TranslationBundle;
}): JSX.Element {
  const { isFirst, trans } = props;
  return (
    <div className="jp-HPCDask-empty">
      {isFirst ? (
        <>
          <p>{trans.__('No clusters yet.')}</p>
          <p>{trans.__('Choose a size above and click Launch cluster.')}</p>
          <p>
            {trans.__(
              'Its card appears here at once. As soon as it runs, insert its client code into your notebook.'
            )}
          </p>
        </>
      ) : (
        <p>{trans.__('No clusters at the moment.')}</p>
      )}
      <SmallButton
        label={trans.__('Adopt a cluster…')}
        title={trans.__('Adopt a cluster that runs already')}
        onClick={props.onAdopt}
      />
    </div>
  );
}

function problemText(problem: Error, trans: TranslationBundle): string {
  return problem instanceof APIError && problem.status === 404
    ? trans.__(
        'The server extension does not answer. Is hpcdask_ext enabled in this Jupyter server? The command “jupyter server extension list” shows it.'
      )
    : trans.__('The clusters could not be read: %1', problem.message);
}

/** The arrow keys move between the cards. */
function moveFocus(event: React.KeyboardEvent<HTMLElement>): void {
  const isCard =
    event.target instanceof HTMLElement &&
    event.target.classList.contains('jp-HPCDask-card');
  if (!isCard) {
    return;
  }
  const cards = [
    ...event.currentTarget.querySelectorAll<HTMLElement>(
      '.jp-HPCDask-clusterList > ul .jp-HPCDask-card, details[open] .jp-HPCDask-card'
    )
  ];
  const at = cards.indexOf(event.target as HTMLElement);
  const to: { [key: string]: number } = {
    ArrowDown: Math.min(at + 1, cards.length - 1),
    ArrowUp: Math.max(at - 1, 0),
    Home: 0,
    End: cards.length - 1
  };
  const card = cards[to[event.key]];
  if (card) {
    event.preventDefault();
    card.focus();
  }
}
