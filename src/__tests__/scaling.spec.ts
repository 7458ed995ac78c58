import { nullTranslator } from '@jupyterlab/translation';

import type { ICluster, IGroup, Scaling } from '../api/types';
import { limitWords, scaleCostWords, scaleProblem } from '../scaleWords';
import { groupsOf, isSame, scaled, scaleValues, scalingOf } from '../scaling';
import { cluster, GIB, group } from './fixtures';

const trans = nullTranslator.load('hpcdask_ext');

const twoGroups = (): ICluster =>
  cluster({
    groups: [
      group({ workers: { requested: 8, pending: 0, running: 8 } }),
      group({
        name: 'gpu',
        workers: { requested: 2, pending: 1, running: 1 },
        scaling: { mode: 'fixed', workers: 2 }
      })
    ]
  });

describe('a scaling', () => {
  it('changes one group, and the totals', () => {
    const now = scaled(twoGroups(), 'gpu', { mode: 'fixed', workers: 4 });
    expect(now.groups?.map(one => one.workers)).toEqual([
      { requested: 8, pending: 0, running: 8 },
      { requested: 4, pending: 3, running: 1 }
    ]);
    expect(now.workers).toEqual({ requested: 12, pending: 3, running: 9 });
    expect(now.scaling).toEqual({ mode: 'fixed', workers: 2 });
  });

  it.each([
    [0, 1, 1],
    [3, 20, 3],
    [0, 20, 2]
  ])('from %p to %p asks for no more than it has to: %p', (a, b, wanted) => {
    const scaling: Scaling = { mode: 'adaptive', minimum: a, maximum: b };
    const now = scaled(cluster(), 'workers', scaling);
    expect(now.workers?.requested).toBe(wanted);
    expect(now.scaling).toBe(scaling);
  });

  it('is the same if its numbers are', () => {
    const fixed: Scaling = { mode: 'fixed', workers: 2 };
    const adaptive: Scaling = { mode: 'adaptive', minimum: 0, maximum: 2 };
    expect(isSame(fixed, { ...fixed })).toBe(true);
    expect(isSame(adaptive, { ...adaptive })).toBe(true);
    expect(isSame(fixed, { ...fixed, workers: 3 })).toBe(false);
    expect(isSame(fixed, adaptive)).toBe(false);
    expect(isSame(adaptive, { ...adaptive, minimum: 1 })).toBe(false);
  });

  it('is read from a form, unless a number is none', () => {
    const values = scaleValues(groupsOf(cluster())[0]);
    expect(scalingOf(values)).toEqual({ mode: 'fixed', workers: 2 });
    expect(scalingOf({ ...values, mode: 'adaptive' })).toEqual({
      mode: 'adaptive',
      minimum: 0,
      maximum: 2
    });
    for (const workers of ['', '-1', '1.5', 'x']) {
      expect(scalingOf({ ...values, workers })).toBeNull();
    }
  });
});

describe('the words of a scaling', () => {
  const adaptive = (minimum: number, maximum: number): Scaling => ({
    mode: 'adaptive',
    minimum,
    maximum
  });
  const fixed = (workers: number): Scaling => ({ mode: 'fixed', workers });

  it('tell what it costs', () => {
    const gpu = group({ worker: { cores: 4, memory: 16 * GIB, gpus: 1 } });
    expect(scaleCostWords(fixed(3), gpu, trans)).toBe(
      '12 cores · 48 GiB · 3 GPUs'
    );
    expect(scaleCostWords(adaptive(0, 2), gpu, trans)).toContain(
      'Up to 8 cores · 32 GiB · 2 GPUs'
    );
    const unknown = group({ worker: { cores: 0, memory: 0, gpus: 0 } });
    expect(scaleCostWords(adaptive(0, 2), unknown, trans)).toBe('');
    expect(scaleCostWords(null, gpu, trans)).toBe('');
  });

  it.each<[string, Scaling | null, boolean]>([
    ['', fixed(64), true],
    ['65 workers are more than the limit of 64.', fixed(65), true],
    ['65 workers are more than the limit of 64.', adaptive(0, 65), true],
    ['can shrink, not grow', fixed(3), false],
    ['must be 1 or more', adaptive(0, 0), true],
    ['5, are more than the most, 4', adaptive(5, 4), true],
    ['whole number', null, true],
    ['', adaptive(0, 4), true]
  ])('tell what is wrong: %p', (text, scaling, canGrow) => {
    const wrong = scaleProblem(scaling, group(), canGrow, trans);
    expect(wrong).toContain(text);
    expect(wrong === '').toBe(text === '');
  });

  it('tell the limit, if there is one', () => {
    expect(limitWords(group(), true, trans)).toContain('At most 64 workers');
    // Somebody else's has no queue.
    const other = group({ queue: '', limits: { workers: 4 } });
    expect(limitWords(other, true, trans)).toBe('At most 4 workers');
    const free: IGroup = group({ limits: {} });
    expect(limitWords(free, true, trans)).toBe('');
  });
});
