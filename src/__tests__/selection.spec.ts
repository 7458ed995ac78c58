import { StateDB } from '@jupyterlab/statedb';

import { rememberSelection } from '../selection';
import { cluster, FakeServer } from './fixtures';

async function selectedAfterLoad(
  clusters: ReturnType<typeof cluster>[],
  saved?: string
): Promise<string | undefined> {
  const server = new FakeServer();
  server.clusters = clusters;
  const state = new StateDB();
  if (saved) {
    await state.save('hpcdask-ext:selected', saved);
  }
  const model = server.model();
  await rememberSelection(model, state);
  model.dispose();
  return model.selected?.id;
}

const dead = cluster({ id: 'dead', state: 'stopped', dashboard_url: null });
const waits = cluster({ id: 'waits', state: 'pending', dashboard_url: null });
const runs = cluster({ id: 'runs' });

it.each([
  ['the one of before', [waits, runs], 'waits', 'waits'],
  ['one that runs, if that has ended', [dead, waits, runs], 'dead', 'runs'],
  ['one that runs, if there was none', [waits, runs], undefined, 'runs'],
  ['none, if there is none', [], 'gone', undefined]
])('after a load the selected cluster is %s', async (_, list, saved, id) => {
  expect(await selectedAfterLoad(list, saved)).toBe(id);
});

it('the selection is remembered', async () => {
  const server = new FakeServer();
  server.clusters = [waits, runs];
  const state = new StateDB();
  const model = server.model();
  await rememberSelection(model, state);
  model.select('waits');
  await new Promise(resolve => setTimeout(resolve, 10));
  expect(await state.fetch('hpcdask-ext:selected')).toBe('waits');
  model.dispose();
});
