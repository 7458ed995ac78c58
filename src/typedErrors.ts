import type { TranslationBundle } from '@jupyterlab/translation';

import type { IFieldError, ISite, ISiteOption } from './api/types';
import { groupErrors } from './groupErrors';
import { imageOf, isAdaptive, LaunchValues } from './launch';
import { workerErrors } from './workerErrors';
import { CUSTOM, hasSizes } from './workerValues';

/**
 * What can be seen to be wrong while it is typed: texts that do not match the
 * site's patterns, numbers out of bounds. All else is for the server to say.
 */
export function typedErrors(
  site: ISite,
  values: LaunchValues,
  trans: TranslationBundle
): IFieldError[] {
  return [
    ...mainErrors(site, values, trans),
    ...groupErrors(site, values, trans),
    ...imageErrors(site, values, trans),
    ...site.options.flatMap(option => optionErrors(option, values, trans))
  ];
}

/** Of the workers that every cluster has; a named size is right by itself. */
function mainErrors(
  site: ISite,
  values: LaunchValues,
  trans: TranslationBundle
): IFieldError[] {
  const isFixed = !isAdaptive(values);
  if (isFixed && hasSizes(site) && values.size !== CUSTOM) {
    return [];
  }
  const workers = isFixed ? { ...values, scaling: 'fixed' as const } : values;
  const fixed = hasSizes(site) ? 'size.workers' : 'scaling.workers';
  return workerErrors(site, workers, '', fixed, trans);
}

function imageErrors(
  site: ISite,
  values: LaunchValues,
  trans: TranslationBundle
): IFieldError[] {
  const image = imageOf(site, values);
  const text = values.image.trim();
  return image && !image.choices.includes(text)
    ? patternErrors('image', text, image.pattern, trans)
    : [];
}

function optionErrors(
  option: ISiteOption,
  values: LaunchValues,
  trans: TranslationBundle
): IFieldError[] {
  const { name, type, pattern, minimum, maximum } = option;
  const field = `options.${name}`;
  const value = values.options[name] ?? '';
  if (type === 'string') {
    return patternErrors(field, String(value), pattern, trans);
  }
  if (typeof value !== 'number') {
    return [];
  }
  const found = [
    type === 'integer' &&
      !Number.isInteger(value) &&
      trans.__('%1 is not a whole number', value),
    typeof minimum === 'number' &&
      value < minimum &&
      trans.__('%1 is below the minimum of %2', value, minimum),
    typeof maximum === 'number' &&
      value > maximum &&
      trans.__('%1 is above the maximum of %2', value, maximum)
  ];
  return found
    .filter(message => message !== false)
    .map(message => ({ field, message }));
}

function patternErrors(
  field: string,
  text: string,
  pattern: string | null | undefined,
  trans: TranslationBundle
): IFieldError[] {
  return text && pattern && !fits(text, pattern)
    ? [{ field, message: trans.__('“%1” does not match %2', text, pattern) }]
    : [];
}

/**
 * Whether a text matches a pattern as a whole. The patterns are Python's: one
 * that JavaScript does not understand in the same way is left to the server.
 */
function fits(text: string, pattern: string): boolean {
  try {
    return new RegExp(`^(?:${pattern})$`, 'u').test(text);
  } catch {
    return true;
  }
}
