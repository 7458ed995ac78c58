import * as React from 'react';

import { hasEnded, isScalable, isStoppable } from '../format';
import {
  codeIcon,
  forgetIcon,
  logsIcon,
  scaleIcon,
  stopIcon,
  tilesIcon
} from '../icons';
import type { IClusterCardProps, IEditable } from './cardParts';
import { IconButton } from './controls';

/** What to do next. */
export function Actions(
  props: IClusterCardProps & Pick<IEditable, 'setEditing'>
): JSX.Element {
  const { cluster, actions, trans } = props;
  const { id, state } = cluster;
  const logs = (
    <IconButton
      icon={logsIcon}
      label={trans.__('Logs')}
      onClick={() => actions.showLogs(id)}
    />
  );
  if (hasEnded(state)) {
    return (
      <div className="jp-HPCDask-card-actions">
        {logs}
        <IconButton
          icon={forgetIcon}
          label={trans.__('Forget')}
          onClick={() => actions.forget(id)}
        />
      </div>
    );
  }
  return (
    <div className="jp-HPCDask-card-actions">
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
      <IconButton
        icon={scaleIcon}
        label={trans.__('Scale')}
        disabled={!isScalable(state)}
        onClick={() => props.setEditing('workers')}
      />
      {logs}
      <IconButton
        icon={stopIcon}
        label={trans.__('Stop')}
        className="jp-HPCDask-stop"
        disabled={!isStoppable(state)}
        onClick={() => actions.stop(id)}
      />
    </div>
  );
}
