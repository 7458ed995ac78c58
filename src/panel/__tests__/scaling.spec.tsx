import { site } from '../../__tests__/fixtures';
import { CUSTOM } from '../../workerValues';
import { LaunchFormPage } from './launchFormPage';

const centre = site();

describe('scaling in the launch form', () => {
  let page: LaunchFormPage;

  function open(part: Parameters<typeof site>[0] = {}): void {
    page = new LaunchFormPage(site(part));
  }

  afterEach(() => page.close());

  it('is fixed, and is that of the size', () => {
    open();
    expect(page.field('Scaling').value).toBe('fixed');
    expect(page.described(page.field('Scaling'))).toBe('');
    expect(page.labels).not.toContain('Workers');
    expect(page.labels).not.toContain('Maximum');
  });

  it('adapts at first up to the size, and says what that is', () => {
    open();
    page.choose(page.field('Scaling'), 'adaptive');
    expect(page.field('Minimum').value).toBe('0');
    expect(page.field('Maximum').value).toBe('2');
    expect(page.field('Maximum').title).toBe('At most 64 in this queue');
    expect(page.described(page.field('Scaling'))).toContain('there is work');
    expect(page.total).toBe('0–2 workers · at most 8 cores · 32 GiB · 1 h');
    page.click(page.get('input[type="radio"][aria-label="Large"]'));
    expect(page.field('Maximum').value).toBe('16');
    page.type(page.field('Maximum'), '50');
    expect(page.total).toContain('0–50 workers');
    page.choose(page.field('Queue'), 'debug');
    expect(page.field('Maximum').title).toBe('');
  });

  it('asks for a custom size how many workers only once', () => {
    open();
    page.change({ size: CUSTOM, workers: '5' });
    expect(page.labels).toContain('Workers');
    page.choose(page.field('Scaling'), 'adaptive');
    expect(page.labels).not.toContain('Workers');
    expect(page.field('Maximum').value).toBe('5');
    expect(page.field('Cores').value).toBe('4');
  });

  it('is not there for a single job', () => {
    open({ layouts: ['elastic', 'allocation'] });
    page.change({ scaling: 'adaptive', workers: '9' });
    page.choose(page.field('Layout'), 'allocation');
    expect(page.labels).not.toContain('Scaling');
    expect(page.labels).not.toContain('Maximum');
    expect(page.total).toContain('2 workers');
    page.choose(page.field('Layout'), 'elastic');
    expect(page.field('Maximum').value).toBe('9');
  });

  it('is checked while it is typed', () => {
    open();
    page.change({ scaling: 'adaptive' });
    page.type(page.field('Minimum'), '3');
    expect(page.errors).toEqual({
      'scaling.minimum': '3 is above the maximum of 2'
    });
    expect(page.field('Minimum').getAttribute('aria-invalid')).toBe('true');
    page.type(page.field('Maximum'), '3');
    expect(page.errors).toEqual({});
  });

  it.each([
    ['scaling.minimum', 'scaling.minimum'],
    ['scaling.maximum', 'scaling.maximum'],
    ['scaling.workers', 'scaling.maximum'],
    ['scaling.mode', 'scaling'],
    ['scaling', 'scaling'],
    ['size', 'size'],
    ['size.cores', 'size']
  ])('shows what is wrong with %s at %s', (field, at) => {
    open();
    page.change({ scaling: 'adaptive' });
    page.show({ errors: [{ field, message: 'no' }] });
    expect(page.errors).toEqual({ [at]: 'no' });
    expect(page.rest).toBe('');
  });

  it.each([
    ['scaling.workers', 'scaling.workers', ''],
    ['queue', '', 'no'],
    ['walltime', '', 'no'],
    ['groups', '', 'no']
  ])('of a site without sizes, %s is wrong at %p', (field, at, rest) => {
    open({ kind: 'gateway', queues: [], sizes: [] });
    page.show({ errors: [{ field, message: 'no' }] });
    expect(page.errors).toEqual(at ? { [at]: 'no' } : {});
    expect(page.rest).toBe(rest);
  });
});

describe('the form of a site without queues and sizes', () => {
  const option = {
    name: 'cores',
    title: 'Worker cores',
    description: 'For each worker',
    type: 'integer' as const,
    default: 2,
    minimum: 1,
    maximum: 8
  };
  const service = site({
    kind: 'gateway',
    batch_system: null,
    scheduler: null,
    queues: [],
    sizes: [],
    environments: [],
    accounts: [],
    options: [option, { ...centre.options[0], default: null }],
    limits: { workers: 10 },
    defaults: {
      ...centre.defaults,
      workers: 3,
      scaling: { mode: 'fixed', workers: 3 }
    }
  });
  let page: LaunchFormPage;

  beforeEach(() => {
    page = new LaunchFormPage(service);
  });

  afterEach(() => page.close());

  it('asks for workers, and has its options in front', () => {
    expect(page.labels).toEqual([
      'Scaling',
      'Workers',
      'Worker cores',
      'Quality of service',
      'Name'
    ]);
    expect(page.field('Workers').value).toBe('3');
    expect(page.field('Workers').title).toBe('At most 10 at this site');
    expect(page.field('Worker cores').closest('details')).toBeNull();
    expect(page.all('output')).toEqual([]);
  });

  it('has an environment where there are some', () => {
    page.close();
    const { environments } = centre;
    page = new LaunchFormPage(site({ ...service, environments }));
    expect(page.labels).toContain('Environment');
  });

  it('says what an option is, and its bounds', () => {
    const cores = page.field('Worker cores');
    expect(page.described(cores)).toBe('For each worker · From 1 to 8');
    expect([cores.type, cores.min, cores.max]).toEqual(['number', '1', '8']);
    page.type(cores, '9');
    expect(page.values.options.cores).toBe(9);
    expect(page.errors).toEqual({
      'options.cores': '9 is above the maximum of 8'
    });
    page.type(cores, '');
    expect(page.values.options.cores).toBe('');
    expect(page.errors).toEqual({});
    expect(page.field('Worker cores').placeholder).toBe('2');
  });

  it('does not choose what has not been chosen', () => {
    const options = [
      ...page.field('Quality of service').querySelectorAll('option')
    ].map(one => [one.value, one.textContent]);
    expect(options).toEqual([
      ['', 'not set'],
      ['normal', 'normal'],
      ['debug', 'debug']
    ]);
  });

  it('adapts up to the limit, and does not stay there', () => {
    page.choose(page.field('Scaling'), 'adaptive');
    expect(page.field('Maximum').value).toBe('10');
    page.choose(page.field('Scaling'), 'fixed');
    expect(page.field('Workers').value).toBe('3');
  });

  it('shows refusals at the options, or near them', () => {
    page.show({
      errors: [
        { field: 'options.cores', message: 'too many' },
        { field: 'options', message: 'not these together' },
        { field: 'environment', message: 'elsewhere' }
      ]
    });
    expect(page.errors).toEqual({
      'options.cores': 'too many',
      options: 'not these together'
    });
    expect(page.rest).toBe('elsewhere');
  });
});
