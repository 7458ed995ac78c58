import type { IStateDB } from '@jupyterlab/statedb';

import { hasEnded } from './format';
import type { IClusterModel } from './tokens';

const STATE_KEY = 'hpcdask-ext:selected';

/**
 * Select what was selected before the page was loaded, else the newest
 * cluster that lives; and remember the selection from then on.
 */
export async function rememberSelection(
  model: IClusterModel,
  state: IStateDB | null
): Promise<void> {
  const saved = await state?.fetch(STATE_KEY).catch(() => undefined);
  await model.ready;
  if (!model.selected) {
    const before = model.get(String(saved));
    const live = model.clusters.filter(one => !hasEnded(one.state));
    const newest = live.find(one => one.dashboard_url) ?? live.at(0);
    const isLive = before && !hasEnded(before.state);
    model.select((isLive ? before : (newest ?? before))?.id ?? null);
  }
  let last = saved;
  model.selectedChanged.connect(() => {
    const id = model.selected?.id;
    if (id && id !== last && !model.isPlaceholder(id)) {
      last = id;
      void state?.save(STATE_KEY, id);
    }
  });
}
