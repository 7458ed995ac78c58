import type { TranslationBundle } from '@jupyterlab/translation';
import { HTMLSelect } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { IFieldError, IProblem, ISite } from '../api/types';
import { LaunchValues, queueOf } from '../launch';
import { typedErrors } from '../typedErrors';
import { loadInFull } from '../words';
import { queueChoices } from './choices';
import { Field, IPartProps } from './controls';
import { Message, NoForm, Problems, SitesProblem } from './formMessages';
import { ImageField } from './imageField';
import { MoreFields } from './moreFields';
import { SizeField } from './sizeField';

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
  /** Whether all fields are shown. */
  isMoreOpen: boolean;
  /** Whether the answer to a preview is under way. */
  isPreviewing: boolean;
  trans: TranslationBundle;
  /** The form stands in the page. */
  onDrawn: () => void;
  /** Ask for the sites again. */
  onRetry: () => void;
  onSite: (name: string) => void;
  onChange: (change: Partial<LaunchValues>) => void;
  onMore: (isOpen: boolean) => void;
  /** The pointer or the focus comes to the form. */
  onVisit: () => void;
  onPreview: () => void;
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
  const typed = typedErrors(site, values, trans).filter(
    one => !errors.some(error => error.field === one.field)
  );
  const part = { ...props, site, errors: [...errors, ...typed] };
  return (
    <form
      ref={form}
      className="jp-HPCDask-launchForm"
      aria-label={trans.__('Launch a Dask cluster')}
      noValidate
      onPointerEnter={props.onVisit}
      onFocusCapture={props.onVisit}
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
          <QueueField {...part} />
          <SizeField {...part} />
          <EnvironmentField {...part} />
          <ImageField {...part} />
          <MoreFields
            key={site.name}
            {...part}
            isOpen={props.isMoreOpen}
            onToggle={props.onMore}
          />
        </div>
      </div>
      <div className="jp-HPCDask-launchForm-footer">
        <Message {...props} site={site} />
        <Buttons {...props} />
      </div>
    </form>
  );
}

function Buttons(props: ILaunchFormProps): JSX.Element {
  const { isPreviewing, trans, onPreview } = props;
  return (
    <div className="jp-HPCDask-launchForm-buttons">
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
      <button
        type="button"
        className="jp-mod-styled jp-HPCDask-previewButton"
        title={trans.__('Show what would be submitted; nothing is launched')}
        // Not disabled: the focus has to come back to it.
        aria-disabled={isPreviewing}
        onClick={isPreviewing ? undefined : onPreview}
      >
        {trans.__('Preview')}
      </button>
    </div>
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
  const queue = queueOf(site, values);
  return (
    <Field
      label={trans.__('Queue')}
      field="queue"
      errors={errors}
      help={
        site.queues.length
          ? loadInFull(queue?.load ?? null, trans)
          : trans.__('The batch system has not told its queues yet.')
      }
    >
      {control => (
        <div className={queue?.load ? 'jp-HPCDask-titledSelect' : undefined}>
          <HTMLSelect
            {...control}
            value={values.queue}
            options={queueChoices(site, trans)}
            onChange={event => props.onChange({ queue: event.target.value })}
          />
          {queue?.load && (
            // Its load stands below: here is no room for it.
            <span aria-hidden="true">{queue.title || queue.name}</span>
          )}
        </div>
      )}
    </Field>
  );
}

function EnvironmentField(props: IPartProps): JSX.Element {
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
