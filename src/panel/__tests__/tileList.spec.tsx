import * as React from 'react';

import { cluster } from '../../__tests__/fixtures';
import { groupPlots, plotsOf, searchPlots } from '../tileGroups';
import { ITileListProps, TileList } from '../tileList';
import { Page, trans } from './render';

const PLOTS = plotsOf({
  'Individual Task Stream': '/individual-task-stream',
  'Individual Progress': '/individual-progress',
  'Individual Workers Memory': '/individual-workers-memory',
  'Individual GPU Memory': '/individual-gpu-memory',
  'Individual Cluster Map': '/statics/individual-cluster-map.html',
  'Individual Bandwidth Types': '/individual-bandwidth-types',
  'Individual Something New': '/individual-something-new'
});

it('plots are grouped by what one wants to know, favourites first', () => {
  const groups = groupPlots(PLOTS, ['Progress', 'task stream', 'Gone'], trans);
  expect(
    groups.map(group => [group.title, ...group.plots.map(one => one.label)])
  ).toEqual([
    ['Favourites', 'Progress', 'Task Stream'],
    ['Workers', 'Cluster Map'],
    ['Memory', 'Workers Memory'],
    ['Network and disk', 'Bandwidth Types'],
    ['GPU', 'GPU Memory'],
    ['Other', 'Something New']
  ]);
});

it('a search finds names that have all its words', () => {
  const labels = (query: string) =>
    searchPlots(PLOTS, query).map(one => one.label);
  expect(labels('memory work')).toEqual(['Workers Memory']);
  expect(labels('')).toHaveLength(PLOTS.length);
  expect(labels('nothing')).toEqual([]);
});

describe('TileList', () => {
  let page: Page;
  let acts: unknown[][];

  function show(part: Partial<ITileListProps> = {}): void {
    const act = (name: string) => (value?: unknown) =>
      void acts.push([name, value]);
    page.render(
      <TileList
        cluster={cluster()}
        plots={PLOTS}
        problem=""
        favourites={['Progress']}
        hasLayout
        trans={trans}
        onOpen={plot => act('open')(plot.route)}
        onOpenPinned={plot => act('pin')(plot.route)}
        onGrab={plot => act('grab')(plot.route)}
        onFavourites={act('favourites')}
        onOpenLayout={act('layout')}
        {...part}
      />
    );
  }

  beforeEach(() => {
    page = new Page();
    acts = [];
  });

  afterEach(() => page.close());

  it('has a row for each plot', () => {
    show();
    expect(
      page
        .all('[data-route]')
        .map(one => one.dataset.route)
        .sort()
    ).toEqual(PLOTS.map(plot => plot.route).sort());
    page.click(page.button('Task Stream'));
    page.click(page.button('Open layout'));
    expect(acts).toEqual([
      ['open', '/individual-task-stream'],
      ['layout', expect.anything()]
    ]);
  });

  it('changes the favourites', () => {
    show();
    page.click(page.button('Favourite: Task Stream'));
    page.click(page.button('Favourite: Progress'));
    expect(acts).toEqual([
      ['favourites', ['Progress', 'Task Stream']],
      ['favourites', []]
    ]);
  });

  it('is searched', () => {
    show();
    page.type(page.get('input[type="search"]'), 'memory');
    expect(page.all('[data-route]')).toHaveLength(2);
    page.press(page.get('input[type="search"]'), 'ArrowDown');
    expect(document.activeElement?.getAttribute('aria-label')).toBe(
      'Workers Memory'
    );
  });

  it.each([
    [{ cluster: null }, 'Select a cluster'],
    [
      { cluster: cluster({ dashboard_url: null, state: 'pending' }) },
      'as soon as it runs'
    ],
    [
      { cluster: cluster({ dashboard_url: null, state: 'stopped' }) },
      'has ended'
    ],
    [{ plots: null, problem: 'Bad Gateway' }, 'Bad Gateway'],
    [{ plots: null }, 'Loading']
  ])('says why there are none: %#', (part, text) => {
    show(part);
    expect(page.get('[role="status"]').textContent).toContain(text);
    expect(page.all('[data-route]')).toEqual([]);
  });

  it('has no layout button without dask-labextension', () => {
    show({ hasLayout: false });
    expect(page.node.textContent).not.toContain('Open layout');
  });
});
