import { Dialog } from '@jupyterlab/apputils';
import { StateDB } from '@jupyterlab/statedb';
import { nullTranslator } from '@jupyterlab/translation';

import {
  cluster,
  FakeServer,
  settled,
  site,
  until
} from '../../__tests__/fixtures';
import { FormMemory } from '../../formMemory';
import type { ClusterModel } from '../../model';
import { ScriptMemory } from '../../scriptMemory';
import { runScript } from '../scriptDialog';

const trans = nullTranslator.load('hpcdask_ext');
const PATH = 'runs/analysis.py';

describe('the dialog that runs a script', () => {
  let server: FakeServer;
  let model: ClusterModel;
  let state: StateDB;
  let form: FormMemory;
  let done: Promise<boolean>;

  const dialog = () => document.querySelector<HTMLElement>('.jp-Dialog');
  const get = <T extends HTMLElement>(selector: string) =>
    dialog()!.querySelector<T>(selector)!;
  const select = (field: string) =>
    get<HTMLSelectElement>(`[data-field="${field}"] select`);
  const button = (kind: string) => get(`button.jp-mod-${kind}`);
  const alerts = () =>
    [...dialog()!.querySelectorAll('[role="alert"]')].map(
      one => one.textContent
    );
  const posted = () =>
    server.asked.filter(one => one.method === 'POST').map(one => one.body);

  async function open(path = PATH): Promise<void> {
    const memory = new ScriptMemory(state, form);
    await memory.restored;
    form.take(model.sites);
    done = runScript({ path, model, memory, trans });
    await until(() => Boolean(dialog()?.querySelector('input')), 'a dialog');
  }

  async function enter(
    node: HTMLInputElement | HTMLSelectElement,
    value: string
  ): Promise<void> {
    const isSelect = node instanceof HTMLSelectElement;
    const { prototype } = isSelect ? HTMLSelectElement : HTMLInputElement;
    Object.getOwnPropertyDescriptor(prototype, 'value')!.set!.call(node, value);
    const event = isSelect ? 'change' : 'input';
    node.dispatchEvent(new Event(event, { bubbles: true }));
    await settled();
  }

  const type = (line: string) => enter(get<HTMLInputElement>('input'), line);

  beforeEach(async () => {
    server = new FakeServer();
    server.sites = [site({ name: 'a' }), site({ name: 'b', title: 'B' })];
    model = server.model();
    state = new StateDB();
    form = new FormMemory(state);
    await model.ready;
    server.answer('POST', 'api/clusters', 201, cluster());
  });

  afterEach(() => {
    // One that a failed test has left open.
    void done.catch(() => undefined);
    Dialog.flush();
    model.dispose();
  });

  it('is for sites with jobs, and asks for a single one', async () => {
    const others = { batch_system: null, queues: [], sizes: [] };
    const gateway = site({ name: 'g', kind: 'gateway', ...others });
    server.sites = [gateway, ...server.sites];
    await model.refreshSites(0);
    form.take(model.sites);
    form.site = 'g';
    form.change('a', { scaling: 'adaptive', minimum: '0', workers: '50' });
    await open();
    const sites = [...select('site').options].map(one => one.value);
    expect(sites).toEqual(['a', 'b']);
    expect(get('output').textContent).toContain('2 workers');
    button('accept').click();
    expect(await done).toBe(true);
    expect(posted()[0]).toMatchObject({ site: 'a', layout: 'allocation' });
    expect(posted()[0]).not.toHaveProperty('scaling');
  });

  it('runs it in one job, with its arguments as words', async () => {
    await open();
    await type("--year 2020 'two words'");
    expect(get('code').textContent).toBe(
      "python analysis.py --year 2020 'two words'"
    );
    button('accept').click();
    expect(await done).toBe(true);
    expect(posted()).toEqual([
      {
        site: 'a',
        queue: 'regular',
        size: 'small',
        environment: 'python3',
        account: 'science',
        options: { qos: 'normal' },
        layout: 'allocation',
        script: { path: PATH, arguments: ['--year', '2020', 'two words'] }
      }
    ]);
    expect(dialog()).toBeNull();
  });

  it('takes all else from the launch form, but for the name', async () => {
    form.take(model.sites);
    form.change('a', { name: 'era5', size: '', cores: '7', walltime: '3:00' });
    await open();
    expect(select('size').value).toBe('');
    button('accept').click();
    await done;
    expect(posted()[0]).toMatchObject({ size: { cores: 7 }, walltime: '3:00' });
    expect(posted()[0]).not.toHaveProperty('name');
  });

  it('offers next time what was chosen last', async () => {
    await open();
    await enter(select('site'), 'b');
    await enter(select('queue'), 'debug');
    await enter(select('size'), 'large');
    button('accept').click();
    await done;
    expect(posted()).toMatchObject([
      { site: 'b', queue: 'debug', size: 'large' }
    ]);
    await open();
    expect(['site', 'queue', 'size'].map(one => select(one).value)).toEqual([
      'b',
      'debug',
      'large'
    ]);
    await enter(select('site'), 'a');
    expect(select('queue').value).toBe('regular');
  });

  it('stays open where something is wrong, and says it at the field', async () => {
    server.answer('POST', 'api/clusters', 422, {
      message: '3 fields are wrong',
      errors: [
        { field: 'queue', message: 'no such queue' },
        { field: 'script.arguments.0', message: 'too long' },
        { field: 'script.path', message: 'not a file' }
      ]
    });
    await open();
    await type('x');
    button('accept').click();
    await until(() => alerts().length === 3, 'errors');
    expect(alerts()).toEqual(['no such queue', 'too long', 'not a file']);
    await type('y');
    expect(alerts()).toEqual(['no such queue', 'not a file']);
    await enter(select('queue'), 'debug');
    expect(alerts()).toEqual([]);
    server.answer('POST', 'api/clusters', 201, cluster());
    button('accept').click();
    expect(await done).toBe(true);
  });

  it('says what else went wrong, and can be tried again', async () => {
    server.answer('POST', 'api/clusters', 502, { message: 'sbatch: error' });
    await open();
    button('accept').click();
    await until(() => alerts().length > 0, 'an error');
    expect(alerts()).toEqual(['sbatch: error']);
    server.answer('POST', 'api/clusters', 201, cluster());
    button('accept').click();
    expect(await done).toBe(true);
  });

  it('runs nothing while a quote is open', async () => {
    await open();
    await type("'two");
    expect(alerts()[0]).toContain('left open');
    button('accept').click();
    await settled();
    expect(posted()).toEqual([]);
    await type("'two words'");
    expect(alerts()).toEqual([]);
    button('accept').click();
    expect(await done).toBe(true);
  });

  it('is launched once, however often Run is clicked', async () => {
    await open();
    server.hold('POST');
    button('accept').click();
    button('accept').click();
    await settled();
    server.release();
    await done;
    expect(posted()).toHaveLength(1);
  });

  it('runs nothing when it is cancelled', async () => {
    await open();
    button('reject').click();
    expect(await done).toBe(false);
    expect(posted()).toEqual([]);
  });

  it('says how a notebook is run', async () => {
    await open('runs/era5.ipynb');
    expect(get('code').textContent).toBe(
      'jupyter nbconvert --execute era5.ipynb'
    );
  });
});
