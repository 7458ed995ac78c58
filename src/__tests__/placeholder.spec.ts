import { placeholder } from '../placeholder';
import { GIB, site } from './fixtures';

const centre = site();

it('the placeholder of a launch by size name asks for that size', () => {
  const request = { site: 'centre', size: 'large', name: 'era5' };
  const shown = placeholder('launching-1', request, centre, new Date(0));
  expect(shown).toMatchObject({
    name: 'era5',
    environment: 'python3',
    environment_title: 'Python 3 (ipykernel)',
    state: 'submitting',
    client_code: null,
    cores: 128,
    memory: 1024 * GIB,
    workers: { requested: 16, pending: 16, running: 0 },
    created: '1970-01-01T00:00:00.000Z'
  });
});

it('the placeholder of a script says what it will be', () => {
  const script = { path: 'a/run.py', arguments: [] };
  const request = { site: 'centre', layout: 'allocation', script };
  const shown = placeholder('launching-1', request, centre, new Date(0));
  expect(shown).toMatchObject({
    layout: 'allocation',
    can_grow: false,
    script,
    exit_code: null
  });
});

it('the placeholder counts the GPUs of a custom size', () => {
  const queues = centre.queues.map(one => ({ ...one, gpus: 4 }));
  const size = { workers: 3, cores: 1, memory: '1 GiB', gpus: 2 };
  const request = { site: 'centre', queue: 'debug', size };
  const shown = placeholder('x', request, site({ queues }), new Date(0));
  expect(shown.gpus).toBe(6);
});

it('the placeholder of what adapts begins with its minimum', () => {
  const scaling = { mode: 'adaptive' as const, minimum: 1, maximum: 50 };
  const request = { site: 'centre', size: 'small', scaling };
  expect(placeholder('x', request, centre, new Date(0))).toMatchObject({
    scaling,
    workers: { requested: 1, pending: 1, running: 0 },
    cores: 4
  });
});

it('the placeholder at a gateway has the workers that are asked for', () => {
  const gateway = site({ kind: 'gateway', queues: [], sizes: [] });
  const scaling = { mode: 'fixed' as const, workers: 3 };
  const shown = placeholder('x', { scaling }, gateway, new Date(0));
  expect(shown).toMatchObject({
    kind: 'gateway',
    workers: { requested: 3 },
    cores: 0
  });
});

it('the placeholder of a launch at an unknown site is still a card', () => {
  const shown = placeholder('launching-1', {}, undefined, new Date(0));
  expect(shown).toMatchObject({ state: 'submitting', cores: 0, name: '' });
});
