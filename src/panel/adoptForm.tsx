import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import {
  AdoptField,
  AdoptFile,
  IAdoptValues,
  RARE_FIELDS
} from '../adoptValues';
import type { IRefusal } from '../refusal';
import { errorsOf, Field, FieldErrors } from './controls';
import { SmallButton } from './smallButton';

/** What may stand in the fields; the rest may be left out. */
const EXAMPLES: { [field in AdoptField]?: string } = {
  scheduler_file: 'scheduler.json',
  address: 'tcp://10.0.0.1:8786',
  dashboard: 'http://10.0.0.1:8787',
  'tls.ca': 'ca.pem',
  'tls.certificate': 'cert.pem',
  'tls.key': 'key.pem'
};

export interface IAdoptFormProps {
  values: IAdoptValues;
  refusal: IRefusal;
  /** Whether the scheduler is being asked. */
  isAsking: boolean;
  /** The notebook whose kernel may be asked for its cluster, if there is one. */
  notebook: string | null;
  canBrowse: boolean;
  trans: TranslationBundle;
  onChange: (change: Partial<IAdoptValues>) => void;
  onBrowse: (field: AdoptFile) => void;
  onNotebook: () => void;
}

/** Where the scheduler of a cluster is that runs already. */
export function AdoptForm(props: IAdoptFormProps): JSX.Element {
  const { values, notebook, isAsking, trans } = props;
  return (
    <div className="jp-HPCDask-adoptForm">
      {notebook !== null && (
        <div className="jp-HPCDask-adoptForm-notebook">
          <span>{trans.__('The cluster of the notebook %1', notebook)}</span>
          <SmallButton
            label={trans.__('Adopt it')}
            onClick={props.onNotebook}
          />
        </div>
      )}
      <ByChoice {...props} />
      {values.by === 'scheduler_file' ? (
        <Text
          {...props}
          field="scheduler_file"
          label={trans.__('File')}
          help={trans.__(
            'Written by the scheduler; its path begins where the file browser does.'
          )}
          isFirst
          file="scheduler_file"
        />
      ) : (
        <Text
          {...props}
          field="address"
          label={trans.__('Address')}
          help={trans.__(
            'With its port, or the name of a host or Kubernetes service alone: the port is then 8786.'
          )}
          isFirst
        />
      )}
      <Text {...props} field="name" label={trans.__('Name')} />
      <Rare {...props} />
      <Others {...props} />
      <div className="jp-HPCDask-adoptForm-status" role="status">
        {isAsking ? trans.__('Asking the scheduler…') : ''}
      </div>
    </div>
  );
}

function ByChoice(props: IAdoptFormProps): JSX.Element {
  const { values, trans, onChange } = props;
  const name = React.useId();
  const radio = (by: IAdoptValues['by'], label: string) => (
    <label>
      <input
        type="radio"
        name={name}
        checked={values.by === by}
        onChange={() => onChange({ by })}
      />
      {label}
    </label>
  );
  return (
    <fieldset className="jp-HPCDask-adoptForm-by">
      <legend className="jp-HPCDask-hidden">
        {trans.__('How to find its scheduler')}
      </legend>
      {radio('scheduler_file', trans.__('Scheduler file'))}
      {radio('address', trans.__('Address'))}
    </fieldset>
  );
}

/** What few need; open as soon as something stands there, or is wrong. */
function Rare(props: IAdoptFormProps): JSX.Element {
  const { values, refusal, trans } = props;
  const isUsed =
    RARE_FIELDS.some(field => values[field]) ||
    errorsOf(refusal.errors, ...RARE_FIELDS).length > 0;
  const [isOpen, setOpen] = React.useState(isUsed);
  React.useEffect(() => {
    if (isUsed) {
      setOpen(true);
    }
  }, [isUsed]);
  return (
    <details
      open={isOpen}
      onToggle={event => setOpen(event.currentTarget.open)}
    >
      <summary>{trans.__('TLS files and dashboard')}</summary>
      <Text
        {...props}
        field="tls.ca"
        label={trans.__('CA file')}
        file="tls.ca"
      />
      <Text
        {...props}
        field="tls.certificate"
        label={trans.__('Certificate')}
        file="tls.certificate"
      />
      <Text {...props} field="tls.key" label={trans.__('Key')} file="tls.key" />
      <Text
        {...props}
        field="dashboard"
        label={trans.__('Dashboard')}
        help={trans.__('Only where the scheduler cannot tell its URL.')}
      />
    </details>
  );
}

function Text(
  props: IAdoptFormProps & {
    field: AdoptField;
    label: string;
    help?: string;
    isFirst?: boolean;
    /** If it is a path. */
    file?: AdoptFile;
  }
): JSX.Element {
  const { field, label, help, file, values, refusal, trans } = props;
  return (
    <Field label={label} field={field} help={help} errors={refusal.errors}>
      {control => (
        <div className="jp-HPCDask-adoptForm-text">
          <input
            {...control}
            className="jp-mod-styled"
            type="text"
            spellCheck={false}
            autoComplete="off"
            placeholder={EXAMPLES[field] ?? trans.__('optional')}
            autoFocus={props.isFirst}
            value={values[field]}
            onChange={event => props.onChange({ [field]: event.target.value })}
          />
          {file && props.canBrowse && (
            <SmallButton
              label={trans.__('Browse…')}
              title={trans.__('Choose a file: %1', label)}
              onClick={() => props.onBrowse(file)}
            />
          )}
        </div>
      )}
    </Field>
  );
}

/** What was refused and belongs to no field that is shown. */
function Others(props: IAdoptFormProps): JSX.Element | null {
  const { values, refusal } = props;
  const shown: string[] = [values.by, 'name', ...RARE_FIELDS];
  const others = refusal.errors.filter(one => !shown.includes(one.field));
  return refusal.message || others.length ? (
    <div className="jp-HPCDask-message jp-mod-error">
      {refusal.message && <div role="alert">{refusal.message}</div>}
      <FieldErrors errors={others} />
    </div>
  ) : null;
}
