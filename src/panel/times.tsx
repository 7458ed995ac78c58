import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { ICluster } from '../api/types';
import { formatTime, formatTimeLeft } from '../format';

/**
 * How long a cluster still has, or when it may start: it counts by itself,
 * so that nothing else is drawn again.
 */
export function Times(props: {
  cluster: ICluster;
  trans: TranslationBundle;
}): JSX.Element | null {
  const { cluster, trans } = props;
  const { ends_at: endsAt, estimated_start: start } = cluster;
  const now = useNow(endsAt);
  if (endsAt) {
    return (
      <span
        className="jp-HPCDask-card-time"
        title={trans.__('Until %1', formatTime(endsAt, now))}
      >
        {formatTimeLeft(endsAt, now, trans)}
      </span>
    );
  }
  return start && cluster.state === 'pending' ? (
    <span className="jp-HPCDask-card-time">
      {trans.__('about %1', formatTime(start, now))}
    </span>
  ) : null;
}

/** The time, told anew each second in the last minute, else each 10 s. */
function useNow(endsAt: string | null): number {
  const [now, setNow] = React.useState(() => Date.now());
  const isLast = endsAt !== null && Date.parse(endsAt) - now < 60_000;
  React.useEffect(() => {
    if (endsAt === null) {
      return undefined;
    }
    const timer = window.setInterval(
      () => setNow(Date.now()),
      isLast ? 1_000 : 10_000
    );
    return () => window.clearInterval(timer);
  }, [endsAt, isLast]);
  return now;
}
