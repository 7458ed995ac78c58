import * as React from 'react';

import { errorsOf, FieldErrors } from './controls';
import type { IPartProps } from './formProps';
import { OptionField } from './optionField';

/** The fields that the administrator, or a gateway, described. */
export function OptionFields(
  props: IPartProps & {
    /** Whether they explain themselves, as where they are most of the form. */
    isMain: boolean;
  }
): JSX.Element | null {
  const { site, errors } = props;
  const wrong = errorsOf(errors, 'options');
  return site.options.length ? (
    <>
      {wrong.length > 0 && (
        <div className="jp-HPCDask-fieldsError" data-field="options">
          <FieldErrors errors={wrong} />
        </div>
      )}
      {site.options.map(option => (
        <OptionField key={option.name} option={option} {...props} />
      ))}
    </>
  ) : null;
}
