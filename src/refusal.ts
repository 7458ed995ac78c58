import { APIError, messageOf } from './api/client';
import type { IFieldError } from './api/types';
import type { GroupValues } from './groupValues';
import type { LaunchValues } from './launch';

/** What the server said is wrong with a launch: by field, and otherwise. */
export interface IRefusal {
  errors: readonly IFieldError[];
  message: string;
}

export const NOTHING_WRONG: IRefusal = { errors: [], message: '' };

/** The values that a field below `size` or `scaling` says something of. */
const VALUES: { [field: string]: (keyof LaunchValues)[] } = {
  workers_per_job: ['workersPerJob'],
  maximum: ['workers'],
  minimum: ['workers', 'minimum']
};

/** The values on which it depends whether any number of workers is right. */
const ABOUT_WORKERS: (keyof LaunchValues)[] = [
  'queue',
  'size',
  'scaling',
  'layout'
];

export function refusalOf(error: unknown): IRefusal {
  return error instanceof APIError && error.errors.length
    ? { errors: error.errors, message: '' }
    : { errors: [], message: messageOf(error) };
}

/** What is still wrong after a change of the form's values. */
export function afterChange(
  refusal: IRefusal,
  before: LaunchValues,
  change: Partial<LaunchValues>
): IRefusal {
  const errors = refusal.errors.filter(
    one => !touches(before, change, one.field)
  );
  return { errors, message: '' };
}

/** Whether a change of the form may have put right what was wrong. */
function touches(
  before: LaunchValues,
  change: Partial<LaunchValues>,
  field: string
): boolean {
  const [first, second] = field.split('.');
  if (first === 'options' && change.options) {
    return (
      second === undefined || before.options[second] !== change.options[second]
    );
  }
  if (first === 'groups' && change.groups) {
    return touchesGroup(before, change.groups, field);
  }
  if (first === 'size' || first === 'scaling') {
    const names = VALUES[second] ?? [second as keyof LaunchValues];
    return [...ABOUT_WORKERS, ...names].some(name => name in change);
  }
  return first in change || 'queue' in change;
}

function touchesGroup(
  before: LaunchValues,
  groups: readonly GroupValues[],
  field: string
): boolean {
  const [number, ...nested] = field.split('.').slice(1);
  const was = before.groups[Number(number)];
  const is = groups[Number(number)];
  // Names depend on each other, and with fewer groups the numbers change.
  const isOther = groups.length !== before.groups.length;
  if (!nested.length || nested[0] === 'name' || isOther || !was || !is) {
    return true;
  }
  const changed = Object.entries(is).filter(
    ([name, value]) => was[name as keyof GroupValues] !== value
  );
  return (
    changed.length > 0 &&
    touches(before, Object.fromEntries(changed), nested.join('.'))
  );
}
