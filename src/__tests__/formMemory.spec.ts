import { StateDB } from '@jupyterlab/statedb';

import { FormMemory } from '../formMemory';
import { newGroup } from '../groupValues';
import { defaultValues } from '../launch';
import { rememberedValues } from '../remembered';
import { site } from './fixtures';

const centre = site();

describe('remembered values', () => {
  it('come back, but for the name', () => {
    const saved = { ...defaultValues(centre), size: 'large', name: 'era5' };
    expect(rememberedValues(centre, saved)).toEqual({
      ...defaultValues(centre),
      size: 'large'
    });
  });

  it('give way where the site has changed', () => {
    const saved = {
      ...defaultValues(centre),
      queue: 'gone',
      size: 'gone',
      environment: 'gone',
      account: 'gone',
      options: { qos: 'debug', gone: 1 }
    };
    expect(rememberedValues(centre, saved)).toEqual({
      ...defaultValues(centre),
      options: { qos: 'debug' }
    });
  });

  it('may be nonsense', () => {
    const nonsense = 'x' as unknown as undefined;
    expect(rememberedValues(centre, nonsense)).toEqual(defaultValues(centre));
  });
});

describe('scaling and groups', () => {
  const first = defaultValues(centre);
  const group = { ...newGroup(centre, first), workers: '9', resources: 'a=1' };
  const adaptive = { scaling: 'adaptive' as const, minimum: '1', workers: '7' };

  it('come back', () => {
    const saved = { ...first, ...adaptive, groups: [group] };
    expect(rememberedValues(centre, saved)).toEqual(saved);
  });

  it('begin with what is usual where they were not known yet', () => {
    const fresh = ['scaling', 'minimum', 'groups'];
    const older = Object.fromEntries(
      Object.entries(first).filter(([name]) => !fresh.includes(name))
    );
    expect(rememberedValues(centre, older)).toEqual(first);
    const nonsense = 'x' as unknown as [];
    expect(rememberedValues(centre, { groups: nonsense }).groups).toEqual([]);
  });

  it('go with their queue, and take another size for one that is gone', () => {
    const gone = [
      { ...group, queue: 'gone' },
      { ...group, size: 'gone' }
    ];
    const { groups } = rememberedValues(centre, { ...first, groups: gone });
    expect(groups).toEqual([group]);
  });

  it('wait for queues that are not known yet', () => {
    const saved = { ...first, queue: 'debug', groups: [group] };
    const early = rememberedValues(site({ queues: [] }), saved);
    expect(early).toMatchObject({ queue: 'debug', groups: [group] });
    expect(rememberedValues(centre, early)).toEqual(saved);
  });

  it('of a site that has become another kind are of no use', () => {
    const gateway = site({ kind: 'gateway', queues: [], sizes: [] });
    const saved = { ...first, groups: [group] };
    expect(rememberedValues(gateway, saved)).toMatchObject({
      queue: '',
      size: '',
      groups: []
    });
  });
});

it('a choice that is no longer there is not remembered', () => {
  const saved = { options: { qos: 'premium' } };
  expect(rememberedValues(centre, saved).options).toEqual({ qos: 'normal' });
});

describe('the image', () => {
  const field = { title: '', description: '', default: 'a', pattern: null };
  const withImage = (choices: string[], pattern: string | null = null) =>
    site({
      environments: [
        {
          name: 'container',
          title: 'Container',
          kind: 'site',
          image: { ...field, choices, pattern }
        },
        { name: 'plain', title: 'Plain', kind: 'site', image: null }
      ]
    });
  const saved = { environment: 'container', image: 'b' };

  it.each([
    ['one of the choices', withImage(['a', 'b']), 'b'],
    ['no choice any more', withImage(['a']), ''],
    ['beside the choices', withImage(['a'], '.+'), 'b'],
    ['free', withImage([]), 'b']
  ])('is remembered if it is %s', (_, centre, image) => {
    expect(rememberedValues(centre, saved).image).toBe(image);
  });

  it('is forgotten with its environment', () => {
    const centre = withImage([]);
    const gone = { environment: 'gone', image: 'b' };
    const plain = { environment: 'plain', image: 'b' };
    expect(rememberedValues(centre, gone).image).toBe('');
    expect(rememberedValues(centre, plain).image).toBe('');
  });
});

describe('FormMemory', () => {
  const other = site({ name: 'other' });

  async function memoryOf(state: StateDB): Promise<FormMemory> {
    const memory = new FormMemory(state);
    await memory.restored;
    memory.take([centre, other]);
    return memory;
  }

  it('keeps what was launched, for each site, and which came last', async () => {
    const state = new StateDB();
    const first = await memoryOf(state);
    first.change('centre', { size: 'large' });
    first.change('other', { queue: 'debug' });
    await first.save('centre', first.values('centre')!);
    const second = await memoryOf(state);
    expect(second.site).toBe('centre');
    expect(second.values('centre')?.size).toBe('large');
    expect(second.values('other')?.queue).toBe('regular');
  });

  it('keeps where all fields are shown', async () => {
    const state = new StateDB();
    const first = await memoryOf(state);
    await first.setMoreOpen('centre', true);
    await first.setMoreOpen('other', true);
    await first.setMoreOpen('other', false);
    const second = await memoryOf(state);
    expect(second.isMoreOpen('centre')).toBe(true);
    expect(second.isMoreOpen('other')).toBe(false);
  });

  it('keeps what was typed when the sites come again, but for what is gone', async () => {
    const memory = await memoryOf(new StateDB());
    memory.change('centre', { name: 'era5', queue: 'debug' });
    memory.take([centre]);
    expect(memory.values('centre')).toMatchObject({
      name: 'era5',
      queue: 'debug'
    });
    memory.take([site({ queues: centre.queues.slice(0, 1) })]);
    expect(memory.values('centre')?.queue).toBe('regular');
  });

  it('works without a place to keep it in', async () => {
    const memory = new FormMemory(null);
    await memory.restored;
    memory.take([centre]);
    await memory.save('centre', memory.values('centre')!);
    expect(memory.site).toBe('centre');
  });
});
