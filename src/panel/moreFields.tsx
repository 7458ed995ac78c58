import { HTMLSelect } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { ISiteOption, OptionValue } from '../api/types';
import { CUSTOM, walltimeOf } from '../launch';
import { Field, IPartProps } from './controls';

/** The fields below More, but for the site's own options. */
export const MORE_FIELDS = [
  'account',
  'walltime',
  'name',
  'layout',
  'size.workers_per_job'
];

/** What is seldom asked: it opens by itself if something in it is wrong. */
export function MoreFields(props: IPartProps): JSX.Element {
  const { site, values, errors, trans } = props;
  const [isOpen, setOpen] = React.useState(false);
  React.useEffect(() => {
    const isMine = (field: string) =>
      MORE_FIELDS.includes(field) || field.startsWith('options.');
    if (errors.some(error => isMine(error.field))) {
      setOpen(true);
    }
  }, [errors]);
  return (
    <details
      className="jp-HPCDask-more"
      open={isOpen}
      onToggle={event => setOpen(event.currentTarget.open)}
    >
      <summary>{trans.__('More')}</summary>
      <TextField
        {...props}
        name="name"
        label={trans.__('Name')}
        placeholder={trans.__('chosen for you')}
      />
      {site.batch_system !== 'local' && <AccountField {...props} />}
      <TextField
        {...props}
        name="walltime"
        label={trans.__('Walltime')}
        hint={trans.__('How long the cluster may run: HH:MM:SS')}
        placeholder={walltimeOf(site, values.size) ?? trans.__('no limit')}
      />
      {site.layouts.length > 1 && <LayoutField {...props} />}
      {values.size === CUSTOM && (
        <TextField
          {...props}
          name="workersPerJob"
          field="size.workers_per_job"
          label={trans.__('Workers per job')}
        />
      )}
      {site.options.map(option => (
        <OptionField key={option.name} option={option} {...props} />
      ))}
    </details>
  );
}

function TextField(
  props: IPartProps & {
    name: 'name' | 'walltime' | 'workersPerJob' | 'account';
    label: string;
    field?: string;
    hint?: string;
    placeholder?: string;
  }
): JSX.Element {
  const { name, values, errors, onChange } = props;
  return (
    <Field
      label={props.label}
      field={props.field ?? name}
      errors={errors}
      hint={props.hint}
    >
      {control => (
        <input
          {...control}
          className="jp-mod-styled"
          type="text"
          spellCheck={false}
          placeholder={props.placeholder}
          value={values[name]}
          onChange={event => onChange({ [name]: event.target.value })}
        />
      )}
    </Field>
  );
}

/** The accounts of the site to choose from, or any to type. */
function AccountField(props: IPartProps): JSX.Element {
  const { site, values, errors, trans, onChange } = props;
  const label = trans.__('Account');
  if (!site.accounts.length) {
    return <TextField {...props} name="account" label={label} />;
  }
  return (
    <Field label={label} field="account" errors={errors}>
      {control => (
        <HTMLSelect
          {...control}
          value={values.account}
          options={values.account ? site.accounts : ['', ...site.accounts]}
          onChange={event => onChange({ account: event.target.value })}
        />
      )}
    </Field>
  );
}

function LayoutField(props: IPartProps): JSX.Element {
  const { site, values, errors, trans, onChange } = props;
  return (
    <Field label={trans.__('Layout')} field="layout" errors={errors}>
      {control => (
        <HTMLSelect
          {...control}
          value={values.layout}
          options={site.layouts}
          onChange={event => onChange({ layout: event.target.value })}
        />
      )}
    </Field>
  );
}

/** A field that the administrator described. */
function OptionField(props: IPartProps & { option: ISiteOption }): JSX.Element {
  const { option, values, errors, onChange } = props;
  const value = values.options[option.name] ?? option.default ?? '';
  const set = (changed: OptionValue) =>
    onChange({ options: { ...values.options, [option.name]: changed } });
  return (
    <Field
      label={option.title || option.name}
      field={`options.${option.name}`}
      errors={errors}
      hint={option.description}
    >
      {control => (
        <OptionControl
          {...control}
          title={option.description}
          option={option}
          value={value}
          onValue={set}
        />
      )}
    </Field>
  );
}

function OptionControl({
  option,
  value,
  onValue,
  ...control
}: {
  option: ISiteOption;
  value: OptionValue;
  onValue: (value: OptionValue) => void;
  id: string;
  title: string;
}): JSX.Element {
  if (option.type === 'boolean') {
    return (
      <input
        {...control}
        className="jp-mod-styled"
        type="checkbox"
        checked={value === true}
        onChange={event => onValue(event.target.checked)}
      />
    );
  }
  if (option.type === 'choice') {
    const choices = option.choices ?? [];
    return (
      <HTMLSelect
        {...control}
        value={String(value)}
        options={choices.map(String)}
        onChange={event => onValue(choices[event.target.selectedIndex])}
      />
    );
  }
  const isNumber = option.type !== 'string';
  return (
    <input
      {...control}
      className="jp-mod-styled"
      type={isNumber ? 'number' : 'text'}
      step={option.type === 'number' ? 'any' : undefined}
      min={option.minimum ?? undefined}
      max={option.maximum ?? undefined}
      value={String(value)}
      onChange={event => {
        const { value: text, valueAsNumber } = event.target;
        onValue(
          isNumber && !Number.isNaN(valueAsNumber) ? valueAsNumber : text
        );
      }}
    />
  );
}
