import { HTMLSelect } from '@jupyterlab/ui-components';
import * as React from 'react';

import { imageOf } from '../launch';
import { Field } from './controls';
import type { IPartProps } from './formProps';

/** The container image: one of some, or any that fits the site's pattern. */
export function ImageField(props: IPartProps): JSX.Element | null {
  const { site, values, errors, trans, onChange } = props;
  const suggestions = React.useId();
  const image = imageOf(site, values);
  if (!image) {
    return null;
  }
  const preset = image.default ?? '';
  return (
    <Field
      label={image.title || trans.__('Image')}
      field="image"
      errors={errors}
      hint={image.description}
    >
      {control =>
        image.choices.length && image.pattern === null ? (
          <HTMLSelect
            {...control}
            title={image.description}
            value={values.image || preset}
            options={image.choices}
            onChange={event => onChange({ image: event.target.value })}
          />
        ) : (
          <>
            <input
              {...control}
              className="jp-mod-styled"
              type="text"
              spellCheck={false}
              title={image.description}
              list={image.choices.length ? suggestions : undefined}
              placeholder={preset}
              value={values.image}
              onChange={event => onChange({ image: event.target.value })}
            />
            {image.choices.length > 0 && (
              <datalist id={suggestions}>
                {image.choices.map(one => (
                  <option key={one} value={one} />
                ))}
              </datalist>
            )}
          </>
        )
      }
    </Field>
  );
}
