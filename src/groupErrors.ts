import type { TranslationBundle } from '@jupyterlab/translation';

import type { IFieldError, ISite } from './api/types';
import { groupsOf, GroupValues, readResources } from './groupValues';
import type { LaunchValues } from './launch';
import { mainWorkers } from './totals';
import { workerErrors } from './workerErrors';
import { limitsOf, wholeNumber, WorkerValues } from './workerValues';

/** The names of what a cluster has anyway. */
const TAKEN = ['scheduler', 'allocation', 'workers'];

/** What can be seen to be wrong with the workers of other kinds. */
export function groupErrors(
  site: ISite,
  values: LaunchValues,
  trans: TranslationBundle
): IFieldError[] {
  return groupsOf(site, values).flatMap((group, number, groups) => {
    const prefix = `groups.${number}.`;
    const before = groups.slice(0, number).map(one => one.name.trim());
    const texts: [string, string | null][] = [
      ['name', nameError(group, before, trans)],
      ['resources', resourcesError(group, trans)]
    ];
    return [
      ...texts
        .filter((one): one is [string, string] => one[1] !== null)
        .map(([field, message]) => ({ field: prefix + field, message })),
      ...workerErrors(site, group, prefix, 'scaling.workers', trans),
      ...queueErrors(
        site,
        [mainWorkers(site, values), ...groups.slice(0, number + 1)],
        prefix,
        trans
      )
    ];
  });
}

/** The limit of a queue is for all of a cluster's workers in it. */
function queueErrors(
  site: ISite,
  all: readonly WorkerValues[],
  prefix: string,
  trans: TranslationBundle
): IFieldError[] {
  const last = all[all.length - 1];
  const most = limitsOf(site, last).workers;
  const own = wholeNumber(last.workers);
  const sum = all
    .filter(one => one.queue === last.queue)
    .reduce((before, one) => before + (wholeNumber(one.workers) ?? 0), 0);
  // More than the limit by itself is an error already.
  if (!most || own === null || own > most || sum <= most) {
    return [];
  }
  const field = last.scaling === 'adaptive' ? 'maximum' : 'workers';
  const message = trans.__(
    '%1 workers in all groups together are more than the queue %2 allows: %3',
    sum,
    last.queue,
    most
  );
  return [{ field: `${prefix}scaling.${field}`, message }];
}

function nameError(
  group: GroupValues,
  before: readonly string[],
  trans: TranslationBundle
): string | null {
  const name = group.name.trim();
  if (!/^[a-z][a-z0-9]{0,15}$/.test(name)) {
    return trans.__(
      '1 to 16 small letters and digits, beginning with a letter'
    );
  }
  return TAKEN.includes(name) || before.includes(name)
    ? trans.__('“%1” is taken: choose another name', name)
    : null;
}

function resourcesError(
  group: GroupValues,
  trans: TranslationBundle
): string | null {
  const isWrong = ([name, amount]: [string, unknown]) =>
    !/^[A-Za-z][\w.-]{0,63}$/.test(name) ||
    typeof amount !== 'number' ||
    amount <= 0;
  return readResources(group.resources).some(isWrong)
    ? trans.__('Write names and numbers, for example GPU=1, disk=20')
    : null;
}
