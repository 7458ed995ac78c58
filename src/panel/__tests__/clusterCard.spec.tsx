import * as React from 'react';

import { cluster, GIB, group } from '../../__tests__/fixtures';
import type { ICluster } from '../../api/types';
import type { Editing, ICardActions } from '../cardParts';
import { ClusterCard } from '../clusterCard';
import { Page, trans } from './render';

const NOW = Date.parse('2026-11-20T12:00:00Z');

const ADAPTIVE = { mode: 'adaptive', minimum: 0, maximum: 20 } as const;

describe('ClusterCard', () => {
  let page: Page;
  let acts: unknown[][];
  let editing: Editing;
  let actions: ICardActions;
  let shown: Partial<ICluster>;

  function show(part: Partial<ICluster> = {}): void {
    shown = part;
    page.render(
      <ClusterCard
        cluster={cluster(part)}
        refusal=""
        isSelected={false}
        isTabStop
        isPlaceholder={false}
        areWarningsOpen={false}
        editing={editing}
        actions={actions}
        trans={trans}
      />
    );
  }

  beforeEach(() => {
    page = new Page();
    acts = [];
    editing = null;
    actions = new Proxy({} as ICardActions, {
      get:
        (_, name) =>
        (...args: unknown[]) => {
          if (name === 'edit') {
            editing = args[1] as Editing;
            show(shown);
          } else {
            acts.push([name, ...args]);
          }
        }
    });
  });

  afterEach(() => {
    page.close();
    jest.useRealTimers();
  });

  const text = (selector = 'li') => page.get(selector).textContent!;
  const names = () =>
    page.all('button').map(one => one.getAttribute('aria-label'));
  const input = (label: string) =>
    page.get<HTMLInputElement>(`input[aria-label="${label}"]`);

  describe('that adapts', () => {
    const scaled = {
      scaling: ADAPTIVE,
      groups: [group({ scaling: ADAPTIVE })]
    };

    it('says between which bounds', () => {
      show(scaled);
      const words = '2 of 0–20 workers, adapts to the work';
      expect(text('.jp-HPCDask-card-workers')).toBe(words);
      const bar = page.get('[role="progressbar"]');
      expect(bar.getAttribute('aria-valuetext')).toBe(words);
    });

    it('says what is on the way', () => {
      const workers = { requested: 5, pending: 3, running: 2 };
      show({
        scaling: ADAPTIVE,
        workers,
        groups: [group({ ...scaled, workers })]
      });
      expect(text('.jp-HPCDask-card-workers')).toBe(
        '2 of 0–20 workers, 3 on the way'
      );
    });

    it('becomes so, and says what it may cost', () => {
      show();
      page.click(page.button('Scale'));
      page.choose(page.get('select'), 'adaptive');
      page.type(input('Most workers'), '20');
      expect(page.described(input('Most workers'))).toBe(
        'Up to 80 cores · 320 GiB, as the work needsAt most 64 workers in this queue'
      );
      page.press(input('Most workers'), 'Enter');
      expect(acts).toEqual([['scale', 'k3v9x0q2', 'workers', ADAPTIVE]]);
      expect(page.all('form')).toEqual([]);
    });

    it('is not asked for what is so already', () => {
      show(scaled);
      page.click(page.button('Scale'));
      expect(input('Most workers').value).toBe('20');
      page.click(page.button('Apply'));
      expect(acts).toEqual([]);
      expect(page.all('form')).toEqual([]);
    });

    it('says at the numbers what is wrong with them', () => {
      show(scaled);
      page.click(page.button('Scale'));
      page.type(input('Most workers'), '65');
      page.click(page.button('Apply'));
      expect(text('[role="alert"]')).toContain('65 workers are more than');
      expect(input('Most workers').getAttribute('aria-invalid')).toBe('true');
      page.type(input('Most workers'), '64');
      expect(page.all('[role="alert"]')).toEqual([]);
      page.click(page.button('Cancel'));
      expect(acts).toEqual([]);
    });

    it('is no choice where the cluster cannot', () => {
      show({ can_adapt: false });
      page.click(page.button('Scale'));
      expect(page.all('select')).toEqual([]);
    });
  });

  it('has no scale button where it cannot be scaled', () => {
    show({ can_scale: false });
    expect(names()).not.toContain('Scale');
    show({ can_scale: false, groups: [group(), group({ name: 'gpu' })] });
    expect(names()).toEqual([
      'Insert client code',
      'Dashboards',
      'Logs',
      'Stop'
    ]);
  });

  describe('with several groups', () => {
    const gpu = group({
      name: 'gpu',
      queue: 'gpu-nodes',
      workers: { requested: 4, pending: 3, running: 1 },
      worker: { cores: 2, memory: 8 * GIB, gpus: 1 },
      scaling: { mode: 'fixed', workers: 4 },
      limits: {}
    });
    const part = {
      groups: [group(), gpu],
      workers: { requested: 6, pending: 3, running: 3 },
      gpus: 4
    };

    it('has a row for each, and totals', () => {
      show(part);
      expect(text('.jp-HPCDask-card-numbers')).toContain('3 / 6 workers');
      expect(text('.jp-HPCDask-card-place')).not.toContain('regular');
      const rows = page.all('.jp-HPCDask-group');
      expect(rows.map(one => one.textContent)).toEqual([
        'workersregular2 / 2',
        'gpugpu-nodes1 / 4'
      ]);
      const bars = page.all('[role="progressbar"]');
      expect(bars.map(one => one.getAttribute('aria-valuetext'))).toEqual([
        '2 / 2 workers',
        '1 / 4 workers'
      ]);
    });

    it('scales one of them', () => {
      show(part);
      expect(names()).not.toContain('Scale');
      page.click(page.button('Scale gpu'));
      expect(page.button('Scale gpu').getAttribute('aria-pressed')).toBe(
        'true'
      );
      expect(page.get('form').closest('li')!.dataset.group).toBe('gpu');
      page.type(input('Number of workers'), '8');
      expect(page.described(input('Number of workers'))).toBe(
        '16 cores · 64 GiB · 8 GPUs'
      );
      page.press(input('Number of workers'), 'Enter');
      expect(acts).toEqual([
        ['scale', 'k3v9x0q2', 'gpu', { mode: 'fixed', workers: 8 }]
      ]);
    });
  });

  describe('that is idle', () => {
    const idle = { idle_ends_at: '2026-11-20T12:12:30Z' };

    beforeEach(() => void jest.useFakeTimers({ now: NOW }));

    it('counts down by itself, and warns shortly before the end', () => {
      show(idle);
      const note = () => page.get('.jp-HPCDask-card-idle');
      expect(note().textContent).toContain('Idle: stops in 12 min');
      expect(note().className).not.toContain('jp-mod-warn');
      page.tick(8 * 60_000);
      expect(note().textContent).toContain('Idle: stops in 4 min');
      expect(note().className).toContain('jp-mod-warn');
      page.tick(4 * 60_000);
      page.tick(1_000);
      expect(note().textContent).toContain('Idle: stops in 29 s');
      page.tick(60_000);
      expect(note().textContent).toContain('Idle: stops now');
    });

    it('is kept by one click', () => {
      show(idle);
      page.click(page.button('Keep'));
      expect(acts).toEqual([['keep', 'k3v9x0q2']]);
      show();
      expect(page.all('.jp-HPCDask-card-idle')).toEqual([]);
    });
  });

  describe('tells the time of use', () => {
    const hours = () => text('.jp-HPCDask-card-coreHours');

    beforeEach(() => void jest.useFakeTimers({ now: NOW }));

    it('counting on with the cores that run', () => {
      show({ core_hours: 9.2, cores_running: 8 });
      expect(hours()).toBe('9.2 core-h');
      page.tick(15 * 60_000);
      expect(hours()).toBe('11 core-h');
      show({ core_hours: 11.5, cores_running: 0 });
      page.tick(60 * 60_000);
      expect(hours()).toBe('12 core-h');
    });

    it.each(['stopped', 'failed'] as const)('of what has %s', state => {
      show({ state, core_hours: 0.25, cores_running: 8 });
      page.tick(60 * 60_000);
      expect(hours()).toBe('0.3 core-h');
    });

    it.each([
      [0.0949, '0.09 core-h'],
      [0.0951, '0.1 core-h'],
      [0.1, '0.1 core-h'],
      [9.94, '9.9 core-h'],
      [9.96, '10 core-h'],
      [10, '10 core-h']
    ])('of %p hours the same way on both sides of a step', (used, words) => {
      show({ state: 'stopped', core_hours: used });
      expect(hours()).toBe(words);
    });

    it('where it is known', () => {
      show();
      expect(page.all('.jp-HPCDask-card-coreHours')).toEqual([]);
      show({ state: 'stopped' });
      expect(page.all('.jp-HPCDask-card-numbers')).toEqual([]);
    });
  });

  describe('of an adopted cluster', () => {
    const adopted: Partial<ICluster> = {
      kind: 'adopted',
      site: '',
      site_title: '',
      queue: '',
      environment: '',
      environment_title: '',
      can_scale: false,
      can_adapt: false,
      can_forget: true,
      cores: 4,
      memory: 8 * GIB,
      scheduler: { address: 'tcp://10.0.0.1:8786', file: null }
    };

    it('says that it is one, and where', () => {
      show(adopted);
      expect(text('.jp-HPCDask-card-place')).toBe('Adopted');
      expect(page.get('.jp-HPCDask-card-place').title).toContain('10.0.0.1');
      expect(text('.jp-HPCDask-card-workers')).toBe('2 workers');
      expect(page.all('[role="progressbar"]')).toEqual([]);
      expect(names()).toEqual([
        'Insert client code',
        'Dashboards',
        'Forget',
        'Stop'
      ]);
    });

    it('offers to forget it where it went away, with no question', () => {
      jest.useFakeTimers({ now: NOW });
      const since = '2026-11-19T10:00:00Z';
      show({ ...adopted, reachable: false, unreachable_since: since });
      const note = page.get('.jp-HPCDask-card-note');
      expect(note.textContent).toContain('Cannot be reached since');
      expect(note.textContent).toContain('19');
      page.click(note.querySelector('button')!);
      expect(acts).toEqual([['forget', 'k3v9x0q2']]);
    });

    it('leaves what is ours to be stopped', () => {
      show({ reachable: false });
      expect(names()).not.toContain('Forget');
      expect(page.all('.jp-HPCDask-card-note button')).toEqual([]);
    });
  });

  it('of a gateway tells no queue, and nothing that is not known', () => {
    show({
      kind: 'gateway',
      site_title: 'Gateway',
      queue: '',
      environment: '',
      environment_title: '',
      clients: null,
      cores: 0,
      memory: 0
    });
    expect(text('.jp-HPCDask-card-place')).toBe('Gateway');
    expect(text('.jp-HPCDask-card-numbers')).toBe('2 / 2 workers');
  });

  it('has the focus again after its name was edited', () => {
    jest.useFakeTimers();
    show();
    page.get('li').focus();
    page.press(page.get('li'), 'F2');
    expect(document.activeElement).toBe(page.get('input'));
    page.press(page.get('input'), 'Escape');
    page.tick(1);
    expect(document.activeElement).toBe(page.get('li'));
  });
});
