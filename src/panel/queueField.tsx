import { HTMLSelect } from '@jupyterlab/ui-components';
import * as React from 'react';

import { loadInFull } from '../words';
import { queueOf } from '../workerValues';
import { queueChoices } from './choices';
import { Field } from './controls';
import type { IWorkersProps } from './formProps';

/** The queue, and below it how full it is. */
export function QueueField(props: IWorkersProps): JSX.Element {
  const { site, values, errors, prefix, trans } = props;
  const queue = queueOf(site, values);
  return (
    <Field
      label={trans.__('Queue')}
      field={`${prefix}queue`}
      errors={errors}
      help={
        site.queues.length
          ? loadInFull(queue?.load ?? null, trans)
          : trans.__('The batch system has not told its queues yet.')
      }
    >
      {control => (
        <div className={queue?.load ? 'jp-HPCDask-titledSelect' : undefined}>
          <HTMLSelect
            {...control}
            value={values.queue}
            options={queueChoices(site, trans)}
            onChange={event => props.onChange({ queue: event.target.value })}
          />
          {queue?.load && (
            // Its load stands below: here is no room for it.
            <span aria-hidden="true">{queue.title || queue.name}</span>
          )}
        </div>
      )}
    </Field>
  );
}
