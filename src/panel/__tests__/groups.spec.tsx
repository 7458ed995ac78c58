import { site } from '../../__tests__/fixtures';
import { LaunchFormPage } from './launchFormPage';

const centre = site();
const [regular, debug] = centre.queues;
const gpu = { ...debug, name: 'gpu', title: 'GPU nodes', gpus: 4 };
const withGpus = site({ queues: [regular, debug, gpu] });

describe('workers of other kinds in the launch form', () => {
  let page: LaunchFormPage;

  const add = () => page.click(page.button('Add workers of another kind'));
  const group = (number: number) =>
    page.all('.jp-HPCDask-groupField')[number] as HTMLFieldSetElement;
  const control = (number: number, field: string) =>
    page.get<HTMLInputElement>(
      `[data-field="groups.${number}.${field}"] :is(input, select)`
    );

  beforeEach(() => {
    page = new LaunchFormPage(withGpus);
  });

  afterEach(() => page.close());

  it('stand below More, with what is likely meant', () => {
    expect(page.all('.jp-HPCDask-groupField')).toEqual([]);
    add();
    expect(group(0).closest('details.jp-HPCDask-more')).not.toBeNull();
    expect(group(0).querySelector('legend')!.textContent).toBe('Workers: gpu');
    expect(control(0, 'queue').value).toBe('gpu');
    expect(control(0, 'size.gpus').value).toBe('1');
    expect(control(0, 'scaling.workers').value).toBe('1');
    expect(control(0, 'walltime').placeholder).toBe('01:00:00');
    expect(document.activeElement).toBe(control(0, 'name'));
    expect(page.total).toBe('3 workers · 12 cores · 48 GiB · 1 GPU · 1 h');
  });

  it('have a size, or one of their own', () => {
    add();
    const options = [...control(0, 'size').querySelectorAll('option')];
    expect(options.map(one => one.textContent)).toEqual([
      'Small — 4 cores, 16 GiB',
      'Large — 8 cores, 64 GiB',
      'Custom'
    ]);
    page.choose(control(0, 'size'), 'large');
    expect(page.all('[data-field="groups.0.size.cores"]')).toEqual([]);
    expect(control(0, 'scaling.workers').value).toBe('16');
    expect(page.total).toContain('18 workers');
  });

  it('adapt by themselves', () => {
    add();
    page.choose(control(0, 'scaling'), 'adaptive');
    page.type(control(0, 'scaling.maximum'), '4');
    expect(page.total).toContain('2–6 workers');
    page.type(control(0, 'scaling.minimum'), '5');
    expect(page.errors).toEqual({
      'groups.0.scaling.minimum': '5 is above the maximum of 4'
    });
  });

  it('are removed, and the focus is not lost', () => {
    add();
    add();
    page.type(control(1, 'name'), 'other');
    page.click(page.button('Remove the workers: gpu'));
    expect(page.values.groups.map(one => one.name)).toEqual(['other']);
    expect(document.activeElement).toBe(
      page.button('Add workers of another kind')
    );
  });

  it.each([
    ['size', 'size'],
    ['size.cores', 'size.cores'],
    ['size.workers', 'scaling.workers'],
    ['size.workers_per_job', 'size.workers_per_job'],
    ['scaling.mode', 'scaling'],
    ['walltime', 'walltime'],
    ['resources.GPU', 'resources'],
    ['name', 'name'],
    ['queue', 'queue']
  ])('show what is wrong with their %s at %s', (field, at) => {
    add();
    page.show({ errors: [{ field: `groups.0.${field}`, message: 'no' }] });
    expect(page.errors).toEqual({ [`groups.0.${at}`]: 'no' });
    expect(page.rest).toBe('');
  });

  it('show what is too large about a named size at it', () => {
    add();
    page.choose(control(0, 'size'), 'large');
    page.show({ errors: [{ field: 'groups.0.size.gpus', message: 'no' }] });
    expect(page.errors).toEqual({ 'groups.0.size': 'no' });
  });

  it('show what is wrong with all of them, and nowhere what is not theirs', () => {
    add();
    page.show({
      errors: [
        { field: 'groups', message: 'too many' },
        { field: 'groups.1.name', message: 'whose?' }
      ]
    });
    expect(page.errors).toEqual({ groups: 'too many' });
    expect(page.rest).toBe('whose?');
  });

  it('open More where they are wrong', () => {
    add();
    const errors = [{ field: 'groups.0.queue', message: 'no' }];
    page.show({ isMoreOpen: false, errors: [] });
    const more = page.get<HTMLDetailsElement>('.jp-HPCDask-more');
    expect(more.open).toBe(false);
    page.show({ errors });
    expect(more.open).toBe(true);
  });

  it.each([
    ['a single job', { layouts: ['allocation'] }, 'allocation'],
    ['a cluster class', { kind: 'factory', queues: [], sizes: [] }, 'elastic'],
    ['queues that are not known', { queues: [] }, 'elastic']
  ])('are not offered in %s', (_, part, layout) => {
    page.close();
    page = new LaunchFormPage(site(part));
    page.change({ layout });
    expect(page.node.textContent).not.toContain('another kind');
  });
});
