import { nullTranslator } from '@jupyterlab/translation';

import {
  formatDuration,
  formatMemory,
  formatTimeLeft,
  formatWalltime,
  isScalable,
  isStoppable,
  parseMemory,
  parseWalltime
} from '../format';
import { GIB } from './fixtures';

const trans = nullTranslator.load('hpcdask_ext');

it.each([
  [16 * GIB, '16 GiB'],
  [2.5 * GIB, '2.5 GiB'],
  [1536 * GIB, '1.5 TiB'],
  [0, '0 B'],
  [512, '512 B']
])('formats %p bytes as %s', (bytes, text) => {
  expect(formatMemory(bytes)).toBe(text);
});

it.each([
  ['16 GiB', 16 * GIB],
  ['16gib', 16 * GIB],
  ['2GB', 2e9],
  ['0.5 TiB', 512 * GIB],
  ['1024', 1024],
  ['12 Gigs', null],
  ['', null],
  ['-1 GiB', null]
])('reads %p as %p bytes', (text, bytes) => {
  expect(parseMemory(text)).toBe(bytes);
});

it.each([
  ['01:30:00', 5400],
  ['100:00:00', 360000],
  ['00:30', 1800],
  ['1h', null],
  ['01:75:00', null]
])('reads the walltime %p as %p seconds', (text, seconds) => {
  expect(parseWalltime(text)).toBe(seconds);
});

it.each([
  [59, '59 s'],
  [60, '1 min'],
  [3600, '1 h'],
  [5400, '1 h 30 min'],
  [24 * 3600, '24 h'],
  [72 * 3600, '3 d'],
  [75 * 3600, '3 d 3 h']
])('formats %p seconds as %s', (seconds, text) => {
  expect(formatDuration(seconds, trans)).toBe(text);
});

it('leaves alone what is no walltime', () => {
  expect(formatWalltime('soon', trans)).toBe('soon');
});

it('counts down to the end', () => {
  const end = '2026-11-20T12:00:00Z';
  const at = (time: string) => Date.parse(`2026-11-20T${time}Z`);
  expect(formatTimeLeft(end, at('11:19:00'), trans)).toBe('41 min left');
  expect(formatTimeLeft(end, at('12:00:01'), trans)).toBe('time is up');
});

it.each([
  ['submitting', false, true],
  ['pending', true, true],
  ['starting', true, true],
  ['running', true, true],
  ['stopping', false, false],
  ['stopped', false, false],
  ['failed', false, false]
] as const)('%s: is scalable %p, is stoppable %p', (state, scales, stops) => {
  expect(isScalable(state)).toBe(scales);
  expect(isStoppable(state)).toBe(stops);
});
