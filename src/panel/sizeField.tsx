import * as React from 'react';

import { canAdapt, isAdaptive } from '../launch';
import { totalsOf } from '../totals';
import { CUSTOM, namedSize } from '../workerValues';
import { errorsOf, FieldErrors } from './controls';
import { CustomSize } from './customSize';
import type { IPartProps } from './formProps';
import { ScalingField } from './scalingField';
import { SizeCards } from './sizeCards';
import { Totals } from './totals';

/** How large the cluster is, and whether its number of workers adapts. */
export function SizeField(props: IPartProps): JSX.Element {
  const { site, values, trans } = props;
  const wrong = errorsOf(props.errors, ...ownFields(props));
  const named = namedSize(site, values);
  return (
    <fieldset
      className={`jp-HPCDask-sizes ${wrong.length ? 'jp-mod-error' : ''}`}
      data-field="size"
    >
      <legend className="jp-HPCDask-hidden">{trans.__('Size')}</legend>
      <SizeCards {...props} />
      <FieldErrors errors={wrong} />
      <div className="jp-HPCDask-sizes-fields">
        {values.size === CUSTOM && (
          <CustomSize {...props} prefix="" asksWorkers={!isAdaptive(values)} />
        )}
        {canAdapt(values) && (
          <ScalingField
            {...props}
            prefix=""
            asksFixed={false}
            others={named && { adaptive: { workers: String(named.workers) } }}
          />
        )}
      </div>
      <Totals totals={totalsOf(site, values)} trans={trans} />
    </fieldset>
  );
}

/** The fields whose errors are about the size as a whole, as it is asked for. */
function ownFields({ values }: IPartProps): string[] {
  const isNamed = values.size !== CUSTOM;
  return [
    'size',
    ...(isNamed ? ['size.cores', 'size.memory', 'size.gpus'] : []),
    ...(isNamed && !isAdaptive(values)
      ? ['size.workers', 'scaling.workers']
      : []),
    ...(canAdapt(values) ? [] : ['scaling', 'scaling.mode'])
  ];
}
