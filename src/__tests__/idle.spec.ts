import { Notification } from '@jupyterlab/apputils';
import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';

import type { ICluster } from '../api/types';
import { CommandIDs } from '../commandIds';
import { IdleNotifier } from '../idle';
import type { ClusterModel } from '../model';
import { cluster, FakeServer } from './fixtures';

const NOW = Date.parse('2026-11-20T12:00:00Z');
const MINUTE = 60_000;

const inMinutes = (minutes: number) =>
  new Date(NOW + minutes * MINUTE).toISOString();

describe('the notification of an idle cluster', () => {
  let server: FakeServer;
  let model: ClusterModel;
  let notifier: IdleNotifier;
  let kept: unknown[];

  const told = () => Notification.manager.notifications;

  async function show(part: Partial<ICluster>): Promise<void> {
    server.clusters = [cluster({ id: 'a', ...part })];
    await model.refresh();
  }

  beforeEach(async () => {
    jest.useFakeTimers({ now: NOW, doNotFake: ['nextTick', 'setImmediate'] });
    server = new FakeServer();
    model = server.model();
    await model.ready;
    kept = [];
    const commands = new CommandRegistry();
    commands.addCommand(CommandIDs.keep, {
      execute: args => void kept.push(args)
    });
    const trans = nullTranslator.load('hpcdask_ext');
    notifier = new IdleNotifier({ model, commands, trans });
  });

  afterEach(() => {
    notifier.dispose();
    model.dispose();
    Notification.dismiss();
    jest.useRealTimers();
  });

  it('comes shortly before the end, by itself and once', async () => {
    await show({ idle_ends_at: inMinutes(30) });
    jest.advanceTimersByTime(24 * MINUTE);
    expect(told()).toEqual([]);
    jest.advanceTimersByTime(2 * MINUTE);
    expect(told().map(one => one.message)).toEqual([
      expect.stringContaining('era5 is idle')
    ]);
    await show({ idle_ends_at: inMinutes(30), name: 'other' });
    jest.advanceTimersByTime(2 * MINUTE);
    expect(told()).toHaveLength(1);
  });

  it('comes again in the next idle time', async () => {
    await show({ idle_ends_at: inMinutes(3) });
    const [first] = told();
    await show({ idle_ends_at: inMinutes(4) });
    expect(told()).toHaveLength(1);
    expect(told()[0].id).not.toBe(first.id);
  });

  it('is not dismissed by anything but what makes it moot', async () => {
    await show({ idle_ends_at: inMinutes(3) });
    Notification.dismiss(told()[0].id);
    await show({ idle_ends_at: inMinutes(3), name: 'other' });
    expect(told()).toEqual([]);
  });

  it('does not come again for a cluster that could not be kept', async () => {
    await show({ idle_ends_at: inMinutes(3) });
    await show({ idle_ends_at: null });
    await show({ idle_ends_at: inMinutes(3) });
    expect(told()).toEqual([]);
  });

  it.each<[string, Partial<ICluster>]>([
    ['works again', { idle_ends_at: null }],
    ['has ended', { idle_ends_at: inMinutes(3), state: 'stopped' }]
  ])('goes as soon as the cluster %s', async (_, part) => {
    await show({ idle_ends_at: inMinutes(3) });
    expect(told()).toHaveLength(1);
    await show(part);
    expect(told()).toEqual([]);
  });

  it('keeps the cluster by one click', async () => {
    await show({ idle_ends_at: inMinutes(3) });
    const [action] = told()[0].options.actions!;
    expect(action.label).toBe('Keep');
    action.callback(new MouseEvent('click'));
    expect(kept).toEqual([{ id: 'a' }]);
  });
});
