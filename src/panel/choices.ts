import type { TranslationBundle } from '@jupyterlab/translation';

import type { ISite } from '../api/types';
import { formatMemory } from '../format';
import { loadInShort } from '../words';
import { CUSTOM } from '../workerValues';

/** An entry of a select. */
export interface IChoice {
  value: string;
  label: string;
}

/** The queues, with how full they are where that is known. */
export function queueChoices(site: ISite, trans: TranslationBundle): IChoice[] {
  return site.queues.map(queue => {
    const title = queue.title || queue.name;
    const load = loadInShort(queue.load, trans);
    return {
      value: queue.name,
      label: load ? trans.__('%1 — %2', title, load) : title
    };
  });
}

/** The named sizes, and the custom one as it stands in the launch form. */
export function sizeChoices(site: ISite, trans: TranslationBundle): IChoice[] {
  return [
    ...site.sizes.map(size => ({
      value: size.name,
      label: trans._n(
        '%2 — %1 worker',
        '%2 — %1 workers',
        size.workers,
        size.title || size.name
      )
    })),
    { value: CUSTOM, label: trans.__('Custom, as in the launch form') }
  ];
}

/** The named sizes by what each worker has, and the custom one. */
export function workerChoices(
  site: ISite,
  trans: TranslationBundle
): IChoice[] {
  return [
    ...site.sizes.map(size => ({
      value: size.name,
      label: trans.__(
        '%1 — %2, %3',
        size.title || size.name,
        trans._n('%1 core', '%1 cores', size.cores),
        formatMemory(size.memory)
      )
    })),
    { value: CUSTOM, label: trans.__('Custom') }
  ];
}
