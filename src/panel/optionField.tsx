import { HTMLSelect } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { ISiteOption, OptionValue } from '../api/types';
import { Field, IPartProps } from './controls';

/** A field that the administrator described. */
export function OptionField(
  props: IPartProps & { option: ISiteOption }
): JSX.Element {
  const { option, values, errors, onChange } = props;
  const value = values.options[option.name] ?? option.default ?? '';
  const set = (changed: OptionValue) =>
    onChange({ options: { ...values.options, [option.name]: changed } });
  return (
    <Field
      label={option.title || option.name}
      field={`options.${option.name}`}
      errors={errors}
      hint={option.description}
    >
      {control => (
        <OptionControl
          {...control}
          title={option.description}
          option={option}
          value={value}
          onValue={set}
        />
      )}
    </Field>
  );
}

function OptionControl({
  option,
  value,
  onValue,
  ...control
}: {
  option: ISiteOption;
  value: OptionValue;
  onValue: (value: OptionValue) => void;
  id: string;
  title: string;
}): JSX.Element {
  if (option.type === 'boolean') {
    return (
      <input
        {...control}
        className="jp-mod-styled"
        type="checkbox"
        checked={value === true}
        onChange={event => onValue(event.target.checked)}
      />
    );
  }
  if (option.type === 'choice') {
    const choices = option.choices ?? [];
    return (
      <HTMLSelect
        {...control}
        value={String(value)}
        options={choices.map(String)}
        onChange={event => onValue(choices[event.target.selectedIndex])}
      />
    );
  }
  const isNumber = option.type !== 'string';
  return (
    <input
      {...control}
      className="jp-mod-styled"
      type={isNumber ? 'number' : 'text'}
      step={option.type === 'number' ? 'any' : undefined}
      min={option.minimum ?? undefined}
      max={option.maximum ?? undefined}
      value={String(value)}
      onChange={event => {
        const { value: text, valueAsNumber } = event.target;
        onValue(
          isNumber && !Number.isNaN(valueAsNumber) ? valueAsNumber : text
        );
      }}
    />
  );
}
