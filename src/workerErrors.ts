import type { TranslationBundle } from '@jupyterlab/translation';

import type { IFieldError, ISite } from './api/types';
import {
  hasSizes,
  limitsOf,
  queueOf,
  wholeNumber,
  WorkerValues,
  workersPerJob
} from './workerValues';

/** What numbers of workers are checked against. */
interface ICheck {
  site: ISite;
  values: WorkerValues;
  trans: TranslationBundle;
}

/** A field, and what stands in it. */
type Typed = { field: string; text: string };

/**
 * What is wrong with how many workers there are to be, by the rules of the
 * server, whose fields have this prefix; `fixed` is the field of a fixed number.
 */
export function workerErrors(
  site: ISite,
  values: WorkerValues,
  prefix: string,
  fixed: string,
  trans: TranslationBundle
): IFieldError[] {
  const check = { site, values, trans };
  const most = { field: `${prefix}scaling.maximum`, text: values.workers };
  const least = { field: `${prefix}scaling.minimum`, text: values.minimum };
  const checks =
    values.scaling === 'fixed'
      ? [maximumError(check, { ...most, field: prefix + fixed })]
      : [
          minimumError(check, least),
          maximumError(check, most) ?? noneError(check, most)
        ];
  return checks.filter(error => error !== null);
}

/** What is wrong with the largest number of workers. */
function maximumError(check: ICheck, typed: Typed): IFieldError | null {
  const { site, values, trans } = check;
  const { field, text } = typed;
  const workers = wholeNumber(text);
  const most = limitsOf(site, values).workers ?? Infinity;
  if (workers === null || workers <= most) {
    return numberError(check, typed) ?? splitError(check, typed);
  }
  const queue = queueOf(site, values);
  const message = queue
    ? trans.__(
        '%1 workers are more than the queue %2 allows: %3',
        workers,
        queue.name,
        most
      )
    : trans.__('%1 workers are more than this site allows: %2', workers, most);
  return { field, message };
}

function minimumError(check: ICheck, typed: Typed): IFieldError | null {
  const { values, trans } = check;
  const least = wholeNumber(typed.text);
  const most = wholeNumber(values.workers);
  if (least !== null && most !== null && least > most) {
    const message = trans.__('%1 is above the maximum of %2', least, most);
    return { field: typed.field, message };
  }
  return numberError(check, typed) ?? splitError(check, typed);
}

/** A number that adapts has to have room for a worker. */
function noneError({ trans }: ICheck, typed: Typed): IFieldError | null {
  return wholeNumber(typed.text) === 0
    ? { field: typed.field, message: trans.__('At least one') }
    : null;
}

/** An empty field is not wrong yet: it is to be filled in. */
function numberError({ trans }: ICheck, typed: Typed): IFieldError | null {
  const { field, text } = typed;
  return text.trim() && wholeNumber(text) === null
    ? { field, message: trans.__('“%1” is not a whole number', text.trim()) }
    : null;
}

/** Jobs hold equally many workers each. */
function splitError(check: ICheck, typed: Typed): IFieldError | null {
  const { site, values, trans } = check;
  const workers = wholeNumber(typed.text);
  const perJob = workersPerJob(site, values);
  if (!workers || !perJob || workers % perJob === 0 || !hasSizes(site)) {
    return null;
  }
  const fits = workers - (workers % perJob);
  const message = fits
    ? trans.__(
        '%1 workers cannot be split into jobs of %2: choose %3 or %4',
        workers,
        perJob,
        fits,
        fits + perJob
      )
    : trans.__(
        '%1 workers cannot be split into jobs of %2: choose %3',
        workers,
        perJob,
        perJob
      );
  return { field: typed.field, message };
}
