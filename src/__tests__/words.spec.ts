import { nullTranslator } from '@jupyterlab/translation';

import type { ICluster, ILoad, ISiteOption } from '../api/types';
import {
  layoutHelp,
  layoutTitle,
  loadInFull,
  loadInShort,
  optionWords,
  scriptWords,
  startWords
} from '../words';
import { cluster, site } from './fixtures';

const trans = nullTranslator.load('hpcdask_ext');

const NOTHING: ILoad = {
  open: true,
  note: '',
  nodes: null,
  free_nodes: null,
  free_cores: null,
  running_jobs: null,
  pending_jobs: null
};

describe('the load of a queue', () => {
  it.each<[string, string, Partial<ILoad>]>([
    [
      '12 nodes free',
      '12 of 40 nodes free · 31 jobs running · 0 jobs waiting',
      { nodes: 40, free_nodes: 12, running_jobs: 31, pending_jobs: 0 }
    ],
    ['1 node free', '1 node free', { free_nodes: 1 }],
    ['0 nodes free', '0 of 2 nodes free', { nodes: 2, free_nodes: 0 }],
    ['96 cores free', '96 cores free', { nodes: 8, free_cores: 96 }],
    ['1 job waiting', '1 job waiting', { pending_jobs: 1 }],
    ['', '', {}],
    [
      'closed (drain)',
      'Closed (drain): no jobs start here at the moment',
      { open: false, note: 'drain', nodes: 2, free_nodes: 2 }
    ],
    ['closed', 'Closed: no jobs start here at the moment', { open: false }]
  ])('is %p in short and %p in full', (short, full, part) => {
    const load = { ...NOTHING, ...part };
    expect(loadInShort(load, trans)).toBe(short);
    expect(loadInFull(load, trans).replaceAll('\u00a0', ' ')).toBe(full);
  });

  it('may not be known', () => {
    expect(loadInShort(null, trans)).toBe('');
    expect(loadInFull(null, trans)).toBe('');
  });
});

it('lists the options of a site with what was chosen, but for what was not', () => {
  const option = {
    description: '',
    type: 'string' as const,
    choices: null,
    minimum: null,
    maximum: null
  };
  const options = [
    { ...option, name: 'image', title: 'Image', default: 'base' },
    { ...option, name: 'cores', title: '', type: 'integer', default: 2 },
    { ...option, name: 'fast', title: 'Fast', type: 'boolean', default: false },
    { ...option, name: 'note', title: 'Note', default: null }
  ] as unknown as ISiteOption[];
  const chosen = { image: 'full', cores: '', fast: true, note: '' };
  expect(optionWords(site({ options }), { options: chosen }, trans)).toEqual([
    ['Image', 'full'],
    ['cores', '2'],
    ['Fast', 'yes']
  ]);
});

it('names the layouts, also one that came later', () => {
  const layouts = ['elastic', 'allocation', 'spiral'];
  expect(layouts.map(one => layoutTitle(one, trans))).toEqual([
    'Separate jobs',
    'One job',
    'spiral'
  ]);
  const helps = layouts.map(one => layoutHelp(one, trans));
  expect(helps[0]).toContain('grow and shrink');
  expect(helps[1]).toContain('shrink, not grow');
  expect(helps[2]).toBe('');
});

describe('a script', () => {
  const script = { path: '/home/alice/runs/analysis.py', arguments: [] };

  it.each<[string, Partial<ICluster>]>([
    ['analysis.py runs as soon as the job starts', { state: 'pending' }],
    ['analysis.py is running', { state: 'running' }],
    ['analysis.py ended with exit code 0', { state: 'stopped', exit_code: 0 }],
    ['analysis.py ended with exit code 3', { state: 'failed', exit_code: 3 }],
    ['analysis.py did not run to its end', { state: 'stopped' }]
  ])('%s', (words, part) => {
    expect(scriptWords(cluster({ script, ...part }), trans)).toBe(words);
  });

  it('is not mentioned where there is none', () => {
    expect(scriptWords(cluster(), trans)).toBe('');
  });
});

it.each([
  [null, 'It is not known when it would start.'],
  ['2026-11-20T10:00:30Z', 'It would start at once.'],
  ['2026-11-20T09:00:00Z', 'It would start at once.']
])('says of a start at %p: %s', (start, words) => {
  const now = Date.parse('2026-11-20T10:00:00Z');
  expect(startWords(start, now, trans)).toBe(words);
});

it('says in how long a later start would be', () => {
  const now = Date.parse('2026-11-20T10:00:00Z');
  const words = startWords('2026-11-20T11:30:00Z', now, trans);
  expect(words).toMatch(/^It would start at about .+, in about 1 h 30 min\.$/);
});
