import type { TranslationBundle } from '@jupyterlab/translation';

import type { IFieldError, ISite } from './api/types';
import { imageOf, LaunchValues } from './launch';

/**
 * What can be seen to be wrong while it is typed: texts that do not match the
 * site's patterns. All else is for the server to say.
 */
export function typedErrors(
  site: ISite,
  values: LaunchValues,
  trans: TranslationBundle
): IFieldError[] {
  const image = imageOf(site, values);
  const isChoice = image?.choices.includes(values.image.trim()) ?? false;
  const texts: [string, string, string | null | undefined][] = [
    ['image', values.image.trim(), isChoice ? null : image?.pattern],
    ...site.options
      .filter(option => option.type === 'string')
      .map((option): [string, string, string | null | undefined] => [
        `options.${option.name}`,
        String(values.options[option.name] ?? ''),
        option.pattern
      ])
  ];
  return texts
    .filter(([, text, pattern]) => text && pattern && !fits(text, pattern))
    .map(([field, text, pattern]) => ({
      field,
      message: trans.__('“%1” does not match %2', text, pattern)
    }));
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
