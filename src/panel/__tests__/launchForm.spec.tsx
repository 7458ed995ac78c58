import * as React from 'react';

import { site } from '../../__tests__/fixtures';
import { CUSTOM, defaultValues } from '../../launch';
import { ILaunchFormProps, LaunchForm } from '../launchForm';
import { Page, trans } from './render';

describe('LaunchForm', () => {
  const centre = site();
  let page: Page;
  let changes: unknown[];
  let launches: number;
  let retries: number;

  function show(part: Partial<ILaunchFormProps> = {}): void {
    page.render(
      <LaunchForm
        sites={[centre]}
        problems={[]}
        sitesProblem={null}
        values={defaultValues(centre)}
        errors={[]}
        message=""
        trans={trans}
        onDrawn={() => undefined}
        onRetry={() => (retries += 1)}
        onSite={name => changes.push(name)}
        onChange={change => changes.push(change)}
        onLaunch={() => (launches += 1)}
        {...part}
      />
    );
  }

  beforeEach(() => {
    page = new Page();
    changes = [];
    launches = 0;
    retries = 0;
  });

  afterEach(() => page.close());

  it('launches from its button', () => {
    show();
    page.click(page.button('Launch cluster'));
    expect(launches).toBe(1);
  });

  it('shows the site only where there is a choice', () => {
    show();
    expect(page.node.textContent).not.toContain('Site');
    show({ sites: [centre, site({ name: 'b', title: 'B' })] });
    expect(page.field('Site').value).toBe('centre');
  });

  it('shows the totals of the chosen size', () => {
    show();
    expect(page.get('output').textContent).toBe(
      '2 workers · 8 cores · 32 GiB · 1 h'
    );
  });

  it('takes a named size over into the fields of a custom one', () => {
    show();
    page.click(page.get('input[type="radio"][aria-label="Large"]'));
    expect(changes).toEqual([
      {
        size: 'large',
        workers: '16',
        cores: '8',
        memory: '64 GiB',
        workersPerJob: '2'
      }
    ]);
  });

  it('shows each error at its field', () => {
    show({
      values: { ...defaultValues(centre), size: CUSTOM },
      errors: [
        { field: 'size.workers', message: '1000 workers: at most 64' },
        { field: 'size.memory', message: 'no amount of memory' },
        { field: 'options.qos', message: 'no such quality' },
        { field: 'unheard.of', message: 'something else' }
      ]
    });
    const messages = page.all('[data-field]').flatMap(node => {
      const error = node.querySelector(':scope > .jp-HPCDask-fieldError');
      return error ? [[node.dataset.field, error.textContent]] : [];
    });
    expect(messages).toEqual([
      ['size.workers', '1000 workers: at most 64'],
      ['size.memory', 'no amount of memory'],
      ['options.qos', 'no such quality']
    ]);
    expect(page.get('.jp-HPCDask-launchForm-footer').textContent).toContain(
      'something else'
    );
    expect(page.field('Workers').getAttribute('aria-invalid')).toBe('true');
    expect(page.field('Cores').getAttribute('aria-invalid')).toBe('false');
    expect(document.activeElement).toBe(page.field('Workers'));
    expect(page.get<HTMLDetailsElement>('.jp-HPCDask-more').open).toBe(true);
  });

  it('shows errors of workers at the named size', () => {
    show({ errors: [{ field: 'size.workers', message: 'at most 1' }] });
    expect(page.get('[data-field="size"]').textContent).toContain('at most 1');
  });

  it('shows any other refusal once', () => {
    show({ message: 'sbatch: error: Invalid account' });
    const alerts = page.all('[role="alert"]').map(one => one.textContent);
    expect(alerts).toEqual(['sbatch: error: Invalid account']);
  });

  it('tells of broken site files, also if there is no site', () => {
    const problems = [
      { file: '/etc/x.yaml', where: 'queues.0', message: 'no' }
    ];
    show({ problems, sites: [] });
    expect(page.node.textContent).toContain('/etc/x.yaml');
    expect(page.all('button')).toEqual([]);
  });

  it.each([
    ['without a form', []],
    ['above the form', [site()]]
  ])('says why the sites could not be read, %s', (_, sites) => {
    show({ sites, sitesProblem: new Error('Bad Gateway') });
    expect(page.get('[role="alert"]').textContent).toContain('Bad Gateway');
    page.click(page.button('Try again'));
    expect(retries).toBe(1);
    expect(page.all('form')).toHaveLength(sites.length);
  });

  it('says so when there is no site', () => {
    show({ sites: [] });
    expect(page.get('[role="status"]').textContent).toContain('administrator');
  });

  it('leaves the focus where one mends, though other fields are wrong', () => {
    const errors = [
      { field: 'size.workers', message: 'at most 64' },
      { field: 'size.memory', message: 'no amount of memory' }
    ];
    const values = { ...defaultValues(centre), size: CUSTOM };
    show({ values, errors });
    expect(document.activeElement).toBe(page.field('Workers'));
    page.field('Memory').focus();
    show({ values: { ...values, memory: '1' }, errors: errors.slice(0, 1) });
    expect(document.activeElement).toBe(page.field('Memory'));
  });

  it.each([
    ['01:00:00', {}],
    ['02:00:00', { size: 'large' }],
    ['no limit', { site: 'local', size: 'large' }]
  ])('offers a walltime, by default %s', (text, part) => {
    const local = site({
      name: 'local',
      defaults: { ...centre.defaults, walltime: null }
    });
    show({
      sites: [centre, local],
      values: { ...defaultValues(centre), ...part }
    });
    expect(page.field('Walltime').placeholder).toBe(text);
    expect(page.field('Walltime').value).toBe('');
  });

  it('asks for a layout only where there is a choice', () => {
    show();
    expect(page.node.textContent).not.toContain('Layout');
    show({ sites: [site({ layouts: ['elastic', 'other'] })] });
    expect(page.field('Layout').value).toBe('elastic');
  });

  it('counts cores apart from workers', () => {
    const [small] = centre.sizes;
    const sizes = [
      { ...small, workers: 1, cores: 1 },
      { ...small, name: 'b', workers: 1, cores: 2 },
      { ...small, name: 'c', workers: 2, cores: 1 }
    ];
    show({ sites: [site({ sizes })] });
    expect(page.all('.jp-HPCDask-size').map(one => one.title)).toEqual([
      '1 worker with 1 core and 16 GiB',
      '1 worker with 2 cores and 16 GiB',
      '2 workers with 1 core and 16 GiB each',
      'Choose the number of workers, cores and memory'
    ]);
  });

  it('hands on what is typed', () => {
    show();
    page.type(page.field('Name'), 'era5');
    expect(changes).toEqual([{ name: 'era5' }]);
  });

  it('lists kernels before other environments', () => {
    show();
    const options = [...page.field('Environment').querySelectorAll('option')];
    expect(options.map(one => one.value)).toEqual(['python3', 'pangeo']);
  });

  it('says what a queue allows', () => {
    show({ values: { ...defaultValues(centre), size: CUSTOM } });
    expect(page.field('Workers').title).toContain('64');
    expect(page.field('Memory').title).toContain('120 GiB');
  });
});
