import { HTMLSelect } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { IFieldError } from '../api/types';
import { typedErrors } from '../typedErrors';
import { hasSizes } from '../workerValues';
import { Field } from './controls';
import { EnvironmentField } from './environmentField';
import { Message, NoForm, Problems, SitesProblem } from './formMessages';
import type { ILaunchFormProps, IPartProps } from './formProps';
import { ImageField } from './imageField';
import { MoreFields } from './moreFields';
import { OptionFields } from './optionFields';
import { QueueField } from './queueField';
import { ScalingField } from './scalingField';
import { SizeField } from './sizeField';

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
          {hasSizes(site) ? (
            <BatchFields {...part} />
          ) : (
            <ServiceFields {...part} />
          )}
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

/** What is asked first where a batch system, or this machine, runs the jobs. */
function BatchFields(props: IPartProps): JSX.Element {
  return (
    <>
      <QueueField {...props} prefix="" />
      <SizeField {...props} />
      <EnvironmentField {...props} />
      <ImageField {...props} />
    </>
  );
}

/** The same where others know queues and sizes: what they ask is the form. */
function ServiceFields(props: IPartProps): JSX.Element {
  const { defaults, limits } = props.site;
  const others = {
    ...(limits.workers && { adaptive: { workers: String(limits.workers) } }),
    // As many as there may be at most are seldom meant to be there always.
    fixed: { workers: String(defaults.workers) }
  };
  return (
    <>
      <ScalingField {...props} prefix="" asksFixed others={others} />
      {props.site.environments.length > 0 && <EnvironmentField {...props} />}
      <ImageField {...props} />
      <OptionFields {...props} isMain />
    </>
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
