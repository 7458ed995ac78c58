import * as React from 'react';

import type { IGroup } from '../api/types';
import { shortWorkersWords, workersWords } from '../clusterWords';
import { canScale } from '../format';
import { scaleIcon } from '../icons';
import type { IClusterCardProps } from './cardParts';
import { IconButton } from './controls';
import { Bar } from './progressBar';
import { ScaleEditor } from './scaleEditor';

/** The workers of a cluster by kind, each to be scaled by itself. */
export function Groups(
  props: IClusterCardProps & { groups: readonly IGroup[] }
): JSX.Element {
  const { groups, trans } = props;
  return (
    <ul
      className="jp-HPCDask-groups"
      aria-label={trans.__('Groups of workers')}
    >
      {groups.map(group => (
        <Group key={group.name} {...props} group={group} />
      ))}
    </ul>
  );
}

function Group(props: IClusterCardProps & { group: IGroup }): JSX.Element {
  const { cluster, group, actions, editing, trans } = props;
  const { name } = group;
  const isEditing =
    editing?.what === 'scale' && editing.group === name && canScale(cluster);
  return (
    <li className="jp-HPCDask-group" data-group={name}>
      <div className="jp-HPCDask-group-line">
        <span className="jp-HPCDask-group-name" title={name}>
          {name}
        </span>
        <span className="jp-HPCDask-group-queue" title={group.queue}>
          {group.queue}
        </span>
        <span
          className="jp-HPCDask-card-workers"
          title={workersWords(group, trans)}
        >
          {shortWorkersWords(group, trans)}
        </span>
        {cluster.can_scale && (
          <IconButton
            icon={scaleIcon}
            label={trans.__('Scale %1', name)}
            disabled={!canScale(cluster)}
            pressed={isEditing}
            onClick={() =>
              actions.edit(
                cluster.id,
                isEditing ? null : { what: 'scale', group: name }
              )
            }
          />
        )}
      </div>
      <Bar
        group={group}
        label={trans.__('Workers of the group %1', name)}
        trans={trans}
      />
      {isEditing && <ScaleEditor {...props} group={group} />}
    </li>
  );
}
