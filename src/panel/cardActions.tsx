import * as React from 'react';

import { canForget, canScale, hasEnded, isStoppable } from '../format';
import {
  codeIcon,
  forgetIcon,
  logsIcon,
  scaleIcon,
  stopIcon,
  tilesIcon
} from '../icons';
import { MAIN_GROUP } from '../scaling';
import type { IClusterCardProps } from './cardParts';
import { IconButton } from './controls';

/** What to do next. */
export function Actions(props: IClusterCardProps): JSX.Element {
  const { cluster, actions, trans } = props;
  const { id, state } = cluster;
  return (
    <div className="jp-HPCDask-card-actions">
      {!hasEnded(state) && <Uses {...props} />}
      {/* The logs of an adopted cluster are somebody else's. */}
      {cluster.kind !== 'adopted' && (
        <IconButton
          icon={logsIcon}
          label={trans.__('Logs')}
          onClick={() => actions.showLogs(id)}
        />
      )}
      {canForget(cluster) && (
        <IconButton
          icon={forgetIcon}
          label={trans.__('Forget')}
          onClick={() => actions.forget(id)}
        />
      )}
      {!hasEnded(state) && (
        <IconButton
          icon={stopIcon}
          label={trans.__('Stop')}
          className="jp-HPCDask-stop"
          disabled={!isStoppable(state)}
          onClick={() => actions.stop(id)}
        />
      )}
    </div>
  );
}

/** What can be done with a cluster that lives. */
function Uses(props: IClusterCardProps): JSX.Element {
  const { cluster, actions, editing, trans } = props;
  const { id, state } = cluster;
  const isEditing = editing?.what === 'scale';
  return (
    <>
      <IconButton
        icon={codeIcon}
        label={trans.__('Insert client code')}
        disabled={!isStoppable(state) || !cluster.client_code}
        onClick={() => actions.insertCode(id)}
      />
      <IconButton
        icon={tilesIcon}
        label={trans.__('Dashboards')}
        disabled={!cluster.dashboard_url}
        onClick={() => actions.showDashboards(id)}
      />
      {/* Where there are several groups, each has a button of its own. */}
      {cluster.can_scale && cluster.groups.length < 2 && (
        <IconButton
          icon={scaleIcon}
          label={trans.__('Scale')}
          disabled={!canScale(cluster)}
          pressed={isEditing}
          onClick={() =>
            actions.edit(
              id,
              isEditing ? null : { what: 'scale', group: MAIN_GROUP }
            )
          }
        />
      )}
    </>
  );
}
