import * as React from 'react';

import { cluster } from '../../__tests__/fixtures';
import { APIError } from '../../api/client';
import type { ICluster } from '../../api/types';
import type { Editing } from '../cardParts';
import { ClusterList, IClusterListProps } from '../clusterList';
import { Page, trans } from './render';

describe('ClusterList', () => {
  let page: Page;
  let acts: unknown[][];
  let actions: IClusterListProps['actions'];
  let edited: { id: string; editing: Editing };
  let shown: Partial<IClusterListProps>;

  function show(part: Partial<IClusterListProps> = {}): void {
    shown = part;
    page.render(
      <ClusterList
        clusters={[cluster()]}
        selected={null}
        problem={null}
        isLoading={false}
        isPlaceholder={() => false}
        refusal={() => ''}
        areWarningsOpen={() => false}
        editing={id => (id === edited.id ? edited.editing : null)}
        actions={actions}
        onAdopt={() => void acts.push(['adopt'])}
        trans={trans}
        {...part}
      />
    );
  }

  beforeEach(() => {
    page = new Page();
    acts = [];
    edited = { id: '', editing: null };
    const act =
      (name: string) =>
      (...args: unknown[]) =>
        void acts.push([name, ...args]);
    actions = {
      select: act('select'),
      showDashboards: act('showDashboards'),
      insertCode: act('insertCode'),
      scale: act('scale'),
      rename: act('rename'),
      showLogs: act('showLogs'),
      stop: act('stop'),
      forget: act('forget'),
      dismiss: act('dismiss'),
      keep: act('keep'),
      showWarnings: act('showWarnings'),
      edit: (id, editing) => {
        edited = { id, editing };
        show(shown);
      }
    };
  });

  afterEach(() => page.close());

  it('tells all that matters of a cluster', () => {
    show();
    const card = page.get('[data-cluster-id="k3v9x0q2"]');
    expect(card.dataset.state).toBe('running');
    for (const text of [
      'era5',
      'running',
      'Centre (Slurm) · regular · Python 3 (ipykernel)',
      '2 / 2 workers',
      '8 cores',
      '32 GiB'
    ]) {
      expect(card.textContent).toContain(text);
    }
    const bar = page.get('[role="progressbar"]');
    expect(bar.getAttribute('aria-valuetext')).toBe('2 / 2 workers');
  });

  it('shows the other cards where one cannot be drawn, until it can', () => {
    const logged = jest.spyOn(console, 'error').mockImplementation();
    const good = cluster({ id: 'good', name: 'good' });
    const broken = cluster({ id: 'bad', name: 'bad', groups: [null as never] });
    show({ clusters: [broken, good] });
    expect(page.get('[role="alert"]').textContent).toMatch(
      /^The cluster “bad” cannot be shown \(.+\)\. It is not affected/
    );
    expect(page.get('[data-cluster-id="good"]').textContent).toContain('good');
    show({ clusters: [{ ...broken, groups: good.groups }, good] });
    expect(page.all('[role="alert"]')).toEqual([]);
    expect(page.all('[data-cluster-id]')).toHaveLength(2);
    logged.mockRestore();
  });

  it('gives the reason, the warnings and what cannot be reached', () => {
    show({
      clusters: [
        cluster({
          state: 'pending',
          reachable: false,
          reason: 'Waiting for other jobs to end (Priority)',
          estimated_start: '2026-11-20T14:05:00Z',
          warnings: ['a worker ended']
        })
      ]
    });
    const { textContent } = page.get('[data-state="pending"]');
    expect(textContent).toContain('(Priority)');
    expect(textContent).toContain('Starts at about');
    expect(textContent).toContain('a worker ended');
    expect(textContent).toContain('Cannot be reached');
    const icons = page.all('.jp-HPCDask-card [role="img"]');
    expect(icons.map(one => one.getAttribute('aria-label'))).toEqual([
      'Unreachable',
      'Warning'
    ]);
    const [unreachable, warning] = icons.map(one => one.innerHTML);
    expect(unreachable).toContain('<svg');
    expect(warning).toContain('<svg');
    expect(warning).not.toBe(unreachable);
  });

  describe('warnings', () => {
    const warnings = ['dask differs', 'numpy differs', 'tornado is old'];
    const clusters = [cluster({ warnings })];
    const line = () => page.get('.jp-HPCDask-card-warnings > button');

    it('are one line, below the buttons', () => {
      show({ clusters });
      expect(line().textContent).toBe('dask differsand 2 more');
      expect(line().getAttribute('aria-expanded')).toBe('false');
      expect(page.node.textContent).not.toContain('numpy');
      const place = page
        .get('.jp-HPCDask-card-actions')
        .compareDocumentPosition(line());
      expect(place).toBe(Node.DOCUMENT_POSITION_FOLLOWING);
      page.click(line());
      expect(acts).toEqual([['showWarnings', 'k3v9x0q2', true]]);
    });

    it('are read when they are open', () => {
      show({ clusters, areWarningsOpen: id => id === 'k3v9x0q2' });
      expect(line().textContent).toBe('3 warnings');
      expect(line().getAttribute('aria-expanded')).toBe('true');
      const list = page.get(`[id="${line().getAttribute('aria-controls')}"]`);
      const texts = [...list.children].map(one => one.textContent);
      expect(texts).toEqual(warnings);
      page.click(line());
      expect(acts).toEqual([['showWarnings', 'k3v9x0q2', false]]);
    });

    it('are not there without any', () => {
      show();
      expect(page.all('.jp-HPCDask-card-warnings')).toEqual([]);
    });
  });

  it('says why a cluster that runs cannot be reached', () => {
    const reason = 'The scheduler did not answer (TimeoutError).';
    show({ clusters: [cluster({ reachable: false, reason })] });
    const { textContent } = page.get('[data-state="running"]');
    expect(textContent).toContain('Cannot be reached');
    expect(textContent).toContain(reason);
  });

  it('names an environment that has no title', () => {
    show({ clusters: [cluster({ environment_title: '' })] });
    expect(page.get('.jp-HPCDask-card-place').textContent).toBe(
      'Centre (Slurm) · regular · python3'
    );
  });

  it('tells screen readers of changes, outside of what is folded', () => {
    show({ clusters: [cluster({ state: 'stopping' })] });
    show({ clusters: [cluster({ state: 'stopped' })] });
    const region = page.get('[role="status"]');
    expect(region.closest('details')).toBeNull();
    expect(region.textContent).toBe('era5: stopped');
  });

  it('tells screen readers of a launch when the server has answered', () => {
    const launched = cluster({ id: 'launching-1', state: 'submitting' });
    show({ clusters: [] });
    show({ clusters: [launched], isPlaceholder: () => true });
    expect(page.get('[role="status"]').textContent).toBe('');
    show({ clusters: [{ ...launched, id: 'a' }] });
    expect(page.get('[role="status"]').textContent).toBe('era5: submitting');
  });

  it.each([
    ['submitting', true, false],
    ['pending', false, false],
    ['stopping', true, true]
  ] as const)(
    'while %s: scale is disabled %p, stop is disabled %p',
    (state, isScaleOff, isStopOff) => {
      show({ clusters: [cluster({ state })] });
      expect(page.button('Scale').disabled).toBe(isScaleOff);
      expect(page.button('Stop').disabled).toBe(isStopOff);
      page.press(page.get('.jp-HPCDask-card'), 'Delete');
      expect(acts).toEqual(isStopOff ? [] : [['stop', 'k3v9x0q2']]);
    }
  );

  it('takes the number editor away when scaling is over', () => {
    show();
    page.click(page.button('Scale'));
    expect(page.all('input[type="number"]')).toHaveLength(1);
    show({ clusters: [cluster({ state: 'stopping' })] });
    expect(page.all('input[type="number"]')).toEqual([]);
  });

  it.each([
    ['Insert client code', 'insertCode'],
    ['Dashboards', 'showDashboards'],
    ['Logs', 'showLogs'],
    ['Stop', 'stop']
  ])('has the button %s', (name, act) => {
    show();
    page.click(page.button(name));
    expect(acts).toEqual([[act, 'k3v9x0q2']]);
  });

  it('scales in place: Enter confirms, Escape does not', () => {
    show();
    page.click(page.button('Scale'));
    page.type(page.get('input[type="number"]'), '5');
    page.press(page.get('input[type="number"]'), 'Escape');
    expect(page.all('input')).toEqual([]);
    page.click(page.button('Scale'));
    page.type(page.get('input[type="number"]'), '4');
    page.press(page.get('input[type="number"]'), 'Enter');
    expect(acts).toEqual([
      ['scale', 'k3v9x0q2', 'workers', { mode: 'fixed', workers: 4 }]
    ]);
  });

  it('follows the keyboard', () => {
    show({ clusters: [cluster({ id: 'a' }), cluster({ id: 'b' })] });
    const [a, b] = page.all('.jp-HPCDask-card');
    expect([a.tabIndex, b.tabIndex]).toEqual([0, -1]);
    a.focus();
    page.press(a, 'ArrowDown');
    expect(document.activeElement).toBe(b);
    page.press(b, 'Enter');
    page.press(b, ' ');
    page.press(b, 'Delete');
    expect(acts).toEqual([
      ['showDashboards', 'b'],
      ['select', 'b'],
      ['stop', 'b']
    ]);
    page.press(b, 'F2');
    page.type(page.get('input'), 'other');
    page.press(page.get('input'), 'Enter');
    expect(acts.at(-1)).toEqual(['rename', 'b', 'other']);
  });

  it('does not stop a cluster by a key pressed in a button', () => {
    show();
    page.press(page.button('Logs'), 'Delete');
    expect(acts).toEqual([]);
  });

  it('shows why an act was refused, until that is dismissed', () => {
    show({ refusal: id => (id === 'k3v9x0q2' ? 'at most 64' : '') });
    expect(page.get('[role="alert"]').textContent).toContain('at most 64');
    page.click(page.button('Dismiss'));
    expect(acts).toEqual([['dismiss', 'k3v9x0q2']]);
  });

  it('folds the stopped away, not the failed', () => {
    show({
      clusters: [
        cluster({ id: 'a', state: 'stopped', dashboard_url: null }),
        cluster({ id: 'b', state: 'failed', reason: 'no distributed' })
      ]
    });
    expect(page.get<HTMLDetailsElement>('details').open).toBe(false);
    expect(page.all('details [data-cluster-id="a"]')).toHaveLength(1);
    const failed = page.get(
      '.jp-HPCDask-clusterList > ul [data-cluster-id="b"]'
    );
    expect(failed.textContent).toContain('no distributed');
    page.click(page.all('button[aria-label="Forget"]')[0] as HTMLElement);
    expect(acts).toEqual([['forget', 'b']]);
  });

  it('offers nothing on a launch that is not answered', () => {
    show({
      clusters: [cluster({ id: 'launching-1', state: 'submitting', name: '' })],
      isPlaceholder: () => true
    });
    const card = page.get('[data-state="submitting"]');
    expect(card.hasAttribute('data-cluster-id')).toBe(false);
    expect(card.querySelectorAll('button')).toHaveLength(0);
  });

  it('says what to do when there is nothing', () => {
    show({ clusters: [] });
    expect(page.get('.jp-HPCDask-empty').textContent).toContain(
      'Launch cluster'
    );
    page.click(page.button('Adopt a cluster…'));
    expect(acts).toEqual([['adopt']]);
    show({ clusters: [], isLoading: true });
    expect(page.all('.jp-HPCDask-empty')).toEqual([]);
  });

  it('says what is wrong when the server extension is missing', () => {
    show({ clusters: [], problem: new APIError(404, 'Not Found') });
    expect(page.get('[role="alert"]').textContent).toContain('hpcdask_ext');
  });

  it('counts the time that is left by itself', () => {
    jest.useFakeTimers({ now: Date.parse('2026-11-20T11:00:00Z') });
    try {
      show({ clusters: [cluster({ ends_at: '2026-11-20T11:41:30Z' })] });
      expect(page.get('.jp-HPCDask-card-time').textContent).toBe('41 min left');
      // No new props: only the clock goes on.
      page.tick(60_000);
      expect(page.get('.jp-HPCDask-card-time').textContent).toBe('40 min left');
    } finally {
      jest.useRealTimers();
    }
  });

  describe('a cluster in one job', () => {
    const one = (part: Partial<ICluster> = {}) =>
      cluster({ layout: 'allocation', can_grow: false, ...part });

    it('says so', () => {
      show({ clusters: [one()] });
      const shown = page.all('.jp-HPCDask-card-numbers > span').at(-1)!;
      expect(shown.textContent).toBe('in one job');
      expect(shown.title).toContain('can shrink, not grow');
      show();
      expect(page.node.textContent).not.toContain('in one job');
    });

    it('can shrink, and says that it cannot grow', () => {
      show({ clusters: [one()] });
      page.click(page.button('Scale'));
      const editor = page.get<HTMLInputElement>('input[type="number"]');
      expect(editor.max).toBe('2');
      expect(page.described(editor)).toContain('At most 2 workers');
      page.type(editor, '3');
      page.press(editor, 'Enter');
      expect(acts).toEqual([]);
      expect(page.get('[role="alert"]').textContent).toContain('not grow');
      expect(editor.getAttribute('aria-invalid')).toBe('true');
      page.type(editor, '1');
      page.press(editor, 'Enter');
      expect(acts).toEqual([
        ['scale', 'k3v9x0q2', 'workers', { mode: 'fixed', workers: 1 }]
      ]);
    });

    it('of the other kind may grow', () => {
      show();
      page.click(page.button('Scale'));
      const editor = page.get<HTMLInputElement>('input[type="number"]');
      expect(editor.max).toBe('64');
      expect(page.described(editor)).not.toContain('shrink');
    });
  });

  it('counts GPUs where there are some', () => {
    show({ clusters: [cluster({ gpus: 8 })] });
    expect(page.get('.jp-HPCDask-card-numbers').textContent).toContain(
      '8 GPUs'
    );
    show();
    expect(page.node.textContent).not.toContain('GPU');
  });

  describe('a cluster with a script', () => {
    const script = { path: '/home/alice/analysis.py', arguments: ['a b'] };
    const words = () => page.get('.jp-HPCDask-card-script');
    const folded = () => page.all('.jp-HPCDask-ended .jp-HPCDask-card').length;

    it('tells that it runs, and how', () => {
      show({ clusters: [cluster({ script })] });
      expect(words().textContent).toBe('analysis.py is running');
      expect(words().title).toBe("/home/alice/analysis.py 'a b'");
    });

    it('tells once that it ended well, and is not folded away', () => {
      const reason = '“analysis.py” has ended with exit code 0.';
      const part: Partial<ICluster> = { script, state: 'stopped', reason };
      show({ clusters: [cluster({ ...part, exit_code: 0 })] });
      expect(words().textContent).toBe('analysis.py ended with exit code 0');
      expect(page.all('.jp-HPCDask-card-reason')).toEqual([]);
      expect(folded()).toBe(0);
      show({ clusters: [cluster({ ...part, exit_code: 143 })] });
      expect(folded()).toBe(1);
    });

    it('tells once how it failed, and what to do', () => {
      const reason = '“analysis.py” has failed (exit code 3): see its log.';
      const failed = { script, state: 'failed', exit_code: 3 } as const;
      show({ clusters: [cluster({ ...failed, reason })] });
      expect(words().textContent).toBe(reason);
      expect(words().className).toContain('jp-mod-error');
      expect(words().title).toContain('/home/alice/analysis.py');
      expect(page.all('.jp-HPCDask-card-reason')).toEqual([]);
    });

    it('tells the exit code where the reason does not', () => {
      const reason = '“analysis.py” has failed. Its memory ran out (4 GiB).';
      const failed = { script, state: 'failed', exit_code: 137 } as const;
      show({ clusters: [cluster({ ...failed, reason })] });
      expect(words().textContent).toBe('analysis.py ended with exit code 137');
      expect(page.get('.jp-HPCDask-card-reason').textContent).toBe(reason);
    });
  });
});
