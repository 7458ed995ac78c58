import { APIError, messageOf } from '../api/client';
import { cluster, FakeServer } from './fixtures';

describe('Client', () => {
  let server: FakeServer;

  beforeEach(() => {
    server = new FakeServer();
  });

  it('speaks the contract below the base URL', async () => {
    const { client } = server;
    const made = cluster({ id: 'new' });
    server.answer('POST', 'api/clusters', 201, made);
    server.answer('PATCH', 'api/clusters/new', 200, made);
    server.answer('GET', 'api/clusters/new/logs?role=worker', 200, {
      logs: [{ job: '1', role: 'worker', text: 'x', truncated: false }]
    });
    expect(await client.launch({ site: 'centre', size: 'small' })).toEqual(
      made
    );
    await client.scale('new', { mode: 'fixed', workers: 4 });
    expect(await client.logs('new', 'worker')).toHaveLength(1);
    expect(server.asked).toEqual([
      {
        method: 'POST',
        path: 'api/clusters',
        body: { site: 'centre', size: 'small' }
      },
      {
        method: 'PATCH',
        path: 'api/clusters/new',
        body: { scaling: { mode: 'fixed', workers: 4 } }
      },
      { method: 'GET', path: 'api/clusters/new/logs?role=worker', body: null }
    ]);
  });

  it('asks what a launch would do, and for as much of a log as wanted', async () => {
    const { client } = server;
    const preview = { valid: false, errors: [], scripts: [] };
    server.answer('POST', 'api/clusters/preview', 200, preview);
    const path = 'api/clusters/new/logs?role=allocation&tail=500';
    server.answer('GET', path, 200, { logs: [] });
    expect(await client.preview({ site: 'centre' })).toEqual(preview);
    expect(await client.logs('new', 'allocation', 500)).toEqual([]);
    expect(server.asked.map(one => one.body)).toEqual([
      { site: 'centre' },
      null
    ]);
  });

  it('keeps every field of a refusal', async () => {
    const errors = [
      { field: 'size.workers', message: '1000: at most 64' },
      { field: 'name', message: 'too long' }
    ];
    server.answer('POST', 'api/clusters', 422, {
      message: '2 fields are wrong',
      reason: 'invalid',
      errors
    });
    const refused = await server.client.launch({}).catch(error => error);
    expect(refused).toBeInstanceOf(APIError);
    expect(refused).toMatchObject({
      status: 422,
      message: '2 fields are wrong',
      reason: 'invalid',
      errors
    });
  });

  it('tells of a refusal that is no JSON', async () => {
    server.answer('POST', 'api/clusters', 502, '<html>Bad Gateway</html>');
    const refused = await server.client.launch({}).catch(error => error);
    expect(refused).toMatchObject({ status: 502, errors: [] });
    expect(messageOf(refused)).toContain('502');
  });

  it('does not take a page for an answer', async () => {
    server.answer('GET', 'api/clusters', 200, '<html>Log in</html>');
    await expect(server.client.clusters()).rejects.toThrow('Log in');
  });

  it('answers null for a cluster that is gone, and for one forgotten', async () => {
    expect(await server.client.cluster('gone')).toBeNull();
    server.answer('DELETE', 'api/clusters/old', 204);
    expect(await server.client.stop('old')).toBeNull();
  });

  it('rejects what it could not ask', async () => {
    server.answer('GET', 'api/clusters/x', 504, { message: 'no answer' });
    await expect(server.client.cluster('x')).rejects.toThrow('no answer');
  });

  it('finds a dashboard below the base URL', () => {
    expect(
      server.client.dashboard('hpcdask/proxy/x/', '/individual-progress')
    ).toBe('http://localhost/user/alice/hpcdask/proxy/x/individual-progress');
  });
});
