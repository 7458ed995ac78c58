import { HTMLSelect } from '@jupyterlab/ui-components';
import * as React from 'react';

import { Field } from './controls';
import type { IPartProps } from './formProps';

/** The environment of the scheduler and the workers. */
export function EnvironmentField(props: IPartProps): JSX.Element {
  const { site, values, errors, trans } = props;
  return (
    <Field
      label={trans.__('Environment')}
      field="environment"
      errors={errors}
      hint={trans.__('The Python environment of the scheduler and the workers')}
    >
      {control => (
        <HTMLSelect
          {...control}
          value={values.environment}
          options={site.environments.map(one => ({
            value: one.name,
            label: one.title || one.name
          }))}
          onChange={event =>
            props.onChange({ environment: event.target.value, image: '' })
          }
        />
      )}
    </Field>
  );
}
