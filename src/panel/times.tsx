import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { coreHoursWords } from '../clusterWords';
import { formatTime, formatTimeLeft } from '../format';

/** In milliseconds. */
const HOUR = 3_600_000;

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

/** What a cluster has used; it goes on between two answers of the server. */
export function CoreHours(props: {
  hours: number;
  /** How many cores it uses now. */
  cores: number | null;
  trans: TranslationBundle;
}): JSX.Element {
  const { hours, cores, trans } = props;
  return cores ? (
    <CountedHours hours={hours} cores={cores} trans={trans} />
  ) : (
    <Hours hours={hours} trans={trans} />
  );
}

function CountedHours(props: {
  hours: number;
  cores: number;
  trans: TranslationBundle;
}): JSX.Element {
  const { hours, cores, trans } = props;
  const told = React.useMemo(
    () => ({ hours, cores, at: Date.now() }),
    [hours, cores]
  );
  const since = Math.max(0, useNow('') - told.at) / HOUR;
  return <Hours hours={told.hours + told.cores * since} trans={trans} />;
}

/** Not worth a word before there is anything to count. */
function Hours(props: {
  hours: number;
  trans: TranslationBundle;
}): JSX.Element | null {
  const { hours, trans } = props;
  return hours < 0.005 ? null : (
    <span
      className="jp-HPCDask-card-coreHours"
      title={trans.__('Time of use so far, in core-hours')}
    >
      {coreHoursWords(hours, trans)}
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
export function useNow(endsAt: string): number {
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
