import {
  canHaveGroups,
  groupRequest,
  newGroup,
  readResources
} from '../groupValues';
import { defaultValues } from '../launch';
import { CUSTOM } from '../workerValues';
import { site } from './fixtures';

const centre = site();
const [regular, debug] = centre.queues;
const [small, large] = centre.sizes;
const gpu = { ...debug, name: 'gpu', gpus: 4 };
const withGpus = site({ queues: [regular, debug, gpu] });

describe('a new group', () => {
  const first = defaultValues(withGpus);

  it('is in a queue with GPUs, with the size that has some', () => {
    const sizes = [small, large, { ...small, name: 'accelerated', gpus: 1 }];
    const one = site({ queues: withGpus.queues, sizes });
    expect(newGroup(one, defaultValues(one))).toMatchObject({
      name: 'gpu',
      queue: 'gpu',
      size: 'accelerated',
      scaling: 'fixed',
      workers: '2'
    });
  });

  it('asks for one GPU itself where no size has any', () => {
    expect(newGroup(withGpus, first)).toMatchObject({
      size: CUSTOM,
      workers: '1',
      cores: '4',
      gpus: '1'
    });
  });

  it('is in a queue and has a name that are not used yet', () => {
    const groups = [newGroup(withGpus, first)];
    const second = newGroup(withGpus, { ...first, groups });
    expect(second).toMatchObject({
      name: 'workers2',
      queue: 'debug',
      size: 'small'
    });
    groups.push(second);
    const third = newGroup(withGpus, { ...first, groups });
    expect(third).toMatchObject({ name: 'workers3', queue: 'regular' });
    groups.push({ ...third, name: 'workers4' });
    const fourth = newGroup(withGpus, { ...first, groups });
    expect(fourth.name).toBe('workers3');
  });

  it('may be in the queue of the others where there is no other', () => {
    const one = site({ queues: [gpu] });
    expect(newGroup(one, defaultValues(one)).queue).toBe('gpu');
  });
});

it.each([
  ['', []],
  [' , ', []],
  ['GPU=1', [['GPU', 1]]],
  [
    ' GPU = 2 ,disk=0.5',
    [
      ['GPU', 2],
      ['disk', 0.5]
    ]
  ],
  ['GPU', [['GPU', 1]]],
  ['GPU=two', [['GPU', 'two']]],
  ['GPU=', [['GPU', '']]],
  ['=1', [['', 1]]],
  ['a=b=1', [['a', 'b=1']]]
])('the resources %p are %p', (text, resources) => {
  expect(readResources(text)).toEqual(resources);
});

it('the request of a group says what was chosen', () => {
  const values = {
    ...newGroup(withGpus, defaultValues(withGpus)),
    resources: 'GPU=1',
    walltime: ' 00:30:00 '
  };
  expect(groupRequest(withGpus, values)).toEqual({
    name: 'gpu',
    queue: 'gpu',
    size: {
      workers: 1,
      cores: 4,
      memory: '16 GiB',
      gpus: 1,
      workers_per_job: 1
    },
    scaling: { mode: 'fixed', workers: 1 },
    walltime: '00:30:00',
    resources: { GPU: 1 }
  });
  const named = { ...values, size: 'large', resources: '', workers: '0' };
  const request = groupRequest(withGpus, named);
  expect(request.size).toBe('large');
  expect(request.scaling).toEqual({ mode: 'fixed', workers: 0 });
  expect(request).not.toHaveProperty('resources');
});

it.each([
  ['a batch site', {}, 'elastic', true],
  ['a single job', {}, 'allocation', false],
  ['queues that are not known yet', { queues: [] }, 'elastic', false],
  ['a gateway', { kind: 'gateway' }, 'elastic', false]
])('in %s there may be groups: %#', (_, part, layout, may) => {
  expect(canHaveGroups(site(part), { layout })).toBe(may);
});
