import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { formatMemory, formatWalltime } from '../format';
import type { ITotals } from '../totals';

/** What the launch asks for altogether, while it is being typed. */
export function Totals(props: {
  totals: ITotals;
  trans: TranslationBundle;
}): JSX.Element {
  const { totals, trans } = props;
  const { workers, least, cores, memory, gpus, walltime } = totals;
  const adapts = workers !== null && least !== null && least < workers;
  const parts = [
    adapts && trans.__('%1–%2 workers', least, workers),
    !adapts && workers !== null && trans._n('%1 worker', '%1 workers', workers),
    cores !== null && coreWords(cores, adapts, trans),
    memory !== null && formatMemory(memory),
    gpus !== null && gpus > 0 && trans._n('%1 GPU', '%1 GPUs', gpus),
    walltime !== null && formatWalltime(walltime, trans)
  ].filter(part => part !== false);
  return (
    <output className="jp-HPCDask-totals" aria-label={trans.__('Total')}>
      {parts.map((part, index) => (
        // A line ends between parts, not within one.
        <React.Fragment key={index}>
          {index > 0 && ' · '}
          <span>{part}</span>
        </React.Fragment>
      ))}
    </output>
  );
}

function coreWords(
  cores: number,
  adapts: boolean,
  trans: TranslationBundle
): string {
  return adapts
    ? trans._n('at most %1 core', 'at most %1 cores', cores)
    : trans._n('%1 core', '%1 cores', cores);
}
