import { closeIcon, HTMLSelect } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { GroupValues } from '../groupValues';
import { CUSTOM, namedSize, sizeValues, walltimeOf } from '../workerValues';
import { workerChoices } from './choices';
import { Field, IconButton } from './controls';
import { CustomSize, WorkersPerJob } from './customSize';
import type { IWorkersProps } from './formProps';
import { QueueField } from './queueField';
import { ScalingField } from './scalingField';
import { TextField } from './textField';

export interface IGroupProps extends IWorkersProps<GroupValues> {
  /** Whether it was just added, and gets the focus. */
  isNew: boolean;
  onRemove: () => void;
}

/** Workers of another kind: where they run, what they have, how many. */
export function GroupField(props: IGroupProps): JSX.Element {
  const { site, values, errors, prefix, trans, onChange } = props;
  const name = values.name.trim();
  return (
    <fieldset className="jp-HPCDask-groupField" data-group={name}>
      <legend className="jp-HPCDask-hidden">
        {trans.__('Workers: %1', name)}
      </legend>
      <div className="jp-HPCDask-groupField-head">
        <span aria-hidden="true">{trans.__('Workers: %1', name)}</span>
        <IconButton
          icon={closeIcon}
          label={trans.__('Remove the workers: %1', name)}
          onClick={props.onRemove}
        />
      </div>
      <TextField
        label={trans.__('Name')}
        field={`${prefix}name`}
        errors={errors}
        hint={trans.__('Tasks that ask for a resource of this name run here')}
        value={values.name}
        autoFocus={props.isNew}
        onValue={changed => onChange({ name: changed })}
      />
      <QueueField {...props} />
      <SizeSelect {...props} />
      {values.size === CUSTOM && (
        <>
          <CustomSize {...props} asksWorkers={false} />
          <WorkersPerJob {...props} />
        </>
      )}
      <ScalingField {...props} asksFixed />
      <TextField
        label={trans.__('Walltime')}
        field={`${prefix}walltime`}
        errors={errors}
        hint={trans.__('How long these workers may run: HH:MM:SS')}
        placeholder={walltimeOf(site, values) ?? trans.__('no limit')}
        value={values.walltime}
        onValue={walltime => onChange({ walltime })}
      />
      <ResourcesField {...props} />
    </fieldset>
  );
}

function SizeSelect(props: IGroupProps): JSX.Element {
  const { site, values, errors, prefix, trans, onChange } = props;
  const field = `${prefix}size`;
  const isNamed = namedSize(site, values) !== undefined;
  const parts = ['cores', 'memory', 'gpus'].map(one => `${field}.${one}`);
  return (
    <Field
      label={trans.__('Size')}
      field={field}
      errors={errors.map(one =>
        isNamed && parts.includes(one.field) ? { ...one, field } : one
      )}
      hint={trans.__('What each of these workers has')}
    >
      {control => (
        <HTMLSelect
          {...control}
          value={values.size}
          options={workerChoices(site, trans)}
          onChange={event => {
            const { value } = event.target;
            const size = namedSize(site, { size: value });
            onChange(size ? sizeValues(size) : { size: CUSTOM });
          }}
        />
      )}
    </Field>
  );
}

/** What Dask knows of these workers besides their cores and memory. */
function ResourcesField(props: IGroupProps): JSX.Element {
  const { values, errors, prefix, trans, onChange } = props;
  const field = `${prefix}resources`;
  return (
    <TextField
      label={trans.__('Resources')}
      field={field}
      errors={errors.map(one =>
        one.field.startsWith(`${field}.`) ? { ...one, field } : one
      )}
      hint={trans.__(
        'Dask resources that each of these workers offers, for example GPU=1'
      )}
      placeholder={trans.__('such as GPU=1')}
      value={values.resources}
      onValue={resources => onChange({ resources })}
    />
  );
}
