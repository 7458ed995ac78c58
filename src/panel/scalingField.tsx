import type { TranslationBundle } from '@jupyterlab/translation';
import { HTMLSelect } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { Scaling } from '../api/types';
import { hasSizes, limitsOf } from '../workerValues';
import { errorsAt, Field } from './controls';
import type { IWorkersProps } from './formProps';
import { TextField } from './textField';

export interface IScalingProps extends IWorkersProps {
  /** Whether a fixed number is asked for here, and not with a size. */
  asksFixed: boolean;
  /** What else changes with the kind of scaling. */
  others?: { [mode in Scaling['mode']]?: { workers: string } };
}

/** How many workers: a fixed number, or bounds for one that adapts. */
export function ScalingField(props: IScalingProps): JSX.Element {
  const { values, errors, prefix, trans, asksFixed } = props;
  const isAdaptive = values.scaling === 'adaptive';
  const field = `${prefix}scaling`;
  return (
    <>
      <Field
        label={trans.__('Scaling')}
        field={field}
        errors={errorsAt(errors, field, `${field}.mode`)}
        help={
          isAdaptive
            ? trans.__(
                'Workers come when there is work for them, and go when there is none.'
              )
            : undefined
        }
      >
        {control => (
          <HTMLSelect
            {...control}
            value={values.scaling}
            options={[
              { value: 'fixed', label: trans.__('Fixed') },
              { value: 'adaptive', label: trans.__('Adaptive') }
            ]}
            onChange={event => {
              const scaling = event.target.value as Scaling['mode'];
              props.onChange({ scaling, ...props.others?.[scaling] });
            }}
          />
        )}
      </Field>
      {isAdaptive ? (
        <Bounds {...props} />
      ) : (
        asksFixed && <FixedNumber {...props} />
      )}
    </>
  );
}

/** A fixed number of workers, which may be none where the work comes later. */
function FixedNumber(props: IScalingProps): JSX.Element {
  const { site, values, errors, prefix, trans, onChange } = props;
  const limit = limitsOf(site, values).workers;
  const field = `${prefix}scaling.workers`;
  return (
    <TextField
      label={trans.__('Workers')}
      field={field}
      errors={errorsAt(errors, field, `${prefix}size.workers`)}
      hint={limitHint(props, trans)}
      minimum={0}
      maximum={limit}
      value={values.workers}
      onValue={workers => onChange({ workers })}
    />
  );
}

function Bounds(props: IScalingProps): JSX.Element {
  const { site, values, errors, prefix, trans, onChange } = props;
  const limit = limitsOf(site, values).workers;
  const maximum = `${prefix}scaling.maximum`;
  // However the server calls it, it is the largest number that is too large.
  const others = [`${prefix}scaling.workers`, `${prefix}size.workers`];
  return (
    <>
      <TextField
        label={trans.__('Minimum')}
        field={`${prefix}scaling.minimum`}
        errors={errors}
        hint={trans.__('Workers that stay even if there is no work')}
        minimum={0}
        maximum={limit}
        value={values.minimum}
        onValue={minimum => onChange({ minimum })}
      />
      <TextField
        label={trans.__('Maximum')}
        field={maximum}
        errors={errorsAt(errors, maximum, ...others)}
        hint={limitHint(props, trans)}
        minimum={1}
        maximum={limit}
        value={values.workers}
        onValue={workers => onChange({ workers })}
      />
    </>
  );
}

function limitHint(
  { site, values }: IScalingProps,
  trans: TranslationBundle
): string | undefined {
  const limit = limitsOf(site, values).workers;
  if (!limit) {
    return undefined;
  }
  return hasSizes(site)
    ? trans.__('At most %1 in this queue', limit)
    : trans.__('At most %1 at this site', limit);
}
