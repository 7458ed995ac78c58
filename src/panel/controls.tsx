import { Button, LabIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { IFieldError } from '../api/types';

/** A small button that is an icon; its label is its name and its tooltip. */
export function IconButton(props: {
  icon: LabIcon;
  label: string;
  onClick: () => void;
  disabled?: boolean;
  pressed?: boolean;
  className?: string;
}): JSX.Element {
  return (
    <Button
      type="button"
      minimal
      small
      className={`jp-HPCDask-iconButton ${props.className ?? ''}`}
      title={props.label}
      aria-label={props.label}
      aria-pressed={props.pressed}
      disabled={props.disabled}
      onClick={event => {
        event.stopPropagation();
        props.onClick();
      }}
      onDoubleClick={event => event.stopPropagation()}
    >
      <props.icon.react tag="span" width="16px" height="16px" />
    </Button>
  );
}

/** A field of a form: its label, its control, and what is wrong with it. */
export function Field(props: {
  label: string;
  /** The control gets this id, and is described by its errors. */
  children: (control: {
    id: string;
    'aria-invalid': boolean;
    'aria-describedby': string | undefined;
  }) => React.ReactNode;
  field: string;
  errors: readonly IFieldError[];
  hint?: string;
  /** A line below the control. */
  help?: string;
}): JSX.Element {
  const id = React.useId();
  const wrong = errorsOf(props.errors, props.field);
  const described = [
    props.help && `${id}-help`,
    wrong.length > 0 && `${id}-error`
  ].filter(Boolean);
  return (
    <div
      className={`jp-HPCDask-field ${wrong.length ? 'jp-mod-error' : ''}`}
      data-field={props.field}
    >
      <label htmlFor={id} title={props.hint}>
        {props.label}
      </label>
      {props.children({
        id,
        'aria-invalid': wrong.length > 0,
        'aria-describedby': described.join(' ') || undefined
      })}
      {props.help && (
        <div id={`${id}-help`} className="jp-HPCDask-fieldHelp">
          {props.help}
        </div>
      )}
      <FieldErrors id={`${id}-error`} errors={wrong} />
    </div>
  );
}

export function FieldErrors(props: {
  id?: string;
  errors: readonly IFieldError[];
}): JSX.Element | null {
  return props.errors.length ? (
    <div id={props.id} className="jp-HPCDask-fieldError" role="alert">
      {props.errors.map((error, index) => (
        <div key={index}>{error.message}</div>
      ))}
    </div>
  ) : null;
}

/** The errors of a field, given by its name. */
export function errorsOf(
  errors: readonly IFieldError[],
  ...fields: string[]
): IFieldError[] {
  return errors.filter(error => fields.includes(error.field));
}

/** The errors, with those of some fields at another one instead. */
export function errorsAt(
  errors: readonly IFieldError[],
  field: string,
  ...from: string[]
): IFieldError[] {
  return errors.map(error =>
    from.includes(error.field) ? { ...error, field } : error
  );
}

/** A one-line editor in place of a text: Enter confirms, Escape cancels. */
export function InlineEditor(props: {
  label: string;
  value: string;
  type?: 'text' | 'number';
  minimum?: number;
  maximum?: number;
  describedBy?: string;
  isInvalid?: boolean;
  onConfirm: (value: string) => void;
  onCancel: () => void;
}): JSX.Element {
  const [value, setValue] = React.useState(props.value);
  const onKeyDown = (event: React.KeyboardEvent) => {
    event.stopPropagation();
    if (event.key === 'Enter') {
      event.preventDefault();
      props.onConfirm(value);
    } else if (event.key === 'Escape') {
      event.preventDefault();
      props.onCancel();
    }
  };
  return (
    <input
      className="jp-mod-styled jp-HPCDask-inlineEditor"
      aria-label={props.label}
      title={props.label}
      type={props.type ?? 'text'}
      min={props.minimum}
      max={props.maximum}
      aria-describedby={props.describedBy}
      aria-invalid={props.isInvalid}
      value={value}
      autoFocus
      onFocus={event => event.target.select()}
      onChange={event => setValue(event.target.value)}
      onKeyDown={onKeyDown}
      onBlur={props.onCancel}
      onClick={event => event.stopPropagation()}
      onDoubleClick={event => event.stopPropagation()}
    />
  );
}
