import { nullTranslator } from '@jupyterlab/translation';

import type { ISite } from '../api/types';
import { newGroup } from '../groupValues';
import { defaultValues, LaunchValues } from '../launch';
import { typedErrors } from '../typedErrors';
import { CUSTOM } from '../workerValues';
import { site } from './fixtures';

const trans = nullTranslator.load('hpcdask_ext');
const centre = site();
const service = site({
  kind: 'factory',
  queues: [],
  sizes: [],
  limits: { workers: 10 }
});

function wrong(
  part: Partial<LaunchValues>,
  at: ISite = centre
): [string, string][] {
  const values = { ...defaultValues(at), ...part };
  return typedErrors(at, values, trans).map(one => [one.field, one.message]);
}

describe('bounds', () => {
  const check = (minimum: string, workers: string, size = 'small') =>
    wrong({ scaling: 'adaptive', minimum, workers, size });

  it('may be from nothing to the limit', () => {
    expect(check('0', '64')).toEqual([]);
    expect(check('64', '64')).toEqual([]);
  });

  it.each([
    ['3', '2', '3 is above the maximum of 2'],
    ['x', '2', '“x” is not a whole number'],
    ['-1', '2', '“-1” is not a whole number'],
    ['1.5', '2', '“1.5” is not a whole number']
  ])('from %s to %s: %s', (minimum, maximum, message) => {
    expect(check(minimum, maximum)).toEqual([['scaling.minimum', message]]);
  });

  it.each([
    ['65', '65 workers are more than the queue regular allows: 64'],
    ['0', 'At least one'],
    ['many', '“many” is not a whole number']
  ])('to %s: %s', (maximum, message) => {
    expect(check('0', maximum)).toEqual([['scaling.maximum', message]]);
  });

  it('are in whole jobs', () => {
    expect(check('0', '16', 'large')).toEqual([]);
    expect(check('1', '15', 'large')).toEqual([
      ['scaling.minimum', '1 workers cannot be split into jobs of 2: choose 2'],
      [
        'scaling.maximum',
        '15 workers cannot be split into jobs of 2: choose 14 or 16'
      ]
    ]);
  });

  it('are not wrong while they are empty', () => {
    expect(check('', '2')).toEqual([]);
    expect(check('1', '')).toEqual([]);
  });

  it('do not matter in a single job', () => {
    const scaling = 'adaptive' as const;
    const bounds = { scaling, minimum: '9', workers: '1' };
    expect(wrong({ ...bounds, layout: 'allocation' })).toEqual([]);
  });
});

describe('a fixed number', () => {
  it('of a named size is right by itself', () => {
    expect(wrong({ workers: '1000' })).toEqual([]);
  });

  it('of a custom size is within the limit, and in whole jobs', () => {
    const custom = { size: CUSTOM, workersPerJob: '4' };
    const fields = (workers: string) =>
      wrong({ ...custom, workers }).map(([field]) => field);
    expect(fields('64')).toEqual([]);
    expect(fields('1000')).toEqual(['size.workers']);
    expect(fields('6')).toEqual(['size.workers']);
  });

  it('of a site without sizes is within its limit, and may be none', () => {
    expect(wrong({ workers: '0' }, service)).toEqual([]);
    expect(wrong({ workers: '11' }, service)).toEqual([
      ['scaling.workers', '11 workers are more than this site allows: 10']
    ]);
  });
});

describe('groups', () => {
  const group = newGroup(centre, defaultValues(centre));
  const check = (...parts: Partial<typeof group>[]) =>
    wrong({ groups: parts.map(part => ({ ...group, ...part })) });

  it('are right as they are made', () => {
    expect(check({})).toEqual([]);
  });

  it.each(['', 'GPU', '2gpu', 'g_pu', 'abcdefghijklmnopq'])(
    'are not called %p',
    name => {
      const [[field, message]] = check({ name });
      expect(field).toBe('groups.0.name');
      expect(message).toContain('letters and digits');
    }
  );

  it.each(['scheduler', 'workers', 'allocation', 'gpu'])(
    'are not called %p, as others are',
    name => {
      expect(check({ name: 'gpu' }, { name })).toEqual([
        ['groups.1.name', `“${name}” is taken: choose another name`]
      ]);
    }
  );

  it.each(['GPU=two', '=1', 'GPU=-1', 'GPU=0', '2GPU=1'])(
    'do not have %p',
    resources => {
      expect(check({ resources }).map(([field]) => field)).toEqual([
        'groups.0.resources'
      ]);
    }
  );

  it('have workers by the rules of their own queue', () => {
    const found = check(
      { queue: 'regular', workers: '65' },
      { name: 'b', scaling: 'adaptive', minimum: '9', workers: '8' }
    );
    expect(found.map(([field]) => field)).toEqual([
      'groups.0.scaling.workers',
      'groups.1.scaling.minimum'
    ]);
  });

  it('share the limit of a queue with the others in it', () => {
    const sixty = { queue: 'regular', workers: '60' };
    expect(check(sixty)).toEqual([]);
    expect(check(sixty, { ...sixty, name: 'b', workers: '3' })).toEqual([
      [
        'groups.1.scaling.workers',
        '65 workers in all groups together are more than the queue regular allows: 64'
      ]
    ]);
    const adaptive = { ...sixty, scaling: 'adaptive' as const, workers: '63' };
    expect(check(adaptive).map(([field]) => field)).toEqual([
      'groups.0.scaling.maximum'
    ]);
  });

  it('do not matter in a single job', () => {
    const groups = [{ ...group, name: '' }];
    expect(wrong({ groups, layout: 'allocation' })).toEqual([]);
  });
});
