import * as React from 'react';

import { allWorkersWords } from '../clusterWords';
import { canScale, formatMemory, hasEnded } from '../format';
import { groupsOf } from '../scaling';
import { layoutHelp } from '../words';
import { Groups } from './cardGroups';
import type { IClusterCardProps } from './cardParts';
import { Bar } from './progressBar';
import { ScaleEditor } from './scaleEditor';
import { CoreHours } from './times';

/** How many workers are there, of what is asked for, and what they use. */
export function Progress(props: IClusterCardProps): JSX.Element | null {
  const { cluster, editing, trans } = props;
  const groups = groupsOf(cluster);
  const [main] = groups;
  const isEditing = editing?.what === 'scale' && canScale(cluster);
  if (hasEnded(cluster.state)) {
    return <Used {...props} />;
  }
  if (groups.length > 1) {
    return (
      <>
        <Numbers {...props} />
        <Groups {...props} groups={groups} />
      </>
    );
  }
  return (
    <>
      {/* Nobody has asked us for the workers of an adopted cluster. */}
      {cluster.kind !== 'adopted' && (
        <Bar group={main} label={trans.__('Workers')} trans={trans} />
      )}
      {isEditing ? (
        <ScaleEditor {...props} group={main} />
      ) : (
        <Numbers {...props} />
      )}
    </>
  );
}

/** What all workers have together, and have used. */
function Numbers(props: IClusterCardProps): JSX.Element {
  const { cluster, trans } = props;
  return (
    <div className="jp-HPCDask-card-numbers">
      <span className="jp-HPCDask-card-workers">
        {allWorkersWords(cluster, trans)}
      </span>
      {cluster.cores > 0 && (
        <span>{trans._n('%1 core', '%1 cores', cluster.cores)}</span>
      )}
      {cluster.memory > 0 && <span>{formatMemory(cluster.memory)}</span>}
      {cluster.gpus > 0 && (
        <span>{trans._n('%1 GPU', '%1 GPUs', cluster.gpus)}</span>
      )}
      <Hours {...props} />
      {cluster.layout === 'allocation' && (
        <span title={layoutHelp(cluster.layout, trans)}>
          {trans.__('in one job')}
        </span>
      )}
    </div>
  );
}

/** What a cluster that has ended has used. */
function Used(props: IClusterCardProps): JSX.Element | null {
  return props.cluster.core_hours === null ? null : (
    <div className="jp-HPCDask-card-numbers">
      <Hours {...props} />
    </div>
  );
}

function Hours({ cluster, trans }: IClusterCardProps): JSX.Element | null {
  const { core_hours: hours, cores_running: cores } = cluster;
  return hours === null ? null : (
    <CoreHours
      hours={hours}
      cores={hasEnded(cluster.state) ? null : cores}
      trans={trans}
    />
  );
}
