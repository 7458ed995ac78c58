import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { ISize } from '../api/types';
import { formatMemory } from '../format';
import { CUSTOM, sizeValues } from '../workerValues';
import type { IPartProps } from './formProps';

/** The named sizes as cards, and one for any other size. */
export function SizeCards(props: IPartProps): JSX.Element {
  const { site, values, trans, onChange } = props;
  const group = React.useId();
  return (
    <div className="jp-HPCDask-sizes-cards">
      {site.sizes.map(size => (
        <SizeCard
          key={size.name}
          group={group}
          title={size.title || size.name}
          detail={trans._n('%1 worker', '%1 workers', size.workers)}
          hint={hintOf(size, trans)}
          checked={values.size === size.name}
          onCheck={() => onChange(sizeValues(size))}
        />
      ))}
      <SizeCard
        group={group}
        title={trans.__('Custom')}
        detail={trans.__('any size')}
        hint={trans.__('Choose the number of workers, cores and memory')}
        checked={values.size === CUSTOM}
        onCheck={() => onChange({ size: CUSTOM })}
      />
    </div>
  );
}

/** A radio button that looks like a card. */
function SizeCard(props: {
  group: string;
  title: string;
  detail: string;
  hint: string;
  checked: boolean;
  onCheck: () => void;
}): JSX.Element {
  return (
    <label
      className={`jp-HPCDask-size ${props.checked ? 'jp-mod-selected' : ''}`}
      title={props.hint}
    >
      <input
        type="radio"
        name={props.group}
        aria-label={props.title}
        checked={props.checked}
        onChange={props.onCheck}
      />
      <span className="jp-HPCDask-size-title">{props.title}</span>
      <span className="jp-HPCDask-size-detail">{props.detail}</span>
    </label>
  );
}

function hintOf(size: ISize, trans: TranslationBundle): string {
  if (size.gpus) {
    return trans._n(
      '%1 worker with %2, %3 and %4',
      '%1 workers with %2, %3 and %4 each',
      size.workers,
      trans._n('%1 core', '%1 cores', size.cores),
      formatMemory(size.memory),
      trans._n('%1 GPU', '%1 GPUs', size.gpus)
    );
  }
  return trans._n(
    '%1 worker with %2 and %3',
    '%1 workers with %2 and %3 each',
    size.workers,
    trans._n('%1 core', '%1 cores', size.cores),
    formatMemory(size.memory)
  );
}
