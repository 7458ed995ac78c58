import type { IStateDB } from '@jupyterlab/statedb';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import type { ILaunchRequest, ISite } from './api/types';
import type { FormMemory } from './formMemory';
import { defaultValues, LaunchValues, requestOf } from './launch';
import { CUSTOM } from './workerValues';

const STATE_KEY = 'hpcdask-ext:run-script';

/** What is chosen for a script itself; all else is as in the launch form. */
export type ScriptChoice = Pick<LaunchValues, 'queue' | 'size'>;

interface ISaved {
  site?: string;
  choices?: { [site: string]: ScriptChoice };
}

/** Where scripts ran last, and with which clusters. */
export class ScriptMemory {
  constructor(
    private readonly _state: IStateDB | null,
    private readonly _form: FormMemory
  ) {
    this.restored = Promise.all([_form.restored, this._restore()]).then(
      () => undefined
    );
  }

  /** Fulfilled as soon as what was saved is there. */
  readonly restored: Promise<void>;

  /** The site of the last script, else the one of the launch form. */
  get site(): string | undefined {
    return this._saved.site ?? this._form.site;
  }

  /** The values for a script at a site. */
  values(site: ISite): LaunchValues {
    const values = this._form.values(site.name) ?? defaultValues(site);
    const { queue, size } = this._saved.choices?.[site.name] ?? {};
    const isQueue = site.queues.some(one => one.name === queue);
    const isSize = size === CUSTOM || site.sizes.some(one => one.name === size);
    return {
      ...values,
      // All of it is one job, whatever the launch form says.
      layout: 'allocation',
      ...(queue !== undefined && isQueue && { queue }),
      ...(size !== undefined && isSize && { size })
    };
  }

  async save(site: string, { queue, size }: ScriptChoice): Promise<void> {
    const choices = { ...this._saved.choices, [site]: { queue, size } };
    this._saved = { site, choices };
    await this._state?.save(
      STATE_KEY,
      this._saved as ReadonlyPartialJSONObject
    );
  }

  private async _restore(): Promise<void> {
    const saved = await this._state?.fetch(STATE_KEY).catch(() => undefined);
    this._saved = (saved ?? {}) as ISaved;
  }

  private _saved: ISaved = {};
}

/** The request that runs a script with a cluster in one job. */
export function scriptRequest(
  site: ISite,
  values: LaunchValues,
  path: string,
  words: string[]
): ILaunchRequest {
  return {
    // The name that was typed into the launch form is for another cluster.
    ...requestOf(site, { ...values, name: '', layout: 'allocation' }),
    layout: 'allocation',
    script: { path, arguments: words }
  };
}
