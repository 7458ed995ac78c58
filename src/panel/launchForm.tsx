import type { TranslationBundle } from '@jupyterlab/translation';
import { HTMLSelect } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { IFieldError, IProblem, ISite } from '../api/types';
import type { LaunchValues } from '../launch';
import { Field, FieldErrors } from './controls';
import { MORE_FIELDS, MoreFields } from './moreFields';
import { SIZE_FIELDS, SizeField } from './sizeField';

export interface ILaunchFormProps {
  sites: readonly ISite[];
  problems: readonly IProblem[];
  values: LaunchValues;
  /** What the server said is wrong, field by field. */
  errors: readonly IFieldError[];
  /** What the server said otherwise. */
  message: string;
  trans: TranslationBundle;
  /** The form stands in the page. */
  onDrawn: () => void;
  onSite: (name: string) => void;
  onChange: (change: Partial<LaunchValues>) => void;
  onLaunch: () => void;
}

/** What every part of the form gets. */
export interface IPartProps {
  site: ISite;
  values: LaunchValues;
  errors: readonly IFieldError[];
  trans: TranslationBundle;
  onChange: (change: Partial<LaunchValues>) => void;
}

/** Site, queue, size: and a cluster. */
export function LaunchForm(props: ILaunchFormProps): JSX.Element | null {
  const { sites, values, errors, trans } = props;
  const form = React.useRef<HTMLFormElement>(null);
  React.useEffect(() => {
    if (errors.length) {
      form.current
        ?.querySelector<HTMLElement>('[aria-invalid="true"]')
        ?.focus();
    }
  }, [errors]);
  const site = sites.find(one => one.name === values.site);
  const { onDrawn } = props;
  const isDrawn = site !== undefined;
  React.useEffect(onDrawn, [onDrawn, isDrawn]);
  if (!site) {
    return <Problems {...props} />;
  }
  return (
    <form
      ref={form}
      className="jp-HPCDask-launchForm"
      aria-label={trans.__('Launch a Dask cluster')}
      noValidate
      onSubmit={event => {
        event.preventDefault();
        props.onLaunch();
      }}
    >
      <div className="jp-HPCDask-launchForm-scroll">
        <div className="jp-HPCDask-launchForm-fields">
          <Problems {...props} />
          {sites.length > 1 && <SiteField {...props} />}
          <QueueField {...props} site={site} />
          <SizeField {...props} site={site} />
          <EnvironmentField {...props} site={site} />
          <MoreFields {...props} site={site} />
        </div>
      </div>
      <div className="jp-HPCDask-launchForm-footer">
        <Message {...props} site={site} />
        <button
          type="submit"
          className="jp-mod-styled jp-mod-accept jp-HPCDask-launchForm-button"
          onClick={event => {
            // A double click is meant as one.
            if (event.detail > 1) {
              event.preventDefault();
            }
          }}
        >
          {trans.__('Launch cluster')}
        </button>
      </div>
    </form>
  );
}

function SiteField(props: ILaunchFormProps): JSX.Element {
  const { sites, values, errors, trans } = props;
  const site = sites.find(one => one.name === values.site);
  return (
    <Field
      label={trans.__('Site')}
      field="site"
      errors={errors}
      hint={site?.description}
    >
      {control => (
        <HTMLSelect
          {...control}
          value={values.site}
          options={sites.map(one => ({ value: one.name, label: one.title }))}
          onChange={event => props.onSite(event.target.value)}
        />
      )}
    </Field>
  );
}

function QueueField(props: IPartProps): JSX.Element {
  const { site, values, errors, trans } = props;
  return (
    <Field label={trans.__('Queue')} field="queue" errors={errors}>
      {control => (
        <HTMLSelect
          {...control}
          value={values.queue}
          options={site.queues.map(one => ({
            value: one.name,
            label: one.title || one.name
          }))}
          onChange={event => props.onChange({ queue: event.target.value })}
        />
      )}
    </Field>
  );
}

function EnvironmentField(props: IPartProps): JSX.Element {
  const { site, values, errors, trans } = props;
  const isKernel = (kind: string) => Number(kind !== 'kernel');
  const environments = [...site.environments].sort(
    (a, b) => isKernel(a.kind) - isKernel(b.kind)
  );
  return (
    <Field
      label={trans.__('Environment')}
      field="environment"
      errors={errors}
      hint={trans.__('The Python environment that scheduler and workers run')}
    >
      {control => (
        <HTMLSelect
          {...control}
          value={values.environment}
          options={environments.map(one => ({
            value: one.name,
            label: one.title || one.name
          }))}
          onChange={event =>
            props.onChange({ environment: event.target.value })
          }
        />
      )}
    </Field>
  );
}

/** What was refused and belongs to no field that is shown. */
function Message(
  props: ILaunchFormProps & { site: ISite }
): JSX.Element | null {
  const shown = [
    'queue',
    'environment',
    ...SIZE_FIELDS,
    ...MORE_FIELDS,
    ...props.site.options.map(option => `options.${option.name}`),
    ...(props.sites.length > 1 ? ['site'] : [])
  ];
  const others = props.errors.filter(error => !shown.includes(error.field));
  return props.message || others.length ? (
    <div className="jp-HPCDask-message jp-mod-error">
      {props.message && <div role="alert">{props.message}</div>}
      <FieldErrors errors={others} />
    </div>
  ) : null;
}

/** The site files that could not be read. */
function Problems(props: ILaunchFormProps): JSX.Element | null {
  const { problems, trans } = props;
  return problems.length ? (
    <details className="jp-HPCDask-message jp-mod-warn">
      <summary>
        {trans._n(
          '%1 problem in the site files',
          '%1 problems in the site files',
          problems.length
        )}
      </summary>
      <ul>
        {problems.map((problem, index) => (
          <li key={index}>
            <code>{problem.file}</code>
            {problem.where && <div>{problem.where}</div>}
            <div>{problem.message}</div>
          </li>
        ))}
      </ul>
    </details>
  ) : null;
}
