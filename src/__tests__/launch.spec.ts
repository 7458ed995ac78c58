import { CUSTOM, defaultValues, requestOf, totalsOf } from '../launch';
import { GIB, site } from './fixtures';

const centre = site();

describe('the totals', () => {
  it('of a named size are its own', () => {
    expect(totalsOf(centre, defaultValues(centre))).toEqual({
      workers: 2,
      cores: 8,
      memory: 32 * GIB,
      gpus: 0,
      walltime: '01:00:00'
    });
  });

  it('take the walltime of the site where the size has none', () => {
    const values = { ...defaultValues(centre), size: 'large' };
    expect(totalsOf(centre, values)).toMatchObject({
      workers: 16,
      cores: 128,
      walltime: '02:00:00'
    });
  });

  it('count GPUs as cores', () => {
    const [small, large] = centre.sizes;
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
      cores: null,
      memory: 12 * GIB,
      gpus: 0,
      walltime: '00:10:00'
    });
  });
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
});
