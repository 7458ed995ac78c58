import { HTMLSelect } from '@jupyterlab/ui-components';
import * as React from 'react';

import { canHaveGroups } from '../groupValues';
import { layoutHelp, layoutTitle } from '../words';
import { CUSTOM, hasSizes, walltimeOf } from '../workerValues';
import { Field } from './controls';
import { WorkersPerJob } from './customSize';
import type { IPartProps } from './formProps';
import { GroupFields } from './groupFields';
import { OptionFields } from './optionFields';
import { hasAccounts, isInMore } from './shownFields';
import { TextField } from './textField';

export interface IMoreProps extends IPartProps {
  /** Whether the user has opened it. */
  isOpen: boolean;
  onToggle: (isOpen: boolean) => void;
}

/** What is seldom asked: it opens by itself if something in it is wrong. */
export function MoreFields(props: IMoreProps): JSX.Element {
  const { site, values, errors, trans, onChange } = props;
  const [isForced, setForced] = React.useState(false);
  const wrong = errors
    .filter(({ field }) => isInMore(field, site, values))
    .map(({ field }) => field)
    .join(' ');
  React.useEffect(() => setForced(wrong !== ''), [wrong]);
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
        label={trans.__('Name')}
        field="name"
        errors={errors}
        placeholder={trans.__('chosen for you')}
        value={values.name}
        onValue={name => onChange({ name })}
      />
      {hasAccounts(site) && <AccountField {...props} />}
      {hasSizes(site) && <JobFields {...props} />}
    </details>
  );
}

/** What is asked where the workers are jobs of a batch system. */
function JobFields(props: IPartProps): JSX.Element {
  const { site, values, errors, trans, onChange } = props;
  return (
    <>
      <TextField
        label={trans.__('Walltime')}
        field="walltime"
        errors={errors}
        hint={trans.__('How long the cluster may run: HH:MM:SS')}
        placeholder={walltimeOf(site, values) ?? trans.__('no limit')}
        value={values.walltime}
        onValue={walltime => onChange({ walltime })}
      />
      {site.layouts.length > 1 && <LayoutField {...props} />}
      {values.size === CUSTOM && <WorkersPerJob {...props} prefix="" />}
      <OptionFields {...props} isMain={false} />
      {canHaveGroups(site, values) && <GroupFields {...props} />}
    </>
  );
}

/** The accounts of the site to choose from, or any to type. */
function AccountField(props: IPartProps): JSX.Element {
  const { site, values, errors, trans, onChange } = props;
  const label = trans.__('Account');
  if (!site.accounts.length) {
    return (
      <TextField
        label={label}
        field="account"
        errors={errors}
        value={values.account}
        onValue={account => onChange({ account })}
      />
    );
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
