import { Dialog } from '@jupyterlab/apputils';
import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';

import { CommandIDs } from '../commandIds';
import { FormMemory } from '../formMemory';
import type { ClusterModel } from '../model';
import { addScriptCommand } from '../scriptCommand';
import { ScriptMemory } from '../scriptMemory';
import { cluster, FakeServer, until } from './fixtures';

const { runScript } = CommandIDs;

describe('the command that runs a script', () => {
  let server: FakeServer;
  let model: ClusterModel;
  let commands: CommandRegistry;
  let selected: { path: string }[];
  let shown: string[];

  function start(): void {
    model = server.model();
    commands = new CommandRegistry();
    selected = [];
    shown = [];
    const form = new FormMemory(null);
    const currentWidget = { selectedItems: () => selected.values() };
    addScriptCommand({
      app: {
        commands,
        serviceManager: {
          contents: { localPath: (path: string) => path.replace('RTC:', '') }
        }
      } as never,
      model,
      panel: { showClusters: () => void shown.push('clusters') },
      files: { tracker: { currentWidget } } as never,
      form,
      memory: new ScriptMemory(null, form),
      trans: nullTranslator.load('hpcdask_ext')
    });
  }

  const dialog = () => document.querySelector<HTMLElement>('.jp-Dialog');
  const accept = () =>
    dialog()!.querySelector<HTMLElement>('button.jp-mod-accept')!;

  beforeEach(() => {
    server = new FakeServer();
    start();
  });

  afterEach(() => {
    Dialog.flush();
    model.dispose();
  });

  it.each<[boolean, string[]]>([
    [true, ['a.py']],
    [true, ['runs/a.ipynb']],
    [false, ['a.txt']],
    [false, ['a.py', 'b.py']],
    [false, []]
  ])('is enabled (%p) for %p', (isEnabled, paths) => {
    selected = paths.map(path => ({ path }));
    expect(commands.isEnabled(runScript)).toBe(isEnabled);
  });

  it('runs the selected file and shows its cluster', async () => {
    selected = [{ path: 'RTC:runs/a.py' }];
    server.answer('POST', 'api/clusters', 201, cluster());
    const done = commands.execute(runScript);
    await until(() => Boolean(dialog()?.querySelector('input')), 'a dialog');
    expect(dialog()!.textContent).toContain('Run a.py with a cluster');
    accept().click();
    await done;
    expect(shown).toEqual(['clusters']);
    expect(server.asked.at(-1)!.method).toBe('POST');
    expect(server.asked.at(-1)!.body).toMatchObject({
      script: { path: 'runs/a.py', arguments: [] }
    });
  });

  it('runs a given file, whatever is selected', async () => {
    selected = [{ path: 'a.py' }];
    const done = commands.execute(runScript, { path: 'b.py' });
    await until(() => Boolean(dialog()?.querySelector('input')), 'a dialog');
    expect(dialog()!.textContent).toContain('Run b.py with a cluster');
    dialog()!.querySelector<HTMLElement>('button.jp-mod-reject')!.click();
    await done;
    expect(shown).toEqual([]);
  });

  it('says so where there is no site', async () => {
    server.sites = [];
    model.dispose();
    start();
    const done = commands.execute(runScript, { path: 'b.py' });
    await until(() => dialog() !== null, 'a dialog');
    expect(dialog()!.textContent).toContain('No site is available');
    dialog()!.querySelector<HTMLElement>('button')!.click();
    await done;
  });
});
