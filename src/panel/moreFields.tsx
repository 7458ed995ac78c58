import { HTMLSelect } from '@jupyterlab/ui-components';
import * as React from 'react';

import { CUSTOM, walltimeOf } from '../launch';
import { layoutHelp, layoutTitle } from '../words';
import { Field, IPartProps } from './controls';
import { OptionField } from './optionField';

/** The fields below More, but for the site's own options. */
export const MORE_FIELDS = [
  'account',
  'walltime',
  'name',
  'layout',
  'size.workers_per_job'
];

export interface IMoreProps extends IPartProps {
  /** Whether the user has opened it. */
  isOpen: boolean;
  onToggle: (isOpen: boolean) => void;
}

/** What is seldom asked: it opens by itself if something in it is wrong. */
export function MoreFields(props: IMoreProps): JSX.Element {
  const { site, values, errors, trans } = props;
  const [isForced, setForced] = React.useState(false);
  React.useEffect(() => {
    const isMine = (field: string) =>
      MORE_FIELDS.includes(field) || field.startsWith('options.');
    if (errors.some(error => isMine(error.field))) {
      setForced(true);
    }
  }, [errors]);
  const isOpen = props.isOpen || isForced;
  const onClick = (event: React.MouseEvent) => {
    event.preventDefault();
    setForced(false);
    props.onToggle(!isOpen);
  };
  return (
    <details className="jp-HPCDask-more" open={isOpen}>
      <summary onClick={onClick}>{trans.__('More')}</summary>
      <TextField
        {...props}
        name="name"
        label={trans.__('Name')}
        placeholder={trans.__('chosen for you')}
      />
      {(site.accounts.length > 0 || site.batch_system !== 'local') && (
        <AccountField {...props} />
      )}
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
          options={[
            ...(site.defaults.account === null
              ? [{ value: '', label: trans.__('the default one') }]
              : []),
            ...site.accounts.map(one => ({ value: one, label: one }))
          ]}
          onChange={event => onChange({ account: event.target.value })}
        />
      )}
    </Field>
  );
}

function LayoutField(props: IPartProps): JSX.Element {
  const { site, values, errors, trans, onChange } = props;
  return (
    <Field
      label={trans.__('Layout')}
      field="layout"
      errors={errors}
      help={layoutHelp(values.layout, trans)}
    >
      {control => (
        <HTMLSelect
          {...control}
          value={values.layout}
          options={site.layouts.map(one => ({
            value: one,
            label: layoutTitle(one, trans)
          }))}
          onChange={event => onChange({ layout: event.target.value })}
        />
      )}
    </Field>
  );
}
