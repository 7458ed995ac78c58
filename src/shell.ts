import type { IScript } from './api/types';

/** A quote that is never closed, or a backslash with nothing behind it. */
export class UnfinishedWord extends Error {}

/** Blanks, what is quoted in one way or the other, one letter, other letters. */
const PART = /(\s+)|'([^']*)'|"((?:[^"\\]|\\[^])*)"|\\([^])|([^\s'"\\]+)/y;

/**
 * Split a line into words as a POSIX shell does: by blanks, but for what is
 * quoted. Nothing else that means something to a shell does so here.
 */
export function splitWords(line: string): string[] {
  const words: string[] = [];
  let word: string | null = null;
  PART.lastIndex = 0;
  while (PART.lastIndex < line.length) {
    const part = PART.exec(line);
    if (!part) {
      throw new UnfinishedWord(line);
    }
    const [, blanks, single, double, escaped, plain] = part;
    if (blanks) {
      words.push(...(word === null ? [] : [word]));
      word = null;
    } else {
      const quoted = single ?? double?.replace(/\\(["\\$`])/g, '$1');
      word = (word ?? '') + (quoted ?? escaped ?? plain);
    }
  }
  return word === null ? words : [...words, word];
}

/** A word as one types it into a shell. */
export function quoteWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word)
    ? word
    : `'${word.replaceAll("'", "'\\''")}'`;
}

/** A script with its arguments, as one would type it. */
export function commandLine(script: IScript): string {
  return [script.path, ...script.arguments].map(quoteWord).join(' ');
}
