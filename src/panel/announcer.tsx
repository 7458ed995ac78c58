import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { ICluster } from '../api/types';
import { stateWord } from '../format';

/**
 * Tells screen readers when a cluster comes into another state, or for
 * another reason; worker counts and times go by in silence.
 *
 * It is one region for all cards: a card that moves to the ended ones is
 * drawn anew and folded away, so its own would not be heard.
 */
export function Announcer(props: {
  clusters: readonly ICluster[];
  /** What is there after loading is no change. */
  isLoading: boolean;
  trans: TranslationBundle;
}): JSX.Element {
  const { clusters, isLoading, trans } = props;
  const before = React.useRef<ReadonlyMap<string, string> | null>(null);
  const [changes, setChanges] = React.useState<readonly string[]>([]);
  React.useEffect(() => {
    if (isLoading) {
      return;
    }
    const now = new Map(clusters.map(one => [one.id, conditionOf(one, trans)]));
    const known = before.current ?? now;
    const changed = [...now].filter(([id, text]) => known.get(id) !== text);
    before.current = now;
    if (changed.length) {
      setChanges(changed.map(([, text]) => text));
    }
  }, [clusters, isLoading, trans]);
  return (
    <div className="jp-HPCDask-hidden" role="status" aria-live="polite">
      {changes.map((text, index) => (
        <div key={index}>{text}</div>
      ))}
    </div>
  );
}

function conditionOf(cluster: ICluster, trans: TranslationBundle): string {
  const { name, state, reason } = cluster;
  const word = stateWord(state, trans);
  return reason
    ? trans.__('%1: %2. %3', name, word, reason)
    : trans.__('%1: %2', name, word);
}
