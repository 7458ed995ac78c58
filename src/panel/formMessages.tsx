import * as React from 'react';

import type { ISite } from '../api/types';
import { imageOf } from '../launch';
import { FieldErrors } from './controls';
import type { ILaunchFormProps } from './launchForm';
import { MORE_FIELDS } from './moreFields';
import { SIZE_FIELDS } from './sizeField';

/** What was refused and belongs to no field that is shown. */
export function Message(
  props: ILaunchFormProps & { site: ISite }
): JSX.Element | null {
  const { site, values } = props;
  const shown = [
    'queue',
    'environment',
    ...(imageOf(site, values) ? ['image'] : []),
    ...SIZE_FIELDS,
    ...MORE_FIELDS,
    ...site.options.map(option => `options.${option.name}`),
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
export function NoForm(props: ILaunchFormProps): JSX.Element {
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
export function SitesProblem(props: ILaunchFormProps): JSX.Element | null {
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
export function Problems(props: ILaunchFormProps): JSX.Element | null {
  const { problems, trans } = props;
  return problems.length ? (
    <details className="jp-HPCDask-message jp-mod-warn">
      <summary>
        {trans._n(
          '%1 problem with the sites',
          '%1 problems with the sites',
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
