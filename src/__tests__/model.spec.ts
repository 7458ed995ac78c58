import { APIError } from '../api/client';
import type { ClusterModel } from '../model';
import { FakeServer, cluster, group, site, sleep, until } from './fixtures';

describe('ClusterModel', () => {
  let server: FakeServer;
  let model: ClusterModel;
  let emitted: number;

  async function start(): Promise<void> {
    model = server.model();
    await model.ready;
    emitted = 0;
    model.clustersChanged.connect(() => (emitted += 1));
    server.asked.length = 0;
  }

  beforeEach(() => {
    server = new FakeServer();
  });

  afterEach(() => {
    server.release();
    model.dispose();
  });

  describe('events', () => {
    it('read again only the cluster that changed', async () => {
      server.clusters = [cluster({ id: 'a' }), cluster({ id: 'b' })];
      await start();
      server.clusters[1] = cluster({ id: 'b', state: 'stopping' });
      server.emit('b');
      await until(() => model.get('b')?.state === 'stopping');
      expect(server.asked.map(one => one.path)).toEqual(['api/clusters/b']);
      expect(emitted).toBe(1);
    });

    it('that come together are one read', async () => {
      server.clusters = [cluster({ id: 'a' })];
      await start();
      server.clusters = [cluster({ id: 'a', name: 'other' })];
      ['state', 'workers', 'details'].forEach(one => server.emit('a', one));
      await until(() => model.get('a')?.name === 'other');
      expect(server.count('GET', 'api/clusters/a')).toBe(1);
    });

    it('of many clusters are one list', async () => {
      const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
      server.clusters = ids.map(id => cluster({ id }));
      await start();
      server.clusters = ids.map(id => cluster({ id, name: `new ${id}` }));
      ids.forEach(id => server.emit(id));
      await until(() => model.get('f')?.name === 'new f');
      expect(server.asked.map(one => one.path)).toEqual(['api/clusters']);
    });

    it('that change nothing emit nothing', async () => {
      server.clusters = [cluster({ id: 'a' })];
      await start();
      server.emit('a');
      await until(() => server.count('GET', 'api/clusters/a') === 1);
      await sleep(20);
      expect(emitted).toBe(0);
    });

    it('of others are none of ours', async () => {
      server.clusters = [cluster({ id: 'a' })];
      await start();
      server.stream.emit({ schema_id: 'https://other/v1', cluster: 'a' });
      await sleep(60);
      expect(server.asked).toEqual([]);
    });

    it('bring new clusters and take forgotten ones', async () => {
      server.clusters = [
        cluster({ id: 'old', created: '2026-01-01T00:00:00Z' })
      ];
      await start();
      server.clusters.unshift(cluster({ id: 'new' }));
      server.emit('new', 'launched');
      await until(() => model.clusters.length === 2);
      expect(model.clusters.map(one => one.id)).toEqual(['new', 'old']);
      server.emit('old', 'forgotten');
      expect(model.clusters.map(one => one.id)).toEqual(['new']);
    });
  });

  describe('launch', () => {
    const request = { site: 'centre', queue: 'regular', size: 'small' };

    it('shows the card at once and then the answer', async () => {
      await start();
      server.hold('POST');
      server.answer(
        'POST',
        'api/clusters',
        201,
        cluster({ id: 'new', state: 'submitting' })
      );
      const launched = model.launch(request);
      const [card] = model.clusters;
      expect(card).toMatchObject({
        state: 'submitting',
        site_title: 'Centre (Slurm)',
        workers: { requested: 2, running: 0 },
        cores: 8
      });
      expect(model.isPlaceholder(card.id)).toBe(true);
      expect(model.selected).toBe(card);
      server.release();
      expect((await launched).id).toBe('new');
      expect(model.clusters.map(one => one.id)).toEqual(['new']);
      expect(model.selected?.id).toBe('new');
      expect(model.isPlaceholder('new')).toBe(false);
    });

    it('never shows two cards, though the event is faster', async () => {
      await start();
      let most = 0;
      model.clustersChanged.connect(
        () => (most = Math.max(most, model.clusters.length))
      );
      server.hold('POST');
      const made = cluster({ id: 'new', state: 'submitting' });
      server.answer('POST', 'api/clusters', 201, made);
      const launched = model.launch(request);
      server.clusters = [cluster({ id: 'new', state: 'pending' })];
      server.emit('new', 'launched');
      await sleep(60);
      await model.refresh();
      expect(model.clusters).toHaveLength(1);
      server.release();
      await launched;
      await until(() => model.get('new')?.state === 'pending');
      expect(most).toBe(1);
    });

    it('takes the card back when it is refused', async () => {
      server.clusters = [cluster({ id: 'a' })];
      await start();
      model.select('a');
      server.answer('POST', 'api/clusters', 422, {
        message: '1 field is wrong',
        errors: [{ field: 'size.workers', message: 'too many' }]
      });
      const launched = model.launch(request);
      expect(model.clusters).toHaveLength(2);
      await expect(launched).rejects.toBeInstanceOf(APIError);
      expect(model.clusters.map(one => one.id)).toEqual(['a']);
      expect(model.selected?.id).toBe('a');
    });
  });

  describe('acts', () => {
    beforeEach(async () => {
      server.clusters = [cluster({ id: 'a' })];
      await start();
    });

    it('show at once what was asked, then what is so', async () => {
      server.answer(
        'PATCH',
        'api/clusters/a',
        200,
        cluster({ id: 'a', workers: { requested: 4, pending: 1, running: 3 } })
      );
      const scaled = model.scale('a', { mode: 'fixed', workers: 4 });
      expect(model.get('a')?.workers).toEqual({
        requested: 4,
        pending: 2,
        running: 2
      });
      await scaled;
      expect(model.get('a')?.workers).toEqual({
        requested: 4,
        pending: 1,
        running: 3
      });
    });

    it('put back what was and say why when refused', async () => {
      server.answer('PATCH', 'api/clusters/a', 422, {
        message: '1 field is wrong',
        errors: [{ field: 'scaling.workers', message: 'at most 64' }]
      });
      await expect(
        model.scale('a', { mode: 'fixed', workers: 99 })
      ).rejects.toThrow('1 field is wrong');
      expect(model.get('a')?.workers.requested).toBe(2);
      expect(model.refusal('a')).toBe('at most 64');
      model.dismiss('a');
      expect(model.refusal('a')).toBe('');
    });

    it('are not undone by an older answer', async () => {
      server.hold('GET', 'api/clusters');
      const read = model.refresh();
      server.answer(
        'DELETE',
        'api/clusters/a',
        202,
        cluster({ id: 'a', state: 'stopping' })
      );
      await model.stop('a');
      server.release();
      await read;
      expect(model.get('a')?.state).toBe('stopping');
    });

    it.each(['stopped', 'failed'] as const)(
      'stop leaves a cluster alone that has %s since the last event',
      async state => {
        server.clusters = [cluster({ id: 'a', state, reason: 'walltime' })];
        expect(model.get('a')?.state).toBe('running');
        await model.stop('a');
        expect(server.count('DELETE', 'api/clusters/a')).toBe(0);
        expect(model.get('a')).toMatchObject({ state, reason: 'walltime' });
      }
    );

    it('stop reads an ended cluster again, and shows no other state', async () => {
      server.clusters = [cluster({ id: 'a', state: 'failed' })];
      await model.refresh();
      const stopped = model.stop('a');
      expect(model.get('a')?.state).toBe('failed');
      await stopped;
      expect(server.count('GET', 'api/clusters/a')).toBe(1);
      expect(server.count('DELETE', 'api/clusters/a')).toBe(0);
    });

    it('stop removes a card that another window has forgotten', async () => {
      server.clusters = [];
      await model.stop('a');
      expect(model.clusters).toEqual([]);
    });

    it('stop says so when the cluster cannot be asked for', async () => {
      server.answer('GET', 'api/clusters/a', 504, { message: 'no answer' });
      await expect(model.stop('a')).rejects.toThrow('no answer');
      expect(server.count('DELETE', 'api/clusters/a')).toBe(0);
      expect(model.get('a')?.state).toBe('running');
      expect(model.refusal('a')).toBe('no answer');
    });

    it('drop the refusal of a cluster that is removed', async () => {
      server.answer('PATCH', 'api/clusters/a', 409, { message: 'not now' });
      await expect(
        model.scale('a', { mode: 'fixed', workers: 3 })
      ).rejects.toThrow();
      expect(model.refusal('a')).toBe('not now');
      server.emit('a', 'forgotten');
      expect(model.refusal('a')).toBe('');
    });

    it('keep no refusal that comes after the cluster was removed', async () => {
      server.hold('PATCH');
      server.answer('PATCH', 'api/clusters/a', 409, { message: 'not now' });
      const scaled = model.scale('a', { mode: 'fixed', workers: 3 });
      server.emit('a', 'forgotten');
      server.release();
      await expect(scaled).rejects.toThrow('not now');
      expect(model.refusal('a')).toBe('');
    });

    it('scale one group, and put all back when refused', async () => {
      const groups = [group(), group({ name: 'gpu' })];
      server.clusters = [cluster({ id: 'a', groups })];
      await model.refresh();
      server.hold('PATCH');
      server.answer('PATCH', 'api/clusters/a', 422, {
        message: 'wrong',
        errors: [{ field: 'scaling.maximum', message: 'at most 64' }]
      });
      const scaling = { mode: 'adaptive', minimum: 3, maximum: 99 } as const;
      const scaled = model.scale('a', scaling, 'gpu');
      expect(model.get('a')?.groups[1]).toMatchObject({
        scaling,
        workers: { requested: 3, pending: 1, running: 2 }
      });
      server.release();
      await expect(scaled).rejects.toThrow('wrong');
      expect(server.asked.at(-1)?.path).toBe('api/clusters/a');
      const asked = server.asked.find(one => one.method === 'PATCH');
      expect(asked?.body).toEqual({ scaling, group: 'gpu' });
      expect(model.get('a')?.groups).toEqual(groups);
      expect(model.refusal('a')).toBe('at most 64');
    });

    it('keep ends the countdown at once, until that is refused', async () => {
      const idle = { id: 'a', idle_ends_at: '2026-11-20T12:00:00Z' };
      server.clusters = [cluster(idle)];
      await model.refresh();
      server.answer('POST', 'api/clusters/a/keep', 504, { message: 'silent' });
      const kept = model.keep('a');
      expect(model.get('a')?.idle_ends_at).toBeNull();
      await expect(kept).rejects.toThrow('silent');
      expect(model.get('a')?.idle_ends_at).toBe(idle.idle_ends_at);
      const later = { id: 'a', idle_ends_at: '2026-11-20T13:00:00Z' };
      server.answer('POST', 'api/clusters/a/keep', 200, cluster(later));
      server.clusters = [cluster(later)];
      await model.keep('a');
      expect(model.get('a')?.idle_ends_at).toBe(later.idle_ends_at);
    });

    it('adopt brings one card, though the event is faster', async () => {
      const made = cluster({ id: 'new', kind: 'adopted' });
      server.hold('POST');
      server.answer('POST', 'api/clusters/adopt', 201, made);
      const adopted = model.adopt({ address: 'tcp://10.0.0.1:8786' });
      server.clusters = [made, ...server.clusters];
      server.emit('new', 'launched');
      await until(() => model.get('new') !== undefined);
      server.release();
      expect((await adopted).id).toBe('new');
      expect(model.clusters.map(one => one.id).sort()).toEqual(['a', 'new']);
      expect(model.selected?.id).toBe('new');
    });

    it('forget lets an adopted cluster run', async () => {
      server.clusters = [cluster({ id: 'a', can_forget: true })];
      await model.refresh();
      server.answer('DELETE', 'api/clusters/a?forget=true', 204);
      await model.forget('a');
      expect(model.clusters).toEqual([]);
      expect(server.count('DELETE', 'api/clusters/a')).toBe(0);
    });

    it('forget ends the record of an ended cluster only', async () => {
      await model.forget('a');
      expect(server.count('DELETE', 'api/clusters/a')).toBe(0);
      server.clusters = [cluster({ id: 'a', state: 'failed' })];
      await model.refresh();
      server.answer('DELETE', 'api/clusters/a', 204);
      await model.forget('a');
      expect(model.clusters).toEqual([]);
    });
  });

  it('says why clusters could not be read, until they can', async () => {
    server.answer('GET', 'api/clusters', 500, { message: 'disk full' });
    model = server.model();
    await model.ready;
    expect(model.problem?.message).toBe('disk full');
    await model.refresh();
    expect(model.problem).toBeNull();
  });

  it('says why the sites could not be read, apart from the clusters', async () => {
    server.answer('GET', 'api/sites', 500, { message: 'disk full' });
    model = server.model();
    let told = 0;
    model.sitesChanged.connect(() => (told += 1));
    await model.ready;
    expect(model.sitesProblem?.message).toBe('disk full');
    expect(model.problem).toBeNull();
    expect(told).toBe(1);
    await model.refresh();
    expect(model.sitesProblem).toBeNull();
    expect(model.sites).toHaveLength(1);
    expect(told).toBe(2);
  });

  it('keeps the sites of before when they cannot be read again', async () => {
    await start();
    server.answer('GET', 'api/sites', 502, { message: 'Bad Gateway' });
    await model.refresh();
    expect(model.sitesProblem?.message).toBe('Bad Gateway');
    expect(model.sites).toHaveLength(1);
  });

  it('emits a selection when the selected cluster changes, not another', async () => {
    server.clusters = [cluster({ id: 'a' }), cluster({ id: 'b' })];
    await start();
    model.select('a');
    let selections = 0;
    model.selectedChanged.connect(() => (selections += 1));
    server.clusters[1] = cluster({ id: 'b', name: 'other' });
    server.emit('b');
    await until(() => model.get('b')?.name === 'other');
    expect(selections).toBe(0);
    server.clusters[0] = cluster({ id: 'a', dashboard_url: null });
    server.emit('a');
    await until(() => selections === 1);
  });

  describe('by itself', () => {
    async function readsIn(milliseconds: number): Promise<number> {
      model = server.model();
      await model.ready;
      const before = server.count('GET', 'api/clusters');
      await jest.advanceTimersByTimeAsync(milliseconds);
      return server.count('GET', 'api/clusters') - before;
    }

    beforeEach(() => {
      jest.useFakeTimers();
      setVisible('visible');
    });

    afterEach(() => jest.useRealTimers());

    it('reads soon while something happens and no event comes', async () => {
      server.clusters = [cluster({ state: 'pending' })];
      expect(await readsIn(9_000)).toBe(2);
    });

    it('reads seldom while all is quiet', async () => {
      server.clusters = [cluster({ state: 'running' })];
      expect(await readsIn(59_000)).toBe(0);
      await jest.advanceTimersByTimeAsync(2_000);
      expect(server.count('GET', 'api/clusters')).toBe(2);
    });

    it('reads nothing while the page is hidden', async () => {
      setVisible('hidden');
      server.clusters = [cluster({ state: 'pending' })];
      expect(await readsIn(600_000)).toBe(0);
    });

    it('reads again as soon as the page is visible again', async () => {
      setVisible('hidden');
      server.clusters = [cluster({ state: 'running' })];
      expect(await readsIn(120_000)).toBe(0);
      setVisible('visible');
      await jest.advanceTimersByTimeAsync(10);
      expect(server.count('GET', 'api/clusters')).toBe(2);
    });

    it('asks for the sites again until they are there, then no more', async () => {
      server.answer('GET', 'api/sites', 500, { message: 'disk full' });
      await readsIn(3_000);
      expect(model.sites).toEqual([]);
      await jest.advanceTimersByTimeAsync(2_000);
      expect(model.sites).toHaveLength(1);
      expect(model.sitesProblem).toBeNull();
      await jest.advanceTimersByTimeAsync(600_000);
      expect(server.count('GET', 'api/sites')).toBe(2);
    });

    it('reads nothing while nothing lives', async () => {
      server.clusters = [cluster({ state: 'stopped' })];
      expect(await readsIn(600_000)).toBe(0);
    });

    it('reads on where clusters of a gateway may appear', async () => {
      server.sites = [site({ kind: 'gateway' })];
      expect(await readsIn(61_000)).toBe(1);
    });
  });
});

function setVisible(state: DocumentVisibilityState): void {
  jest.spyOn(document, 'visibilityState', 'get').mockReturnValue(state);
  document.dispatchEvent(new Event('visibilitychange'));
}
