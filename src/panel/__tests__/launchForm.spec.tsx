import * as React from 'react';

import { site } from '../../__tests__/fixtures';
import { defaultValues } from '../../launch';
import { CUSTOM } from '../../workerValues';
import type { ILaunchFormProps } from '../formProps';
import { LaunchForm } from '../launchForm';
import { Page, trans } from './render';

describe('LaunchForm', () => {
  const centre = site();
  let page: Page;
  let changes: unknown[];
  let launches: number;
  let previews: number;
  let retries: number;
  let visits: number;

  function show(part: Partial<ILaunchFormProps> = {}): void {
    page.render(
      <LaunchForm
        sites={[centre]}
        problems={[]}
        sitesProblem={null}
        values={defaultValues(centre)}
        errors={[]}
        message=""
        isMoreOpen={false}
        isPreviewing={false}
        trans={trans}
        onDrawn={() => undefined}
        onRetry={() => (retries += 1)}
        onSite={name => changes.push(name)}
        onChange={change => changes.push(change)}
        onMore={isOpen => changes.push(isOpen)}
        onVisit={() => (visits += 1)}
        onPreview={() => (previews += 1)}
        onLaunch={() => (launches += 1)}
        {...part}
      />
    );
  }

  beforeEach(() => {
    page = new Page();
    changes = [];
    launches = 0;
    previews = 0;
    retries = 0;
    visits = 0;
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
        gpus: '0',
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
    ['no limit', { size: 'large', queue: 'debug' }]
  ])('offers a walltime, by default %s', (text, part) => {
    const [regular, debug] = centre.queues;
    const limits = { ...regular.limits, walltime: '02:00:00' };
    const queues = [{ ...regular, limits }, debug];
    const values = { ...defaultValues(centre), ...part };
    show({ sites: [site({ queues })], values });
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

  it('lists the environments as the server does', () => {
    const names = () =>
      [...page.field('Environment').querySelectorAll('option')].map(
        one => one.value
      );
    show();
    expect(names()).toEqual(['pangeo', 'python3']);
    show({
      sites: [site({ environments: [...centre.environments].reverse() })]
    });
    expect(names()).toEqual(['python3', 'pangeo']);
  });

  it('says what a queue allows', () => {
    show({ values: { ...defaultValues(centre), size: CUSTOM } });
    expect(page.field('Workers').title).toContain('64');
    expect(page.field('Memory').title).toContain('120 GiB');
  });

  it('has a preview beside the button, unless one is under way', () => {
    show();
    page.click(page.button('Preview'));
    expect([previews, launches]).toEqual([1, 0]);
    show({ isPreviewing: true });
    const button = page.button('Preview');
    expect(button.getAttribute('aria-disabled')).toBe('true');
    expect(button.disabled).toBe(false);
    page.click(button);
    expect(previews).toBe(1);
  });

  it('says how full the queues are, where it is known', () => {
    const load = {
      open: true,
      note: '',
      nodes: 40,
      free_nodes: 12,
      free_cores: null,
      running_jobs: 31,
      pending_jobs: 2
    };
    const closed = { ...load, open: false, note: 'drain' };
    const [regular, debug] = centre.queues;
    const queues = [
      { ...regular, load },
      { ...debug, load: closed },
      { ...debug, name: 'other', title: '' }
    ];
    show({ sites: [site({ queues })] });
    const options = [...page.field('Queue').querySelectorAll('option')];
    expect(options.map(one => one.textContent)).toEqual([
      'Regular — 12 nodes free',
      'Debug — closed (drain)',
      'other'
    ]);
    const title = page.get('.jp-HPCDask-titledSelect > span');
    expect(title.textContent).toBe('Regular');
    const described = page.described(page.field('Queue'));
    expect(described.replaceAll('\u00a0', ' ')).toBe(
      '12 of 40 nodes free · 31 jobs running · 2 jobs waiting'
    );
    show();
    expect(page.described(page.field('Queue'))).toBe('');
    expect(page.all('.jp-HPCDask-titledSelect')).toEqual([]);
  });

  it('says so while the queues are not known', () => {
    show({ sites: [site({ queues: [] })] });
    expect(page.field('Queue').value).toBe('');
    expect(page.described(page.field('Queue'))).toContain('not told');
  });

  it('says what a layout means', () => {
    const sites = [site({ layouts: ['elastic', 'allocation'] })];
    show({ sites });
    const field = page.field('Layout');
    const options = [...field.querySelectorAll('option')];
    expect(options.map(one => one.textContent)).toEqual([
      'Separate jobs',
      'One job'
    ]);
    expect(page.described(field)).toContain('grow and shrink');
    show({ sites, values: { ...defaultValues(centre), layout: 'allocation' } });
    expect(page.described(page.field('Layout'))).toContain('not grow');
  });

  it.each([
    ['select', {}, ['science', 'climate']],
    [
      'select',
      { defaults: { ...centre.defaults, account: null } },
      ['', 'science', 'climate']
    ],
    ['input', { accounts: [] }, []]
  ])('asks for an account with %s', (tag, part, accounts) => {
    show({ sites: [site(part)] });
    const field = page.field('Account');
    expect(field.tagName.toLowerCase()).toBe(tag);
    const options = [...field.querySelectorAll('option')];
    expect(options.map(one => one.value)).toEqual(accounts);
  });

  it('asks for no account on this machine', () => {
    show({ sites: [site({ batch_system: 'local', accounts: [] })] });
    expect(page.node.textContent).not.toContain('Account');
  });

  describe('with a container image', () => {
    const image = {
      title: 'Container',
      description: 'From our registry',
      default: 'base:1',
      pattern: 'base:[0-9]+' as string | null,
      choices: [] as string[]
    };

    function withImage(part: Partial<typeof image>, value = ''): void {
      const [pangeo, python3] = centre.environments;
      const container = { ...pangeo, image: { ...image, ...part } };
      const values = { ...defaultValues(centre), environment: 'pangeo' };
      show({
        sites: [site({ environments: [container, python3] })],
        values: { ...values, image: value }
      });
    }

    it('checks it while it is typed', () => {
      withImage({});
      expect(page.field('Container').placeholder).toBe('base:1');
      page.type(page.field('Container'), 'base:2');
      expect(changes).toEqual([{ image: 'base:2' }]);
      withImage({}, 'base:2');
      expect(page.all('[role="alert"]')).toEqual([]);
      withImage({}, 'other');
      const field = page.get('[data-field="image"]');
      expect(field.querySelector('[role="alert"]')!.textContent).toBe(
        '“other” does not match base:[0-9]+'
      );
      expect(page.field('Container').getAttribute('aria-invalid')).toBe('true');
    });

    it('stands directly below the environment, not under More', () => {
      withImage({});
      const [before, field] = page
        .all('[data-field]')
        .filter(one => ['environment', 'image'].includes(one.dataset.field!));
      expect(before.nextElementSibling).toBe(field);
      expect(field.closest('details')).toBeNull();
    });

    it('shows what is wrong with it, without opening More', () => {
      withImage({}, 'other');
      expect(page.get<HTMLDetailsElement>('.jp-HPCDask-more').open).toBe(false);
      show({ errors: [{ field: 'image', message: 'there is none here' }] });
      expect(page.get('.jp-HPCDask-launchForm-footer').textContent).toContain(
        'there is none here'
      );
    });

    it('offers the choices, if it has to be one of them', () => {
      withImage({ choices: ['base:1', 'mine'], pattern: null });
      expect(page.field('Container').tagName).toBe('SELECT');
      expect(page.field('Container').value).toBe('base:1');
      withImage({ choices: ['base:1', 'mine'] });
      expect(page.field('Container').tagName).toBe('INPUT');
      expect(page.all('datalist option')).toHaveLength(2);
    });

    it('says what the server says, rather than what it sees itself', () => {
      const [pangeo, python3] = centre.environments;
      show({
        sites: [site({ environments: [{ ...pangeo, image }, python3] })],
        values: {
          ...defaultValues(centre),
          environment: 'pangeo',
          image: 'other'
        },
        errors: [{ field: 'image', message: 'no such image' }]
      });
      const alerts = page.all('[role="alert"]').map(one => one.textContent);
      expect(alerts).toEqual(['no such image']);
    });

    it('takes that of another environment when that is chosen', () => {
      withImage({}, 'base:2');
      page.choose(page.field('Environment'), 'python3');
      expect(changes).toEqual([{ environment: 'python3', image: '' }]);
      show();
      expect(page.node.textContent).not.toContain('Container');
    });
  });

  it('asks for GPUs where the queue has some', () => {
    const values = { ...defaultValues(centre), size: CUSTOM, gpus: '2' };
    show({ values });
    expect(page.all('[data-field="size.gpus"]')).toEqual([]);
    const queues = centre.queues.map(one => ({ ...one, gpus: 4 }));
    show({ sites: [site({ queues })], values });
    expect(page.field('GPUs').title).toContain('4');
    expect(page.get('output').textContent).toContain('4 GPUs');
  });

  it('tells of the GPUs of a named size', () => {
    const [small] = centre.sizes;
    show({ sites: [site({ sizes: [{ ...small, gpus: 1 }] })] });
    expect(page.get('.jp-HPCDask-size').title).toBe(
      '2 workers with 4 cores, 16 GiB and 1 GPU each'
    );
    expect(page.get('output').textContent).toContain('2 GPUs');
  });

  it('tells who opens More, not that an error did', () => {
    const more = () => page.get<HTMLDetailsElement>('.jp-HPCDask-more');
    show();
    expect(more().open).toBe(false);
    show({ errors: [{ field: 'account', message: 'no such account' }] });
    expect(more().open).toBe(true);
    expect(changes).toEqual([]);
    page.click(page.get('.jp-HPCDask-more > summary'));
    expect(changes).toEqual([false]);
    expect(more().open).toBe(false);
    show({ isMoreOpen: true });
    expect(more().open).toBe(true);
  });

  it('tells when somebody comes to it', () => {
    show();
    page.focus(page.field('Queue'));
    expect(visits).toBe(1);
  });
});
