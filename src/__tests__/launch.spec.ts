import {
  CUSTOM,
  defaultValues,
  placeholder,
  rememberedValues,
  requestOf,
  totalsOf
} from '../launch';
import { GIB, site } from './fixtures';

const centre = site();

describe('the totals', () => {
  it('of a named size are its own', () => {
    expect(totalsOf(centre, defaultValues(centre))).toEqual({
      workers: 2,
      cores: 8,
      memory: 32 * GIB,
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

  it('names a layout only where there is a choice', () => {
    const both = site({ layouts: ['elastic', 'allocation'] });
    expect(requestOf(both, defaultValues(both)).layout).toBe('elastic');
  });
});

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

it('the placeholder of a launch by size name asks for that size', () => {
  const request = { site: 'centre', size: 'large', name: 'era5' };
  const shown = placeholder('launching-1', request, centre, new Date(0));
  expect(shown).toMatchObject({
    name: 'era5',
    environment: 'python3',
    environment_title: 'Python 3 (ipykernel)',
    state: 'submitting',
    client_code: null,
    cores: 128,
    memory: 1024 * GIB,
    workers: { requested: 16, pending: 16, running: 0 },
    created: '1970-01-01T00:00:00.000Z'
  });
});

it('the placeholder of a launch at an unknown site is still a card', () => {
  const shown = placeholder('launching-1', {}, undefined, new Date(0));
  expect(shown).toMatchObject({ state: 'submitting', cores: 0, name: '' });
});
