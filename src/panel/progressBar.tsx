import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IGroup } from '../api/types';
import { workersWords } from '../clusterWords';

/** How far a group is; adaptive ones are as far as the work wants them. */
export function Bar(props: {
  group: IGroup;
  label: string;
  trans: TranslationBundle;
}): JSX.Element {
  const { group, label, trans } = props;
  const { requested, running } = group.workers;
  const share = requested ? Math.min(1, running / requested) : 0;
  return (
    <div
      className="jp-HPCDask-progress"
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={requested}
      aria-valuenow={Math.min(running, requested)}
      aria-valuetext={workersWords(group, trans)}
    >
      <div style={{ width: `${100 * share}%` }} />
    </div>
  );
}
