import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { formatMemory } from '../format';
import { limitsOf, queueOf } from '../workerValues';
import { errorsAt } from './controls';
import type { IWorkersProps } from './formProps';
import { TextField } from './textField';

/** What each worker has, and how many there are unless that is said elsewhere. */
export function CustomSize(
  props: IWorkersProps & { asksWorkers: boolean }
): JSX.Element {
  const { site, values, errors, prefix, trans, onChange } = props;
  const limits = limitsOf(site, values);
  const gpus = queueOf(site, values)?.gpus;
  const field = (name: string) => `${prefix}size.${name}`;
  return (
    <>
      {props.asksWorkers && (
        <TextField
          label={trans.__('Workers')}
          field={field('workers')}
          errors={errorsAt(
            errors,
            field('workers'),
            `${prefix}scaling.workers`
          )}
          hint={
            limits.workers
              ? trans.__('At most %1 in this queue', limits.workers)
              : undefined
          }
          minimum={1}
          value={values.workers}
          onValue={workers => onChange({ workers })}
        />
      )}
      <TextField
        label={trans.__('Cores')}
        field={field('cores')}
        errors={errors}
        hint={coresHint(limits.cores, trans)}
        minimum={1}
        value={values.cores}
        onValue={cores => onChange({ cores })}
      />
      <TextField
        label={trans.__('Memory')}
        field={field('memory')}
        errors={errors}
        hint={memoryHint(limits.memory, trans)}
        value={values.memory}
        onValue={memory => onChange({ memory })}
      />
      {gpus ? (
        <TextField
          label={trans.__('GPUs')}
          field={field('gpus')}
          errors={errors}
          hint={trans.__('Per worker; a node of this queue has %1', gpus)}
          minimum={0}
          value={values.gpus}
          onValue={changed => onChange({ gpus: changed })}
        />
      ) : null}
    </>
  );
}

/** How many workers share a job. */
export function WorkersPerJob(props: IWorkersProps): JSX.Element {
  const { values, errors, prefix, trans, onChange } = props;
  return (
    <TextField
      label={trans.__('Workers per job')}
      field={`${prefix}size.workers_per_job`}
      errors={errors}
      value={values.workersPerJob}
      onValue={workersPerJob => onChange({ workersPerJob })}
    />
  );
}

function coresHint(
  limit: number | null | undefined,
  trans: TranslationBundle
): string {
  return limit
    ? trans.__('Per worker; at most %1 per job', limit)
    : trans.__('Per worker');
}

function memoryHint(
  limit: number | null | undefined,
  trans: TranslationBundle
): string {
  return limit
    ? trans.__(
        'Per worker, for example 4 GiB; at most %1 per job',
        formatMemory(limit)
      )
    : trans.__('Per worker, for example 4 GiB');
}
