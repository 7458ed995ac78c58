import { Dialog, Notification } from '@jupyterlab/apputils';
import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { Signal } from '@lumino/signaling';

import { addAdoptCommands } from '../adoptCommands';
import { CommandIDs } from '../commandIds';
import type { ClusterModel } from '../model';
import { cluster, FakeServer, settled, until } from './fixtures';

const { adopt, adoptFile, adoptNotebook } = CommandIDs;

const FILE = 'runs/scheduler.json';
const ADDRESS = 'tcp://10.0.0.1:8786';

describe('the commands that adopt', () => {
  let server: FakeServer;
  let model: ClusterModel;
  let commands: CommandRegistry;
  let shown: string[];
  let selected: string[];
  let current: object | null;
  let changed: Signal<object, void>;

  beforeEach(async () => {
    server = new FakeServer();
    model = server.model();
    await model.ready;
    commands = new CommandRegistry();
    shown = [];
    selected = [];
    current = null;
    changed = new Signal<object, void>({});
    const items = () => selected.map(path => ({ path }))[Symbol.iterator]();
    addAdoptCommands({
      app: {
        commands,
        serviceManager: {
          contents: { localPath: (path: string) => path.replace('RTC:', '') },
          kernelspecs: {
            specs: {
              kernelspecs: {
                python3: { language: 'python' },
                ir: { language: 'R' }
              }
            }
          }
        }
      } as never,
      model,
      panel: { showClusters: () => void shown.push('clusters') },
      files: {
        tracker: { currentWidget: { selectedItems: items, model: {} } }
      } as never,
      notebooks: {
        get currentWidget() {
          return current;
        },
        currentChanged: changed
      } as never,
      trans: nullTranslator.load('hpcdask_ext'),
      translator: nullTranslator
    });
  });

  afterEach(() => {
    Dialog.flush();
    Notification.dismiss();
    model.dispose();
  });

  /** A notebook whose kernel answers this expression. */
  function notebook(kernel: string, found: object): void {
    const content = {
      status: 'ok',
      user_expressions: { cluster: { data: { 'application/json': found } } }
    };
    const done = Promise.resolve({ content });
    current = {
      title: { label: 'work.ipynb' },
      sessionContext: {
        kernelChanged: new Signal<object, void>({}),
        session: {
          kernel: { name: kernel, requestExecute: () => ({ done }) }
        }
      }
    };
    changed.emit();
  }

  const accepted = (status = 201) =>
    server.answer(
      'POST',
      'api/clusters/adopt',
      status,
      cluster({ id: 'new', kind: 'adopted' })
    );
  const refuse = (field: string, message: string) =>
    server.answer('POST', 'api/clusters/adopt', 422, {
      message,
      errors: [{ field, message }]
    });
  const posted = () =>
    server.asked.filter(one => one.method === 'POST').map(one => one.body);
  const dialog = () => document.querySelector<HTMLElement>('.jp-Dialog');
  const isOpen = () =>
    until(() => Boolean(dialog()?.querySelector('input')), 'a dialog');
  const press = async (kind: 'accept' | 'reject') => {
    dialog()!.querySelector<HTMLElement>(`button.jp-mod-${kind}`)!.click();
    await settled();
  };
  const field = (name: string) =>
    dialog()!.querySelector<HTMLInputElement>(`[data-field="${name}"] input`)!;
  const told = () => Notification.manager.notifications.map(one => one.message);

  async function type(name: string, value: string): Promise<void> {
    const { prototype } = HTMLInputElement;
    const setter = Object.getOwnPropertyDescriptor(prototype, 'value')!.set!;
    setter.call(field(name), value);
    field(name).dispatchEvent(new Event('input', { bubbles: true }));
    await settled();
  }

  it('adopt at once what they are given, and select it', async () => {
    accepted();
    await commands.execute(adopt, { request: { address: ADDRESS } });
    expect(posted()).toEqual([{ address: ADDRESS }]);
    expect(model.selected?.id).toBe('new');
    expect(model.clusters.map(one => one.id)).toEqual(['new']);
    expect(shown).toEqual(['clusters']);
    expect(dialog()).toBeNull();
  });

  it('ask where the scheduler is', async () => {
    accepted();
    const done = commands.execute(adopt);
    await isOpen();
    await type('scheduler_file', ` ${FILE} `);
    await type('name', 'by hand');
    await type('tls.ca', 'ca.pem');
    await press('accept');
    await done;
    expect(posted()).toEqual([
      { scheduler_file: FILE, name: 'by hand', tls: { ca: 'ca.pem' } }
    ]);
    expect(dialog()).toBeNull();
  });

  it('do nothing if nobody wants it', async () => {
    const done = commands.execute(adopt);
    await isOpen();
    await press('reject');
    await done;
    expect(posted()).toEqual([]);
    expect(shown).toEqual([]);
  });

  it('ask for what was refused, and say why at its field', async () => {
    refuse('scheduler_file', 'half written');
    selected = [`RTC:${FILE}`];
    const done = commands.execute(adoptFile);
    await isOpen();
    expect(posted()).toEqual([{ scheduler_file: FILE }]);
    expect(field('scheduler_file').value).toBe(FILE);
    expect(field('scheduler_file').getAttribute('aria-invalid')).toBe('true');
    expect(dialog()!.textContent).toContain('half written');
    await type('scheduler_file', 'other.json');
    expect(dialog()!.textContent).not.toContain('half written');
    refuse('tls.ca', 'give its TLS files');
    await press('accept');
    expect(dialog()!.textContent).toContain('give its TLS files');
    expect(dialog()!.querySelector('details')!.open).toBe(true);
    accepted();
    await press('accept');
    await done;
    expect(shown).toEqual(['clusters']);
  });

  it('show the cluster that is here already', async () => {
    server.clusters = [
      cluster({ id: 'a', name: 'other' }),
      cluster({ id: 'b', name: 'era5' })
    ];
    await model.refresh();
    const message = 'This cluster is here already: “era5”.';
    server.answer('POST', 'api/clusters/adopt', 409, { message });
    await commands.execute(adoptFile, { path: FILE });
    expect(model.selected?.id).toBe('b');
    expect(shown).toEqual(['clusters']);
    expect(told()).toEqual([message]);
    expect(dialog()).toBeNull();
  });

  it.each<[boolean, string[]]>([
    [true, ['scheduler.json']],
    [true, ['runs/dask-scheduler-1.json']],
    [false, ['package.json']],
    [false, ['scheduler.py']],
    [false, ['scheduler/package.json']],
    [false, ['scheduler.json', 'scheduler-2.json']],
    [false, []]
  ])('of a file are there (%p) for %p', (isThere, paths) => {
    selected = paths;
    expect(commands.isEnabled(adoptFile)).toBe(isThere);
    expect(commands.isVisible(adoptFile)).toBe(isThere);
  });

  describe('of a notebook', () => {
    it('are there where its kernel is one of Python', () => {
      let seen = 0;
      commands.commandChanged.connect(() => (seen += 1));
      expect(commands.isEnabled(adoptNotebook)).toBe(false);
      notebook('ir', {});
      expect(commands.isEnabled(adoptNotebook)).toBe(false);
      notebook('python3', {});
      expect(commands.isEnabled(adoptNotebook)).toBe(true);
      expect(seen).toBe(2);
    });

    it('adopt by one click', async () => {
      const found = { dashboard: null, name: 'LocalCluster', tls: {} };
      notebook('python3', { address: ADDRESS, ...found });
      accepted();
      await commands.execute(adoptNotebook);
      expect(posted()).toEqual([{ address: ADDRESS, name: 'LocalCluster' }]);
      expect(shown).toEqual(['clusters']);
    });

    it('say so if there is no cluster', async () => {
      notebook('python3', {});
      await commands.execute(adoptNotebook);
      expect(posted()).toEqual([]);
      expect(told()).toEqual([
        expect.stringContaining('The kernel of work.ipynb is connected to no')
      ]);
    });

    it('are offered in the dialog', async () => {
      notebook('python3', {});
      const done = commands.execute(adopt);
      await isOpen();
      expect(dialog()!.textContent).toContain('work.ipynb');
      const offer = [...dialog()!.querySelectorAll('button')].find(
        one => one.textContent === 'Adopt it'
      );
      offer!.click();
      await done;
      expect(dialog()).toBeNull();
      expect(told()).toHaveLength(1);
    });
  });
});
