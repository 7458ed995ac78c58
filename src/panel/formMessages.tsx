import * as React from 'react';

import type { ISite } from '../api/types';
import { FieldErrors } from './controls';
import type { ILaunchFormProps } from './formProps';
import { isShown } from './shownFields';

/** What was refused and belongs to no field that is shown. */
export function Message(
  props: ILaunchFormProps & { site: ISite }
): JSX.Element | null {
  const { site, sites, values } = props;
  const others = props.errors.filter(
    ({ field }) =>
      !isShown(field, site, values) && !(field === 'site' && sites.length > 1)
  );
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
