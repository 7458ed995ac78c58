import { HTMLSelect } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IGroup } from '../api/types';
import { limitWords, scaleCostWords, scaleProblem } from '../scaleWords';
import {
  isSame,
  IScaleValues,
  scaleValues,
  scalingOf,
  ScalingMode
} from '../scaling';
import type { IClusterCardProps } from './cardParts';
import { SmallButton } from './smallButton';

/**
 * How many workers a group is to have: a number, or bounds between which it
 * follows the work. Enter confirms, Escape cancels.
 */
export function ScaleEditor(
  props: IClusterCardProps & { group: IGroup }
): JSX.Element {
  const { cluster, group, actions, trans } = props;
  const help = React.useId();
  const form = React.useRef<HTMLFormElement>(null);
  React.useEffect(() => {
    // Browsers begin to return a promise, which React would take for a cleanup.
    form.current?.scrollIntoView({ block: 'nearest' });
  }, []);
  const [values, setValues] = React.useState(() => scaleValues(group));
  const [problem, setProblem] = React.useState('');
  const change = (part: Partial<IScaleValues>) => {
    setValues({ ...values, ...part });
    setProblem('');
  };
  const cancel = () => actions.edit(cluster.id, null);
  const confirm = () => {
    const scaling = scalingOf(values);
    const wrong = scaleProblem(scaling, group, cluster.can_grow, trans);
    setProblem(wrong);
    if (scaling && !wrong) {
      cancel();
      if (!isSame(scaling, group.scaling)) {
        actions.scale(cluster.id, group.name, scaling);
      }
    }
  };
  const cost = scaleCostWords(scalingOf(values), group, trans);
  const limit = limitWords(group, cluster.can_grow, trans);
  return (
    <form
      ref={form}
      className="jp-HPCDask-scaleEditor"
      aria-label={trans.__('Scale %1', group.name)}
      noValidate
      onSubmit={event => {
        event.preventDefault();
        confirm();
      }}
      onKeyDown={event => onKey(event, confirm, cancel)}
      onClick={event => event.stopPropagation()}
    >
      <div className="jp-HPCDask-scaleEditor-line">
        {cluster.can_adapt && (
          <ModeChoice mode={values.mode} trans={trans} onChange={change} />
        )}
        <Inputs
          {...{ values, group, trans }}
          canGrow={cluster.can_grow}
          describedBy={help}
          isInvalid={problem !== ''}
          onChange={change}
        />
      </div>
      <div id={help} className="jp-HPCDask-card-help">
        {problem ? (
          <div className="jp-mod-error" role="alert">
            {problem}
          </div>
        ) : (
          <>
            {cost && <div>{cost}</div>}
            {limit && <div>{limit}</div>}
          </>
        )}
      </div>
      <div className="jp-HPCDask-scaleEditor-line">
        <SmallButton
          type="submit"
          className="jp-mod-accept"
          label={trans.__('Apply')}
        />
        <SmallButton label={trans.__('Cancel')} onClick={cancel} />
      </div>
    </form>
  );
}

interface IInputProps {
  values: IScaleValues;
  trans: TranslationBundle;
  onChange: (change: Partial<IScaleValues>) => void;
}

function ModeChoice(props: {
  mode: ScalingMode;
  trans: TranslationBundle;
  onChange: (change: Partial<IScaleValues>) => void;
}): JSX.Element {
  const { mode, trans, onChange } = props;
  return (
    <HTMLSelect
      aria-label={trans.__('Kind of scaling')}
      value={mode}
      options={[
        { value: 'fixed', label: trans.__('Fixed') },
        { value: 'adaptive', label: trans.__('Adaptive') }
      ]}
      onChange={event => onChange({ mode: event.target.value as ScalingMode })}
    />
  );
}

/** One number, or two. */
function Inputs(
  props: IInputProps & {
    group: IGroup;
    canGrow: boolean;
    describedBy: string;
    isInvalid: boolean;
  }
): JSX.Element {
  const { values, group, canGrow, trans } = props;
  const most = canGrow ? group.limits.workers : group.workers.requested;
  const number = (what: 'workers' | 'minimum' | 'maximum', label: string) => (
    <input
      key={what}
      className="jp-mod-styled"
      type="number"
      aria-label={label}
      title={label}
      aria-describedby={props.describedBy}
      aria-invalid={props.isInvalid}
      min={what === 'maximum' ? 1 : 0}
      max={most ?? undefined}
      value={values[what]}
      autoFocus={what !== 'maximum'}
      onFocus={event => event.target.select()}
      onChange={event => props.onChange({ [what]: event.target.value })}
    />
  );
  if (values.mode === 'fixed') {
    return (
      <>
        {number('workers', trans.__('Number of workers'))}
        <span>{trans.__('workers')}</span>
      </>
    );
  }
  return (
    <div className="jp-HPCDask-scaleEditor-bounds">
      {number('minimum', trans.__('Fewest workers'))}
      <span aria-hidden="true">–</span>
      {number('maximum', trans.__('Most workers'))}
    </div>
  );
}

/** What is typed here is not for the card around it. */
function onKey(
  event: React.KeyboardEvent,
  confirm: () => void,
  cancel: () => void
): void {
  event.stopPropagation();
  const isInInput = event.target instanceof HTMLInputElement;
  if (event.key === 'Escape') {
    event.preventDefault();
    cancel();
  } else if (event.key === 'Enter' && isInInput) {
    event.preventDefault();
    confirm();
  }
}
