import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { IDLE_WARNING, idleWords } from '../clusterWords';
import { formatTime } from '../format';
import { idleIcon } from '../icons';
import { IClusterCardProps, Note } from './cardParts';
import { SmallButton } from './smallButton';
import { useNow } from './times';

/** How long an idle cluster still waits for work, and one click to keep it. */
export function Idle(props: IClusterCardProps): JSX.Element | null {
  const { cluster, actions, trans } = props;
  return cluster.idle_ends_at ? (
    <Countdown
      endsAt={cluster.idle_ends_at}
      trans={trans}
      onKeep={() => actions.keep(cluster.id)}
    />
  ) : null;
}

function Countdown(props: {
  endsAt: string;
  trans: TranslationBundle;
  onKeep: () => void;
}): JSX.Element {
  const { endsAt, trans } = props;
  const now = useNow(endsAt);
  const isSoon = Date.parse(endsAt) - now <= IDLE_WARNING;
  return (
    <Note
      className={`jp-HPCDask-card-idle ${isSoon ? 'jp-mod-warn' : ''}`}
      icon={idleIcon}
      label={trans.__('Idle')}
      text={
        <span
          title={trans.__(
            'Without a client or a task, it stops at %1.',
            formatTime(endsAt, now)
          )}
        >
          {idleWords(endsAt, now, trans)}
        </span>
      }
    >
      <SmallButton
        label={trans.__('Keep')}
        title={trans.__('Do not stop it yet: its idle time begins anew')}
        onClick={props.onKeep}
      />
    </Note>
  );
}
