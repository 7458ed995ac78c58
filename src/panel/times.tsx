import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { formatTime, formatTimeLeft } from '../format';

/**
 * How long a cluster still has: it counts by itself, so that nothing else is
 * drawn again.
 */
export function TimeLeft(props: {
  endsAt: string;
  trans: TranslationBundle;
}): JSX.Element {
  const { endsAt, trans } = props;
  const now = useNow(endsAt);
  return (
    <span
      className="jp-HPCDask-card-time"
      title={trans.__('Until %1', formatTime(endsAt, now))}
    >
      {formatTimeLeft(endsAt, now, trans)}
    </span>
  );
}

/** When a cluster that waits may start. */
export function EstimatedStart(props: {
  start: string;
  trans: TranslationBundle;
}): JSX.Element {
  const { start, trans } = props;
  return (
    <div className="jp-HPCDask-card-reason">
      {trans.__('Starts at about %1.', formatTime(start, Date.now()))}
    </div>
  );
}

/** The time, told anew each second in the last minute, else each 10 s. */
function useNow(endsAt: string): number {
  const [now, setNow] = React.useState(() => Date.now());
  const isLast = Date.parse(endsAt) - now < 60_000;
  React.useEffect(() => {
    const timer = window.setInterval(
      () => setNow(Date.now()),
      isLast ? 1_000 : 10_000
    );
    return () => window.clearInterval(timer);
  }, [endsAt, isLast]);
  return now;
}
