import { newGroup } from '../groupValues';
import { defaultValues, requestOf } from '../launch';
import { CUSTOM } from '../workerValues';
import { site } from './fixtures';

const centre = site();

const GATEWAY = site({
  name: 'gateway',
  kind: 'gateway',
  batch_system: null,
  scheduler: null,
  queues: [],
  sizes: [],
  environments: [],
  accounts: [],
  options: [
    {
      name: 'image',
      title: '',
      description: '',
      type: 'string',
      default: ''
    },
    { name: 'cores', title: '', description: '', type: 'integer', default: 2 }
  ],
  defaults: {
    queue: null,
    size: null,
    workers: 3,
    scaling: { mode: 'fixed', workers: 3 },
    account: null,
    environment: null,
    layout: 'elastic',
    walltime: null
  }
});

describe('the request', () => {
  it('leaves out what was not said', () => {
    expect(requestOf(centre, defaultValues(centre))).toEqual({
      site: 'centre',
      queue: 'regular',
      size: 'small',
      environment: 'python3',
      account: 'science',
      options: { qos: 'normal' }
    });
  });

  it('hands on what is wrong, so that the server says what', () => {
    const values = {
      ...defaultValues(centre),
      size: CUSTOM,
      workers: '',
      cores: 'two',
      memory: '12 Gigs'
    };
    expect(requestOf(centre, values).size).toEqual({
      workers: '',
      cores: 'two',
      memory: '12 Gigs',
      workers_per_job: 1
    });
  });

  it.each([
    [4, '2', { gpus: 2 }],
    [4, ' ', {}],
    [4, 'two', { gpus: 'two' }],
    [0, '2', {}],
    [null, '2', {}]
  ])('in a queue with %p GPUs asks for %p', (has, typed, asked) => {
    const [regular] = centre.queues;
    const queues = [{ ...regular, gpus: has }];
    const values = { ...defaultValues(centre), size: CUSTOM, gpus: typed };
    expect(requestOf(site({ queues }), values).size).toEqual({
      workers: 2,
      cores: 4,
      memory: '16 GiB',
      workers_per_job: 1,
      ...asked
    });
  });

  it('names an image only where the environment has one', () => {
    const image = {
      title: '',
      description: '',
      default: null,
      pattern: null,
      choices: []
    };
    const [pangeo, python3] = centre.environments;
    const both = site({ environments: [{ ...pangeo, image }, python3] });
    const values = { ...defaultValues(both), image: ' base:1 ' };
    expect(requestOf(both, { ...values, environment: 'pangeo' }).image).toBe(
      'base:1'
    );
    expect(requestOf(both, values)).not.toHaveProperty('image');
  });

  it('names a layout only where there is a choice', () => {
    const both = site({ layouts: ['elastic', 'allocation'] });
    expect(requestOf(both, defaultValues(both)).layout).toBe('elastic');
  });

  it('has bounds instead of a number where that adapts', () => {
    const values = {
      ...defaultValues(centre),
      scaling: 'adaptive' as const,
      minimum: '1',
      workers: '8'
    };
    const scaling = { mode: 'adaptive', minimum: 1, maximum: 8 };
    expect(requestOf(centre, values)).toMatchObject({ size: 'small', scaling });
    const custom = requestOf(centre, { ...values, size: CUSTOM, workers: '0' });
    expect(custom.scaling).toMatchObject({ maximum: 0 });
    expect(custom.size).toMatchObject({ workers: 1 });
    const empty = requestOf(centre, { ...values, minimum: ' ' }).scaling;
    expect(JSON.parse(JSON.stringify(empty))).toEqual({
      mode: 'adaptive',
      maximum: 8
    });
  });

  it('has neither bounds nor groups for a single job', () => {
    const both = site({ layouts: ['elastic', 'allocation'] });
    const values = {
      ...defaultValues(both),
      scaling: 'adaptive' as const,
      workers: '8',
      groups: [newGroup(both, defaultValues(both))]
    };
    expect(requestOf(both, values)).toHaveProperty('groups');
    const single = requestOf(both, { ...values, layout: 'allocation' });
    expect(single).not.toHaveProperty('scaling');
    expect(single).not.toHaveProperty('groups');
    expect(single.size).toBe('small');
  });

  it('says of a site without sizes only how many workers there are', () => {
    const values = { ...defaultValues(GATEWAY), workers: '5' };
    expect(requestOf(GATEWAY, values)).toEqual({
      site: 'gateway',
      scaling: { mode: 'fixed', workers: 5 },
      options: { image: '', cores: 2 }
    });
  });

  it('at a site without sizes begins with its usual bounds', () => {
    const scaling = { mode: 'adaptive' as const, minimum: 1, maximum: 6 };
    const defaults = { ...GATEWAY.defaults, scaling };
    const one = site({ ...GATEWAY, defaults });
    expect(requestOf(one, defaultValues(one)).scaling).toEqual(scaling);
  });

  it('has nothing that a site without sizes decides by itself', () => {
    const values = {
      ...defaultValues(GATEWAY),
      queue: 'regular',
      size: 'small',
      account: 'science',
      walltime: '01:00:00',
      groups: [newGroup(centre, defaultValues(centre))]
    };
    expect(requestOf(GATEWAY, values)).toEqual(
      requestOf(GATEWAY, defaultValues(GATEWAY))
    );
  });

  it('leaves out options that were left empty, but for texts', () => {
    const options = { image: '', cores: '' };
    const values = { ...defaultValues(GATEWAY), options };
    expect(requestOf(GATEWAY, values).options).toEqual({ image: '' });
  });
});
