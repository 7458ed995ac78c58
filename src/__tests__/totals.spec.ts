import { newGroup } from '../groupValues';
import { defaultValues } from '../launch';
import { totalsOf } from '../totals';
import { CUSTOM } from '../workerValues';
import { GIB, site } from './fixtures';

const centre = site();
const [regular, debug] = centre.queues;
const [small, large] = centre.sizes;

const ADAPTIVE = { scaling: 'adaptive' as const, minimum: '1', workers: '10' };

it('the totals of a named size are its own', () => {
  expect(totalsOf(centre, defaultValues(centre))).toEqual({
    workers: 2,
    least: 2,
    cores: 8,
    memory: 32 * GIB,
    gpus: 0,
    walltime: '01:00:00'
  });
});

it('take the walltime of the queue where the size has none', () => {
  const limits = { walltime: '02:00:00' };
  const one = site({ queues: [{ ...regular, limits }] });
  const values = { ...defaultValues(one), size: 'large' };
  expect(totalsOf(one, values)).toMatchObject({
    workers: 16,
    cores: 128,
    walltime: '02:00:00'
  });
});

it('count GPUs as cores', () => {
  const one = site({ sizes: [{ ...small, gpus: 2 }, large] });
  expect(totalsOf(one, defaultValues(one)).gpus).toBe(4);
});

it('follow what is typed, as far as it is a number', () => {
  const values = {
    ...defaultValues(centre),
    size: CUSTOM,
    workers: '3',
    cores: 'two',
    memory: '4 GiB',
    walltime: '00:10:00'
  };
  expect(totalsOf(centre, values)).toEqual({
    workers: 3,
    least: 3,
    cores: null,
    memory: 12 * GIB,
    gpus: 0,
    walltime: '00:10:00'
  });
});

it('count what adapts with its maximum', () => {
  const values = { ...defaultValues(centre), ...ADAPTIVE };
  const totals = { least: 1, workers: 10, cores: 40, memory: 160 * GIB };
  expect(totalsOf(centre, values)).toMatchObject(totals);
  expect(totalsOf(centre, { ...values, minimum: 'x' }).least).toBeNull();
});

it('know nothing that adapts in a single job', () => {
  const values = { ...defaultValues(centre), ...ADAPTIVE };
  const single = totalsOf(centre, { ...values, layout: 'allocation' });
  expect(single).toMatchObject({ least: 2, workers: 2, cores: 8 });
});

it('include workers of other kinds, where there can be some', () => {
  const one = site({ queues: [regular, { ...debug, gpus: 2 }] });
  const first = defaultValues(one);
  const gpu = newGroup(one, first);
  const groups = [
    { ...gpu, ...ADAPTIVE, cores: '8', memory: '1 GiB' },
    { ...newGroup(one, { ...first, groups: [gpu] }), workers: '4' }
  ];
  expect(totalsOf(one, { ...first, groups })).toMatchObject({
    workers: 2 + 10 + 4,
    least: 2 + 1 + 4,
    cores: 8 + 80 + 16,
    memory: (32 + 10 + 64) * GIB,
    gpus: 10
  });
  const single = { ...first, groups, layout: 'allocation' };
  expect(totalsOf(one, single).workers).toBe(2);
  const unknown = [{ ...gpu, workers: '' }];
  expect(totalsOf(one, { ...first, groups: unknown }).cores).toBeNull();
});

it('of a site without sizes are its workers', () => {
  const one = site({ kind: 'gateway', queues: [], sizes: [] });
  const values = { ...defaultValues(one), ...ADAPTIVE };
  expect(totalsOf(one, values)).toMatchObject({
    workers: 10,
    least: 1,
    cores: null,
    memory: null,
    gpus: null
  });
});
