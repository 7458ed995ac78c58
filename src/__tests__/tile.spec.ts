import { nullTranslator } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import type { ClusterModel } from '../model';
import { Tile, tileId, Tiles } from '../tile';
import { cluster, FakeServer, until } from './fixtures';

const OPTIONS = {
  cluster: 'a',
  name: 'era5',
  route: '/individual-task-stream',
  label: 'Task Stream'
};

describe('Tile', () => {
  let server: FakeServer;
  let model: ClusterModel;
  let added: [Widget, unknown][];
  let tiles: Tiles;

  const url = (tile: Tile) =>
    tile.node.querySelector('iframe')!.getAttribute('src');
  const notice = (tile: Tile) =>
    tile.node.querySelector('[role="status"]')!.textContent;

  beforeEach(async () => {
    server = new FakeServer();
    server.clusters = [
      cluster({ id: 'a', dashboard_url: 'hpcdask/proxy/a/' }),
      cluster({ id: 'b', dashboard_url: 'hpcdask/proxy/b/' })
    ];
    model = server.model();
    await model.ready;
    added = [];
    tiles = new Tiles({
      model,
      trans: nullTranslator.load('hpcdask_ext'),
      urlOf: (base, route) => server.client.dashboard(base, route),
      shell: {
        add: (widget: Widget, _: string, how: unknown) =>
          void added.push([widget, how]),
        activateById: () => undefined
      } as never
    });
  });

  afterEach(() => model.dispose());

  it('is named by plot and cluster', () => {
    expect(tileId(OPTIONS)).toBe('hpcdask-tile-a-task-stream');
    expect(
      tileId({ ...OPTIONS, route: '/statics/individual-cluster-map.html' })
    ).toBe('hpcdask-tile-a-statics-individual-cluster-map-html');
  });

  it('shows the plot of its cluster, whichever is selected', () => {
    const tile = tiles.tile(OPTIONS);
    model.select('b');
    expect(url(tile)).toBe(
      'http://localhost/user/alice/hpcdask/proxy/a/individual-task-stream'
    );
    expect(tile.title.label).toBe('Task Stream · era5');
    expect(notice(tile)).toBe('');
  });

  it('takes over another name', async () => {
    const tile = tiles.tile(OPTIONS);
    server.answer('PATCH', 'api/clusters/a', 200, {
      ...server.clusters[0],
      name: 'new'
    });
    await model.rename('a', 'new');
    expect(tile.title.label).toBe('Task Stream · new');
  });

  it('lets go of a dashboard that has ended, and says so', async () => {
    const tile = tiles.tile(OPTIONS);
    server.clusters[0] = cluster({
      id: 'a',
      state: 'stopped',
      dashboard_url: null
    });
    server.emit('a');
    await until(() => notice(tile) !== '');
    expect(notice(tile)).toBe('The cluster era5 has ended.');
    expect(url(tile)).toBe('about:blank');
  });

  it('says when its cluster is not tracked, under the name of then', async () => {
    const tile = tiles.tile({ ...OPTIONS, cluster: 'gone' });
    await until(() => notice(tile) === 'This cluster is no longer tracked.');
    expect(tile.title.label).toBe('Task Stream · era5');
    expect(url(tile)).toBeNull();
  });

  describe('while the page loads', () => {
    let loading: ClusterModel;

    const tileOf = (id: string) =>
      new Tile({
        tile: { ...OPTIONS, cluster: id },
        model: (loading = server.model()),
        trans: nullTranslator.load('hpcdask_ext'),
        urlOf: (base, route) => server.client.dashboard(base, route)
      });

    afterEach(() => {
      server.release();
      loading.dispose();
    });

    it.each([
      ['a', ''],
      ['gone', 'This cluster is no longer tracked.']
    ])('looks for the cluster %s until it is known', async (id, text) => {
      server.hold('GET');
      const tile = tileOf(id);
      expect(notice(tile)).toBe('Looking for the cluster…');
      server.release();
      await loading.ready;
      await until(() => notice(tile) === text);
    });

    it('does not say that it is gone when nothing could be read', async () => {
      server.answer('GET', 'api/clusters', 502, { message: 'Bad Gateway' });
      const tile = tileOf('a');
      await loading.ready;
      expect(notice(tile)).toBe('Looking for the cluster…');
      await loading.refresh();
      expect(notice(tile)).toBe('');
    });
  });

  it('says why its cluster cannot be reached', async () => {
    const tile = tiles.tile(OPTIONS);
    const reason = 'The scheduler did not answer.';
    server.clusters[0] = { ...server.clusters[0], reachable: false, reason };
    server.emit('a');
    await until(() => notice(tile)!.includes(reason));
  });

  it('loads anew when its cluster can be reached again', async () => {
    const tile = tiles.tile(OPTIONS);
    const frame = tile.node.querySelector('iframe')!;
    const loads = jest.spyOn(frame, 'setAttribute');
    server.clusters[0] = { ...server.clusters[0], reachable: false };
    server.emit('a');
    await until(() => notice(tile)!.includes('cannot be reached'));
    expect(loads).not.toHaveBeenCalled();
    server.clusters[0] = { ...server.clusters[0], reachable: true };
    server.emit('a');
    await until(() => notice(tile) === '');
    expect(loads).toHaveBeenCalledTimes(1);
  });

  it('is one for each plot of each cluster, until it is closed', () => {
    const tile = tiles.open(OPTIONS);
    expect(tiles.open(OPTIONS)).toBe(tile);
    expect(tiles.open({ ...OPTIONS, cluster: 'b' })).not.toBe(tile);
    expect(added[0]).toEqual([tile, { mode: 'split-right' }]);
    tile.close();
    expect(tile.isDisposed).toBe(true);
    expect(tiles.tile(OPTIONS)).not.toBe(tile);
  });
});
