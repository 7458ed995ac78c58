import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { ILimits, ISize } from '../api/types';
import { formatMemory, formatWalltime } from '../format';
import { CUSTOM, ITotals, LaunchValues, queueOf, totalsOf } from '../launch';
import { errorsOf, Field, FieldErrors, IPartProps } from './controls';

/** The fields whose errors are shown at the size. */
export const SIZE_FIELDS = [
  'size',
  'size.workers',
  'size.cores',
  'size.memory',
  'size.gpus',
  'scaling',
  'scaling.workers'
];

/** The named sizes as cards, and one for any other size. */
export function SizeField(props: IPartProps): JSX.Element {
  const { site, values, errors, trans } = props;
  const group = React.useId();
  const isCustom = values.size === CUSTOM;
  const wrong = errorsOf(
    errors,
    ...(isCustom ? ['size', 'scaling'] : SIZE_FIELDS)
  );
  return (
    <fieldset
      className={`jp-HPCDask-sizes ${wrong.length ? 'jp-mod-error' : ''}`}
      data-field="size"
    >
      <legend className="jp-HPCDask-hidden">{trans.__('Size')}</legend>
      <div className="jp-HPCDask-sizes-cards">
        {site.sizes.map(size => (
          <SizeCard
            key={size.name}
            group={group}
            title={size.title || size.name}
            detail={trans._n('%1 worker', '%1 workers', size.workers)}
            hint={hintOf(size, trans)}
            checked={values.size === size.name}
            onCheck={() => props.onChange(valuesOf(size))}
          />
        ))}
        <SizeCard
          group={group}
          title={trans.__('Custom')}
          detail={trans.__('any size')}
          hint={trans.__('Choose the number of workers, cores and memory')}
          checked={isCustom}
          onCheck={() => props.onChange({ size: CUSTOM })}
        />
      </div>
      <FieldErrors errors={wrong} />
      {isCustom && <CustomSize {...props} />}
      <Totals totals={totalsOf(site, values)} trans={trans} />
    </fieldset>
  );
}

/** A radio button that looks like a card. */
function SizeCard(props: {
  group: string;
  title: string;
  detail: string;
  hint: string;
  checked: boolean;
  onCheck: () => void;
}): JSX.Element {
  return (
    <label
      className={`jp-HPCDask-size ${props.checked ? 'jp-mod-selected' : ''}`}
      title={props.hint}
    >
      <input
        type="radio"
        name={props.group}
        aria-label={props.title}
        checked={props.checked}
        onChange={props.onCheck}
      />
      <span className="jp-HPCDask-size-title">{props.title}</span>
      <span className="jp-HPCDask-size-detail">{props.detail}</span>
    </label>
  );
}

/** How many workers, and what each has. */
function CustomSize(props: IPartProps): JSX.Element {
  const { site, values, errors, trans, onChange } = props;
  const queue = queueOf(site, values);
  const hints = limitHints(queue?.limits ?? {}, queue?.gpus ?? 0, trans);
  const fields: ['workers' | 'cores' | 'memory' | 'gpus', string][] = [
    ['workers', trans.__('Workers')],
    ['cores', trans.__('Cores')],
    ['memory', trans.__('Memory')]
  ];
  if (queue?.gpus) {
    fields.push(['gpus', trans.__('GPUs')]);
  }
  return (
    <div className="jp-HPCDask-customSize">
      {fields.map(([name, label]) => (
        <Field
          key={name}
          label={label}
          field={`size.${name}`}
          errors={
            name === 'workers'
              ? renamed(errors, 'scaling.workers', 'size.workers')
              : errors
          }
          hint={hints[name]}
        >
          {control => (
            <input
              {...control}
              className="jp-mod-styled"
              type={name === 'memory' ? 'text' : 'number'}
              min={{ workers: 1, cores: 1, memory: undefined, gpus: 0 }[name]}
              title={hints[name]}
              value={values[name]}
              onChange={event => onChange({ [name]: event.target.value })}
            />
          )}
        </Field>
      ))}
    </div>
  );
}

/** A named size is also where a custom one starts from. */
function valuesOf(size: ISize): Partial<LaunchValues> {
  return {
    size: size.name,
    workers: String(size.workers),
    cores: String(size.cores),
    memory: formatMemory(size.memory),
    gpus: String(size.gpus),
    workersPerJob: String(size.workers_per_job)
  };
}

function hintOf(size: ISize, trans: TranslationBundle): string {
  if (size.gpus) {
    return trans._n(
      '%1 worker with %2, %3 and %4',
      '%1 workers with %2, %3 and %4 each',
      size.workers,
      trans._n('%1 core', '%1 cores', size.cores),
      formatMemory(size.memory),
      trans._n('%1 GPU', '%1 GPUs', size.gpus)
    );
  }
  return trans._n(
    '%1 worker with %2 and %3',
    '%1 workers with %2 and %3 each',
    size.workers,
    trans._n('%1 core', '%1 cores', size.cores),
    formatMemory(size.memory)
  );
}

function limitHints(
  limits: ILimits,
  gpus: number,
  trans: TranslationBundle
): { workers?: string; cores: string; memory: string; gpus: string } {
  const { workers, cores, memory } = limits;
  return {
    workers: workers
      ? trans.__('At most %1 in this queue', workers)
      : undefined,
    cores: cores
      ? trans.__('Per worker; at most %1 per job', cores)
      : trans.__('Per worker'),
    memory: memory
      ? trans.__(
          'Per worker, for example 4 GiB; at most %1 per job',
          formatMemory(memory)
        )
      : trans.__('Per worker, for example 4 GiB'),
    gpus: trans.__('Per worker; a node of this queue has %1', gpus)
  };
}

function renamed(
  errors: IPartProps['errors'],
  from: string,
  to: string
): IPartProps['errors'] {
  return errors.map(error =>
    error.field === from ? { ...error, field: to } : error
  );
}

/** What the launch asks for altogether, while it is being typed. */
export function Totals(props: {
  totals: ITotals;
  trans: TranslationBundle;
}): JSX.Element {
  const { totals, trans } = props;
  const { workers, cores, memory, gpus, walltime } = totals;
  const parts = [
    workers !== null && trans._n('%1 worker', '%1 workers', workers),
    cores !== null && trans._n('%1 core', '%1 cores', cores),
    memory !== null && formatMemory(memory),
    gpus !== null && gpus > 0 && trans._n('%1 GPU', '%1 GPUs', gpus),
    walltime !== null && formatWalltime(walltime, trans)
  ].filter(part => part !== false);
  return (
    <output className="jp-HPCDask-totals" aria-label={trans.__('Total')}>
      {parts.join(' · ')}
    </output>
  );
}
