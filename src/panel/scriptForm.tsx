import type { TranslationBundle } from '@jupyterlab/translation';
import { HTMLSelect } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { IFieldError, ISite } from '../api/types';
import type { LaunchValues } from '../launch';
import type { IRefusal } from '../refusal';
import type { ScriptChoice } from '../scriptMemory';
import { quoteWord } from '../shell';
import { totalsOf } from '../totals';
import { loadInFull } from '../words';
import { queueOf } from '../workerValues';
import { queueChoices, sizeChoices } from './choices';
import { Field, FieldErrors } from './controls';
import { SIZE_FIELDS } from './shownFields';
import { Totals } from './totals';

export interface IScriptFormProps {
  path: string;
  sites: readonly ISite[];
  site: ISite;
  values: LaunchValues;
  /** The arguments, as typed. */
  line: string;
  /** The same as words; `null` while a quote is open. */
  words: readonly string[] | null;
  refusal: IRefusal;
  trans: TranslationBundle;
  onSite: (name: string) => void;
  onChange: (change: Partial<ScriptChoice>) => void;
  onLine: (line: string) => void;
}

/** Where to run a script, with how large a cluster, and with what arguments. */
export function ScriptForm(props: IScriptFormProps): JSX.Element {
  const { sites, site, values, trans, onSite, onChange } = props;
  const { errors } = props.refusal;
  return (
    <div className="jp-HPCDask-scriptForm">
      {sites.length > 1 && (
        <SelectField
          label={trans.__('Site')}
          field="site"
          errors={errors}
          value={site.name}
          options={sites.map(one => ({ value: one.name, label: one.title }))}
          onValue={onSite}
        />
      )}
      <SelectField
        label={trans.__('Queue')}
        field="queue"
        errors={errors}
        help={loadInFull(queueOf(site, values)?.load ?? null, trans)}
        value={values.queue}
        options={queueChoices(site, trans)}
        onValue={queue => onChange({ queue })}
      />
      <SelectField
        label={trans.__('Size')}
        field="size"
        errors={sizeErrors(errors)}
        value={values.size}
        options={sizeChoices(site, trans)}
        onValue={size => onChange({ size })}
      />
      <Totals totals={totalsOf(site, values)} trans={trans} />
      <ArgumentsField {...props} />
      <p>{restOf(props)}</p>
      <Others {...props} />
    </div>
  );
}

function SelectField(props: {
  label: string;
  field: string;
  errors: readonly IFieldError[];
  help?: string;
  value: string;
  options: { value: string; label: string }[];
  onValue: (value: string) => void;
}): JSX.Element {
  return (
    <Field {...props}>
      {control => (
        <HTMLSelect
          {...control}
          value={props.value}
          options={props.options}
          onChange={event => props.onValue(event.target.value)}
        />
      )}
    </Field>
  );
}

/** The arguments, and below them the command that they make. */
function ArgumentsField(props: IScriptFormProps): JSX.Element {
  const { path, line, words, trans, onLine } = props;
  const errors = argumentErrors(props);
  return (
    <Field
      label={trans.__('Arguments')}
      field="script.arguments"
      errors={errors}
      hint={trans.__('As in a shell: quote what has blanks in it')}
    >
      {control => (
        <>
          <input
            {...control}
            className="jp-mod-styled"
            type="text"
            spellCheck={false}
            autoComplete="off"
            value={line}
            onChange={event => onLine(event.target.value)}
          />
          {words && (
            <output aria-label={trans.__('Command')}>
              <code>{commandOf(path, words)}</code>
            </output>
          )}
        </>
      )}
    </Field>
  );
}

/** What is wrong with the arguments, whichever of them it is. */
function argumentErrors(props: IScriptFormProps): IFieldError[] {
  const { words, refusal, trans } = props;
  const field = 'script.arguments';
  return words === null
    ? [{ field, message: trans.__('A quote, or a backslash, is left open.') }]
    : refusal.errors
        .filter(one => one.field.startsWith(field))
        .map(one => ({ ...one, field }));
}

/** What cannot be chosen here, so that nobody is surprised by it. */
function restOf(props: IScriptFormProps): string {
  const { site, values, trans } = props;
  const known = site.environments.find(one => one.name === values.environment);
  const environment = known?.title ?? values.environment;
  return values.account
    ? trans.__(
        'Environment %1, account %2; all else as in the launch form.',
        environment,
        values.account
      )
    : trans.__('Environment %1; all else as in the launch form.', environment);
}

/** What was refused and belongs to no field that is shown. */
function Others(props: IScriptFormProps): JSX.Element | null {
  const { sites, refusal } = props;
  const shown = [
    'queue',
    ...SIZE_FIELDS,
    ...(sites.length > 1 ? ['site'] : [])
  ];
  const others = refusal.errors.filter(
    ({ field }) =>
      !shown.includes(field) && !field.startsWith('script.arguments')
  );
  return refusal.message || others.length ? (
    <div className="jp-HPCDask-message jp-mod-error">
      {refusal.message && <div role="alert">{refusal.message}</div>}
      <FieldErrors errors={others} />
    </div>
  ) : null;
}

function sizeErrors(errors: readonly IFieldError[]): IFieldError[] {
  return errors
    .filter(one => SIZE_FIELDS.includes(one.field))
    .map(one => ({ ...one, field: 'size' }));
}

/** What is run, as one would type it: a notebook is executed into a copy. */
function commandOf(path: string, words: readonly string[]): string {
  const name = path.split('/').at(-1)!;
  const all = name.endsWith('.ipynb')
    ? ['jupyter', 'nbconvert', '--execute', ...words, name]
    : ['python', name, ...words];
  return all.map(quoteWord).join(' ');
}
