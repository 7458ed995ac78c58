import type { TranslationBundle } from '@jupyterlab/translation';

import type { ICluster, ILoad, ISite, OptionValue } from './api/types';
import { formatDuration, formatTime } from './format';
import type { LaunchValues } from './launch';

/** The name of the group of workers that every cluster has. */
const MAIN_GROUP = 'workers';

/** How full a queue is, in a few words for a list; empty if it is not known. */
export function loadInShort(
  load: ILoad | null,
  trans: TranslationBundle
): string {
  if (!load) {
    return '';
  }
  if (!load.open) {
    return load.note ? trans.__('closed (%1)', load.note) : trans.__('closed');
  }
  return loadParts(load, trans).at(0) ?? '';
}

/** The same with all that is known. */
export function loadInFull(
  load: ILoad | null,
  trans: TranslationBundle
): string {
  if (!load) {
    return '';
  }
  if (!load.open) {
    return load.note
      ? trans.__('Closed (%1): no jobs start here at the moment', load.note)
      : trans.__('Closed: no jobs start here at the moment');
  }
  const { nodes, free_nodes: free } = load;
  const [first, ...others] = loadParts(load, trans);
  const parts = [
    nodes !== null && free !== null
      ? trans.__('%1 of %2 nodes free', free, nodes)
      : first,
    ...others
  ];
  // A line ends between parts, not within one.
  const kept = parts.filter(Boolean).map(one => one.replaceAll(' ', '\u00a0'));
  return kept.join(' · ');
}

function loadParts(load: ILoad, trans: TranslationBundle): string[] {
  const { free_nodes, free_cores, running_jobs, pending_jobs } = load;
  return [
    free_nodes !== null &&
      trans._n('%1 node free', '%1 nodes free', free_nodes),
    free_cores !== null &&
      trans._n('%1 core free', '%1 cores free', free_cores),
    running_jobs !== null &&
      trans._n('%1 job running', '%1 jobs running', running_jobs),
    pending_jobs !== null &&
      trans._n('%1 job waiting', '%1 jobs waiting', pending_jobs)
  ].filter(part => part !== false);
}

/** A layout, as it is called in the form. */
export function layoutTitle(layout: string, trans: TranslationBundle): string {
  switch (layout) {
    case 'elastic':
      return trans.__('Separate jobs');
    case 'allocation':
      return trans.__('One job');
    default:
      return layout;
  }
}

/** What a layout means for who works with the cluster. */
export function layoutHelp(layout: string, trans: TranslationBundle): string {
  switch (layout) {
    case 'elastic':
      return trans.__(
        'Workers come as soon as each job starts; can grow and shrink.'
      );
    case 'allocation':
      return trans.__(
        'All workers come when the one job starts; can shrink, not grow.'
      );
    default:
      return '';
  }
}

/** What became of the script that a cluster runs; empty if it runs none. */
export function scriptWords(
  cluster: ICluster,
  trans: TranslationBundle
): string {
  const { script, exit_code: code, state } = cluster;
  if (!script) {
    return '';
  }
  const name = script.path.split('/').at(-1)!;
  if (code !== null) {
    return trans.__('%1 ended with exit code %2', name, code);
  }
  switch (state) {
    case 'running':
      return trans.__('%1 is running', name);
    case 'stopping':
    case 'stopped':
    case 'failed':
      return trans.__('%1 did not run to its end', name);
    default:
      return trans.__('%1 runs as soon as the job starts', name);
  }
}

/** When a launch would start, as a sentence. */
export function startWords(
  start: string | null,
  now: number,
  trans: TranslationBundle
): string {
  if (start === null) {
    return trans.__('It is not known when it would start.');
  }
  const seconds = (Date.parse(start) - now) / 1000;
  return seconds < 60
    ? trans.__('It would start at once.')
    : trans.__(
        'It would start at about %1, in about %2.',
        formatTime(start, now),
        formatDuration(seconds, trans)
      );
}

/** The options that a site adds to the form, and what was chosen. */
export function optionWords(
  site: ISite,
  { options }: Pick<LaunchValues, 'options'>,
  trans: TranslationBundle
): [string, string][] {
  const word = (value: OptionValue) =>
    value === true
      ? trans.__('yes')
      : value === false
        ? trans.__('no')
        : String(value);
  return site.options
    .map(({ name, title, type, default: usual }): [string, string] => {
      const chosen = options[name] ?? '';
      const isLeft = chosen === '' && type !== 'string';
      return [title || name, word(isLeft ? (usual ?? '') : chosen)];
    })
    .filter(([, value]) => value !== '');
}

/** A job script, by what its job is for, and for which workers. */
export function scriptTitle(
  role: string,
  group: string,
  trans: TranslationBundle
): string {
  switch (role) {
    case 'scheduler':
      return trans.__('Job script of the scheduler');
    case 'worker':
      return group === MAIN_GROUP
        ? trans.__('Job script of the workers')
        : trans.__('Job script of the workers: %1', group);
    case 'allocation':
    case 'cluster':
      return trans.__('Job script of the whole cluster');
    default:
      return trans.__('Job script (%1)', role);
  }
}
