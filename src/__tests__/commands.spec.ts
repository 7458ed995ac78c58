import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';

import type { ICluster } from '../api/types';
import { CommandIDs } from '../commandIds';
import { addCommands } from '../commands';
import { DaskLabextension } from '../labextension';
import type { ClusterModel } from '../model';
import { AskBeforeStop, Settings } from '../settings';
import { cluster, FakeServer, until } from './fixtures';

const TILE = { cluster: 'a', name: 'era5', route: '/individual-x', label: 'X' };

describe('the commands', () => {
  let server: FakeServer;
  let model: ClusterModel;
  let commands: CommandRegistry;
  let seen: unknown[][];
  let clicked: { [name: string]: string } | undefined;

  async function start(
    first: Partial<ICluster> = {},
    ask: AskBeforeStop = 'connected'
  ): Promise<void> {
    server = new FakeServer();
    server.clusters = [cluster({ id: 'a', ...first }), cluster({ id: 'b' })];
    model = server.model();
    await model.ready;
    commands = new CommandRegistry();
    seen = [];
    clicked = undefined;
    const settings = new Settings();
    jest.spyOn(settings, 'askBeforeStop', 'get').mockReturnValue(ask);
    addCommands({
      app: {
        commands,
        contextMenuHitTest: (isIt: (node: { dataset: object }) => boolean) =>
          clicked && isIt({ dataset: clicked })
            ? { dataset: clicked }
            : undefined
      } as never,
      model,
      panel: {
        showLaunch: () => void seen.push(['launch']),
        showClusters: () => void seen.push(['clusters']),
        showScaling: (one, group) => void seen.push(['scale', one.id, group]),
        showDashboards: () => void seen.push(['dashboards'])
      },
      tiles: {
        open: (tile: unknown) => void seen.push(['tile', tile])
      } as never,
      labextension: new DaskLabextension(commands),
      notebooks: null,
      settings,
      trans: nullTranslator.load('hpcdask_ext'),
      showLogs: one => void seen.push(['logs', one.id])
    });
  }

  afterEach(() => {
    model.dispose();
    jest.restoreAllMocks();
  });

  const deleted = () => server.count('DELETE', 'api/clusters/a');
  const dialogButton = (accept: boolean) =>
    document.querySelector<HTMLElement>(
      `.jp-Dialog-button.${accept ? 'jp-mod-warn' : 'jp-mod-reject'}`
    );

  it.each<[number, AskBeforeStop, boolean]>([
    [0, 'connected', false],
    [1, 'connected', true],
    [0, 'always', true],
    [1, 'never', false]
  ])('stop with %p clients asks (%s): %p', async (clients, ask, asks) => {
    await start({ clients }, ask);
    const stopping = commands.execute(CommandIDs.stop, { id: 'a' });
    if (asks) {
      await until(() => dialogButton(false) !== null, 'a dialog');
      expect(deleted()).toBe(0);
      dialogButton(true)!.click();
    }
    await stopping;
    expect(deleted()).toBe(1);
  });

  it('always asks before it stops what others use too', async () => {
    await start({ kind: 'adopted', clients: 0 }, 'never');
    const stopping = commands.execute(CommandIDs.stop, { id: 'a' });
    await until(() => dialogButton(false) !== null, 'a dialog');
    expect(document.querySelector('.jp-Dialog')!.textContent).toContain(
      'for everybody who uses it'
    );
    dialogButton(false)!.click();
    await stopping;
    expect(deleted()).toBe(0);
  });

  it('scale as they are told, or let the card ask', async () => {
    await start();
    const scaling = { mode: 'adaptive', minimum: 0, maximum: 4 };
    await commands.execute(CommandIDs.scale, { id: 'a', scaling });
    expect(server.asked.at(-1)).toMatchObject({
      method: 'PATCH',
      body: { scaling }
    });
    const asked = server.asked.length;
    await commands.execute(CommandIDs.scale, { id: 'a' });
    await commands.execute(CommandIDs.scale, { id: 'b', group: 'gpu' });
    expect(seen).toEqual([
      ['scale', 'a', 'workers'],
      ['scale', 'b', 'gpu']
    ]);
    expect(server.asked).toHaveLength(asked);
  });

  it.each<[Partial<ICluster>, string[]]>([
    [{ can_scale: false }, []],
    [{}, [CommandIDs.scale]],
    [{ can_forget: true }, [CommandIDs.scale, CommandIDs.forget]],
    [
      { idle_ends_at: '2026-11-20T12:00:00Z' },
      [CommandIDs.scale, CommandIDs.keep]
    ]
  ])('of a cluster with %p are enabled: %p', async (part, ids) => {
    await start(part);
    const some = [CommandIDs.scale, CommandIDs.keep, CommandIDs.forget];
    const args = { id: 'a' };
    expect(some.filter(id => commands.isEnabled(id, args)).sort()).toEqual(
      ids.sort()
    );
  });

  it('a stop that is not confirmed is none', async () => {
    await start({ clients: 2 });
    const stopping = commands.execute(CommandIDs.stop, { id: 'a' });
    await until(() => dialogButton(false) !== null, 'a dialog');
    dialogButton(false)!.click();
    await stopping;
    expect(deleted()).toBe(0);
    expect(model.get('a')?.state).toBe('running');
  });

  it('are for the given cluster, else the one clicked on, else the selected', async () => {
    await start();
    model.select('b');
    await commands.execute(CommandIDs.showLogs, { id: 'a' });
    await commands.execute(CommandIDs.showLogs);
    clicked = { clusterId: 'a' };
    await commands.execute(CommandIDs.showLogs);
    expect(seen).toEqual([
      ['logs', 'a'],
      ['logs', 'b'],
      ['logs', 'a']
    ]);
  });

  it('a refused act is no error of the command', async () => {
    await start();
    server.answer('PATCH', 'api/clusters/a', 409, { message: 'not now' });
    await commands.execute(CommandIDs.scale, { id: 'a', workers: 3 });
    expect(model.refusal('a')).toBe('not now');
  });

  it('are enabled where they make sense', async () => {
    await start({ state: 'failed' });
    const enabled = (id: string) =>
      Object.values(CommandIDs).filter(one => commands.isEnabled(one, { id }));
    expect(enabled('a')).not.toContain(CommandIDs.stop);
    expect(enabled('a')).toContain(CommandIDs.forget);
    expect(enabled('b')).toContain(CommandIDs.stop);
    expect(enabled('b')).not.toContain(CommandIDs.forget);
    expect(enabled('nobody')).not.toContain(CommandIDs.showLogs);
  });

  it.each([
    ['submitting', false, true],
    ['running', true, true],
    ['stopping', false, false]
  ] as const)('while %s: scale %p, stop %p', async (state, scales, stops) => {
    await start({ state });
    const isEnabled = (id: string) => commands.isEnabled(id, { id: 'a' });
    expect(isEnabled(CommandIDs.scale)).toBe(scales);
    expect(isEnabled(CommandIDs.stop)).toBe(stops);
    expect(isEnabled(CommandIDs.insertCode)).toBe(stops);
  });

  it('there is no client code for a cluster that has ended', async () => {
    await start({ state: 'stopped', client_code: null });
    const args = { id: 'a' };
    expect(commands.isEnabled(CommandIDs.insertCode, args)).toBe(false);
    await commands.execute(CommandIDs.insertCode, args);
    expect(document.querySelector('.jp-Dialog')).toBeNull();
  });

  it('nothing can be done to a launch that is not answered', async () => {
    await start();
    server.hold('POST');
    server.answer('POST', 'api/clusters', 201, cluster({ id: 'new' }));
    const launched = model.launch({ site: 'centre' });
    expect(model.selected?.state).toBe('submitting');
    expect(commands.isEnabled(CommandIDs.stop)).toBe(false);
    expect(commands.isEnabled(CommandIDs.showLogs)).toBe(false);
    server.release();
    await launched;
    expect(commands.isEnabled(CommandIDs.stop)).toBe(true);
  });

  it('without dask-labextension a dashboard is our own tile', async () => {
    await start();
    await commands.execute(CommandIDs.openDashboard, TILE);
    expect(seen).toEqual([['tile', TILE]]);
    expect(commands.isEnabled(CommandIDs.openLayout, { id: 'a' })).toBe(false);
  });

  it('show the dashboards of a cluster that becomes the selected one', async () => {
    await start();
    await commands.execute(CommandIDs.showDashboards, { id: 'b' });
    expect(model.selected?.id).toBe('b');
    expect(seen).toEqual([['dashboards']]);
  });
});
