import * as React from 'react';

import type { IFieldError } from '../api/types';
import { Field } from './controls';

/** A field with a line of text, or a number. */
export function TextField(props: {
  label: string;
  field: string;
  errors: readonly IFieldError[];
  value: string;
  onValue: (value: string) => void;
  hint?: string;
  help?: string;
  placeholder?: string;
  /** Of a number: else it is text. */
  minimum?: number;
  maximum?: number | null;
  /** Whether it gets the focus when it appears. */
  autoFocus?: boolean;
}): JSX.Element {
  const isNumber = props.minimum !== undefined;
  return (
    <Field {...props}>
      {control => (
        <input
          {...control}
          className="jp-mod-styled"
          type={isNumber ? 'number' : 'text'}
          min={props.minimum}
          max={props.maximum ?? undefined}
          spellCheck={false}
          title={props.hint}
          placeholder={props.placeholder}
          value={props.value}
          autoFocus={props.autoFocus}
          onChange={event => props.onValue(event.target.value)}
        />
      )}
    </Field>
  );
}
