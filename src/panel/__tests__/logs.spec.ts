import { nullTranslator } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import { cluster, FakeServer, settled } from '../../__tests__/fixtures';
import { APIError } from '../../api/client';
import type { ICluster, ILog, LogRole } from '../../api/types';
import type { ClusterModel } from '../../model';
import { LogsView } from '../logs';

const trans = nullTranslator.load('hpcdask_ext');

type Asked = {
  role: LogRole | undefined;
  tail: number | undefined;
  answer: (text: string) => void;
  refuse: (message: string) => void;
};

describe('LogsView', () => {
  let asked: Asked[];
  let view: LogsView;
  let server: FakeServer;
  let model: ClusterModel;

  const readLogs = (_: string, role?: LogRole, tail?: number) =>
    new Promise<ILog[]>((resolve, reject) =>
      asked.push({
        role,
        tail,
        answer: text =>
          resolve([
            { job: '', role: role ?? 'launch', text, truncated: false }
          ]),
        refuse: message => reject(new APIError(502, message))
      })
    );

  const shown = async () => {
    await settled();
    return view.render().props as { logs: ILog[] | null; problem: string };
  };

  function make(part: Partial<ICluster> = {}): void {
    asked = [];
    const shown = cluster({ id: 'a', ...part });
    view = new LogsView({ cluster: shown, model, readLogs, trans });
  }

  beforeEach(async () => {
    server = new FakeServer();
    server.clusters = [cluster({ id: 'a' })];
    model = server.model();
    await model.ready;
    make();
  });

  afterEach(() => {
    view.dispose();
    model.dispose();
  });

  it('ignores what an older role answers', async () => {
    view.role = 'worker';
    void view.read();
    const [old, now] = asked;
    now.answer('of a worker');
    old.answer('of all');
    expect((await shown()).logs).toMatchObject([
      { role: 'worker', text: 'of a worker' }
    ]);
  });

  it('ignores what goes wrong for an older role', async () => {
    view.role = 'worker';
    void view.read();
    const [old, now] = asked;
    old.refuse('too late');
    expect((await shown()).problem).toBe('');
    now.answer('of a worker');
    expect((await shown()).problem).toBe('');
  });

  it('says what goes wrong, until it does not', async () => {
    asked[0].refuse('Bad Gateway');
    expect((await shown()).problem).toBe('Bad Gateway');
    void view.read();
    asked[1].answer('here');
    expect(await shown()).toMatchObject({ problem: '', logs: [{}] });
  });

  it.each<[string, (asked: Asked) => void]>([
    ['answers', one => one.answer('too late')],
    ['goes wrong', one => one.refuse('too late')]
  ])('draws nothing when it is closed before the server %s', async (_, act) => {
    const update = jest.spyOn(view, 'update');
    view.dispose();
    act(asked[0]);
    expect(await shown()).toMatchObject({ logs: null, problem: '' });
    expect(update).not.toHaveBeenCalled();
  });

  describe('of a cluster that runs a script', () => {
    const script = { path: '/home/alice/run.py', arguments: [] };
    const running = cluster({ id: 'a', layout: 'allocation', script });

    async function change(part: Partial<ICluster>): Promise<void> {
      server.clusters = [{ ...running, ...part }];
      await model.refresh();
    }

    /** Let the clock go on, and the requests of then be answered. */
    async function wait(milliseconds: number): Promise<void> {
      await jest.advanceTimersByTimeAsync(milliseconds);
      asked.forEach(one => one.answer('more'));
      await jest.advanceTimersByTimeAsync(0);
    }

    beforeEach(async () => {
      jest.useFakeTimers({ doNotFake: ['queueMicrotask', 'nextTick'] });
      view.dispose();
      const changed = change({});
      await jest.advanceTimersByTimeAsync(0);
      await changed;
      make(running);
    });

    afterEach(() => jest.useRealTimers());

    it('are those of the script first, and more of them', () => {
      expect(asked).toMatchObject([{ role: 'allocation', tail: 2000 }]);
    });

    it('are followed only while somebody looks', async () => {
      await wait(20_000);
      expect(asked).toHaveLength(1);
      Widget.attach(view, document.body);
      await wait(0);
      const first = asked.length;
      await wait(3_100);
      await wait(3_100);
      expect(asked.length).toBe(first + 2);
      view.hide();
      await wait(20_000);
      expect(asked.length).toBe(first + 2);
      view.show();
      await wait(10);
      expect(asked.length).toBe(first + 3);
    });

    it('are read once more when it has ended', async () => {
      Widget.attach(view, document.body);
      await wait(0);
      const changed = change({ state: 'stopped', exit_code: 0 });
      await jest.advanceTimersByTimeAsync(0);
      await changed;
      const before = asked.length;
      await wait(20_000);
      expect(asked.length - before).toBeLessThanOrEqual(1);
      expect(asked.length).toBeGreaterThan(2);
    });

    it('are asked for less often while the server does not answer', async () => {
      Widget.attach(view, document.body);
      for (let second = 0; second < 60; second += 1) {
        await jest.advanceTimersByTimeAsync(1_000);
        asked.forEach(one => one.refuse('Bad Gateway'));
      }
      expect(asked.length).toBeLessThan(10);
    });
  });
});
