import type { TranslationBundle } from '@jupyterlab/translation';
import { HTMLSelect } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { IFieldError, IProblem, ISite } from '../api/types';
import type { LaunchValues } from '../launch';
import { Field, FieldErrors, IPartProps } from './controls';
import { MORE_FIELDS, MoreFields } from './moreFields';
import { SIZE_FIELDS, SizeField } from './sizeField';

export interface ILaunchFormProps {
  sites: readonly ISite[];
  /** The site files that could not be read. */
  problems: readonly IProblem[];
  /** Why the sites could not be read at all, if so. */
  sitesProblem: Error | null;
  values: LaunchValues;
  /** What the server said is wrong, field by field. */
  errors: readonly IFieldError[];
  /** What the server said otherwise. */
  message: string;
  trans: TranslationBundle;
  /** The form stands in the page. */
  onDrawn: () => void;
  /** Ask for the sites again. */
  onRetry: () => void;
  onSite: (name: string) => void;
  onChange: (change: Partial<LaunchValues>) => void;
  onLaunch: () => void;
}

/** Site, queue, size: and a cluster. */
export function LaunchForm(props: ILaunchFormProps): JSX.Element | null {
  const { sites, values, errors, trans } = props;
  const form = React.useRef<HTMLFormElement>(null);
  const before = React.useRef<readonly IFieldError[]>([]);
  React.useEffect(() => {
    const isNew = errors.some(error => !before.current.includes(error));
    before.current = errors;
    // Who mends one field keeps the focus there, though others are wrong.
    if (isNew) {
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
    return <NoForm {...props} />;
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
          <SitesProblem {...props} />
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
      hint={trans.__('The Python environment of the scheduler and the workers')}
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

/** Why there is no form, where there is no site to fill it in for. */
function NoForm(props: ILaunchFormProps): JSX.Element {
  const { sites, problems, sitesProblem, trans } = props;
  return (
    <div className="jp-HPCDask-launchForm-fields">
      <SitesProblem {...props} />
      <Problems {...props} />
      {!sites.length && !problems.length && !sitesProblem && (
        <div className="jp-HPCDask-empty" role="status">
          {trans.__(
            'No site is available. Ask the administrator of this Jupyter server.'
          )}
        </div>
      )}
    </div>
  );
}

/** The sites could not be read: it is tried again by itself, or now. */
function SitesProblem(props: ILaunchFormProps): JSX.Element | null {
  const { sitesProblem, trans, onRetry } = props;
  return sitesProblem ? (
    <div className="jp-HPCDask-message jp-mod-error">
      <div role="alert">
        {trans.__('The sites could not be read: %1', sitesProblem.message)}
      </div>
      <button
        type="button"
        className="jp-mod-styled jp-HPCDask-smallButton"
        onClick={onRetry}
      >
        {trans.__('Try again')}
      </button>
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
