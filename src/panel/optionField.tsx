import type { TranslationBundle } from '@jupyterlab/translation';
import { HTMLSelect } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { ISiteOption, OptionValue } from '../api/types';
import { Field } from './controls';
import type { IPartProps } from './formProps';

/** A field that the site adds to the form. */
export function OptionField(
  props: IPartProps & {
    option: ISiteOption;
    /** Whether what it is stands below it, and not in a tooltip alone. */
    isMain: boolean;
  }
): JSX.Element {
  const { option, values, errors, trans, isMain, onChange } = props;
  const set = (changed: OptionValue) =>
    onChange({ options: { ...values.options, [option.name]: changed } });
  const help = [option.description, boundsOf(option, trans)].filter(Boolean);
  return (
    <Field
      label={option.title || option.name}
      field={`options.${option.name}`}
      errors={errors}
      hint={help.join('\n')}
      help={isMain ? help.join(' · ') : undefined}
    >
      {control => (
        <OptionControl
          {...control}
          title={help.join('\n')}
          option={option}
          value={values.options[option.name] ?? option.default ?? ''}
          unset={trans.__('not set')}
          onValue={set}
        />
      )}
    </Field>
  );
}

function OptionControl({
  option,
  value,
  unset,
  onValue,
  ...control
}: {
  option: ISiteOption;
  value: OptionValue;
  /** How a choice is called that has not been made. */
  unset: string;
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
    const first: OptionValue[] = option.default === null ? [''] : [];
    const choices = [...first, ...(option.choices ?? [])];
    return (
      <HTMLSelect
        {...control}
        value={String(value)}
        options={choices.map(one => ({
          value: String(one),
          label: one === '' ? unset : String(one)
        }))}
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
      placeholder={
        isNumber && option.default !== null ? String(option.default) : undefined
      }
      value={String(value)}
      onChange={event => {
        const { value: text } = event.target;
        const number = Number(text);
        const isOne = isNumber && text.trim() && Number.isFinite(number);
        onValue(isOne ? number : text);
      }}
    />
  );
}

/** Between what a number has to be; empty if it may be any. */
function boundsOf(
  { minimum, maximum }: ISiteOption,
  trans: TranslationBundle
): string {
  const hasMinimum = typeof minimum === 'number';
  const hasMaximum = typeof maximum === 'number';
  if (hasMinimum && hasMaximum) {
    return trans.__('From %1 to %2', minimum, maximum);
  }
  if (hasMinimum) {
    return trans.__('At least %1', minimum);
  }
  return hasMaximum ? trans.__('At most %1', maximum) : '';
}
