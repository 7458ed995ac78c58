import * as React from 'react';

import { formatMemory, isScalable } from '../format';
import { layoutHelp } from '../words';
import type { IClusterCardProps, IEditable } from './cardParts';
import { InlineEditor } from './controls';

/** How many workers are there, of what is asked for; and for how long. */
export function Progress(props: IClusterCardProps & IEditable): JSX.Element {
  const { cluster, trans, isEditing } = props;
  const { requested, running } = cluster.workers;
  const words = trans._n(
    '%2 / %1 worker',
    '%2 / %1 workers',
    requested,
    running
  );
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
          <ScaleEditor {...props} />
        ) : (
          <>
            <span className="jp-HPCDask-card-workers">{words}</span>
            <Totals {...props} />
          </>
        )}
      </div>
    </>
  );
}

/** What all workers have together; while their number is edited, it is moot. */
function Totals(props: IClusterCardProps): JSX.Element {
  const { cluster, trans } = props;
  return (
    <>
      <span>{trans._n('%1 core', '%1 cores', cluster.cores)}</span>
      <span>{formatMemory(cluster.memory)}</span>
      {cluster.gpus > 0 && (
        <span>{trans._n('%1 GPU', '%1 GPUs', cluster.gpus)}</span>
      )}
      {cluster.layout === 'allocation' && (
        <span title={layoutHelp(cluster.layout, trans)}>
          {trans.__('in one job')}
        </span>
      )}
    </>
  );
}

/** The number of workers, to be changed; what cannot grow says so. */
function ScaleEditor(props: IClusterCardProps & IEditable): JSX.Element {
  const { cluster, actions, trans, setEditing } = props;
  const id = React.useId();
  const [isTooMany, setTooMany] = React.useState(false);
  const { requested } = cluster.workers;
  const onConfirm = (value: string) => {
    const workers = Number(value);
    if (!cluster.can_grow && workers > requested) {
      setTooMany(true);
      return;
    }
    setEditing(null);
    if (value !== '' && workers !== requested) {
      actions.scale(cluster.id, workers);
    }
  };
  const most = cluster.can_grow ? cluster.limits.workers : requested;
  return (
    <>
      <span>
        <InlineEditor
          label={trans.__('Number of workers')}
          describedBy={cluster.can_grow ? undefined : id}
          isInvalid={isTooMany}
          type="number"
          minimum={0}
          maximum={most ?? undefined}
          value={String(requested)}
          onConfirm={onConfirm}
          onCancel={() => setEditing(null)}
        />
        {trans.__('workers')}
      </span>
      {!cluster.can_grow && (
        <div
          id={id}
          className={`jp-HPCDask-card-help ${isTooMany ? 'jp-mod-error' : ''}`}
          role={isTooMany ? 'alert' : undefined}
        >
          {trans._n(
            'At most %1 worker: a cluster in one job can shrink, not grow.',
            'At most %1 workers: a cluster in one job can shrink, not grow.',
            requested
          )}
        </div>
      )}
    </>
  );
}
