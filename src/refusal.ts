import { APIError, messageOf } from './api/client';
import type { IFieldError } from './api/types';
import type { LaunchValues } from './launch';

/** What the server said is wrong with a launch: by field, and otherwise. */
export interface IRefusal {
  errors: readonly IFieldError[];
  message: string;
}

export const NOTHING_WRONG: IRefusal = { errors: [], message: '' };

export function refusalOf(error: unknown): IRefusal {
  return error instanceof APIError && error.errors.length
    ? { errors: error.errors, message: '' }
    : { errors: [], message: messageOf(error) };
}

/** What is still wrong after a change of the form's values. */
export function afterChange(
  refusal: IRefusal,
  change: Partial<LaunchValues>
): IRefusal {
  const errors = refusal.errors.filter(one => !touches(change, one.field));
  return { errors, message: '' };
}

/** Whether a change of the form may have put right what was wrong. */
function touches(change: Partial<LaunchValues>, field: string): boolean {
  const [first, second] = field.split('.');
  if (first === 'size' || first === 'scaling') {
    const names = { workers_per_job: 'workersPerJob' } as const;
    const name = names[second as keyof typeof names] ?? second;
    return 'size' in change || 'queue' in change || name in change;
  }
  return first in change || 'queue' in change;
}
