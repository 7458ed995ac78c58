import * as React from 'react';

import { cluster, site } from '../../__tests__/fixtures';
import { APIError } from '../../api/client';
import { ClusterList, IClusterListProps } from '../clusterList';
import { Page, trans } from './render';

describe('ClusterList', () => {
  let page: Page;
  let acts: unknown[][];
  let actions: IClusterListProps['actions'];

  function show(part: Partial<IClusterListProps> = {}): void {
    page.render(
      <ClusterList
        clusters={[cluster()]}
        sites={[site()]}
        selected={null}
        problem={null}
        isLoading={false}
        isPlaceholder={() => false}
        refusal={() => ''}
        actions={actions}
        trans={trans}
        {...part}
      />
    );
  }

  beforeEach(() => {
    page = new Page();
    acts = [];
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
      dismiss: act('dismiss')
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
  });

  it.each([
    ['Client code into the notebook', 'insertCode'],
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
    expect(acts).toEqual([['scale', 'k3v9x0q2', 4]]);
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
});
