import type { TranslationBundle } from '@jupyterlab/translation';

import type { ClusterState, ICluster } from './api/types';

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

const FACTORS: { [unit: string]: number } = {
  '': 1,
  B: 1,
  ...Object.fromEntries(
    ['K', 'M', 'G', 'T', 'P'].flatMap((letter, index) => [
      [letter, 1000 ** (index + 1)],
      [`${letter}B`, 1000 ** (index + 1)],
      [`${letter}I`, 1024 ** (index + 1)],
      [`${letter}IB`, 1024 ** (index + 1)]
    ])
  )
};

/** Bytes for people: `17179869184` is `16 GiB`. */
export function formatMemory(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = value < 10 && !Number.isInteger(value) ? 1 : 0;
  return `${Number(value.toFixed(digits))} ${UNITS[unit]}`;
}

/** The bytes of a text such as `16 GiB` or `500MB`; `null` if it is none. */
export function parseMemory(text: string): number | null {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(text);
  const factor = match && FACTORS[match[2].toUpperCase()];
  return match && factor ? Math.round(Number(match[1]) * factor) : null;
}

/** The seconds of `HH:MM:SS`; `null` if it is no walltime. */
export function parseWalltime(text: string): number | null {
  const match = /^\s*(\d+):([0-5]?\d)(?::([0-5]?\d))?\s*$/.exec(text);
  return match
    ? Number(match[1]) * 3600 + Number(match[2]) * 60 + Number(match[3] ?? 0)
    : null;
}

/** A length of time in its two largest units. */
export function formatDuration(
  seconds: number,
  trans: TranslationBundle
): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) {
    return trans.__('%1 s', whole);
  }
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) {
    return trans.__('%1 min', minutes);
  }
  const hours = Math.floor(minutes / 60);
  if (hours >= 48) {
    const rest = hours % 24;
    return rest
      ? trans.__('%1 d %2 h', Math.floor(hours / 24), rest)
      : trans.__('%1 d', Math.floor(hours / 24));
  }
  return minutes % 60
    ? trans.__('%1 h %2 min', hours, minutes % 60)
    : trans.__('%1 h', hours);
}

/** `01:30:00` as `1 h 30 min`; what is no walltime stays as it is. */
export function formatWalltime(text: string, trans: TranslationBundle): string {
  const seconds = parseWalltime(text);
  return seconds === null ? text : formatDuration(seconds, trans);
}

/** How long a cluster still has. */
export function formatTimeLeft(
  endsAt: string,
  now: number,
  trans: TranslationBundle
): string {
  const seconds = (Date.parse(endsAt) - now) / 1000;
  return seconds <= 0
    ? trans.__('time is up')
    : trans.__('%1 left', formatDuration(seconds, trans));
}

/** A time of day, with the date in front if it is not today. */
export function formatTime(time: string, now: number): string {
  const date = new Date(time);
  const today = new Date(now).toDateString() === date.toDateString();
  return date.toLocaleString(undefined, {
    ...(!today && { day: 'numeric', month: 'short' }),
    hour: '2-digit',
    minute: '2-digit'
  });
}

/** The word for a state. */
export function stateWord(
  state: ClusterState,
  trans: TranslationBundle
): string {
  switch (state) {
    case 'submitting':
      return trans.__('submitting');
    case 'pending':
      return trans.__('pending');
    case 'starting':
      return trans.__('starting');
    case 'running':
      return trans.__('running');
    case 'stopping':
      return trans.__('stopping');
    case 'stopped':
      return trans.__('stopped');
    case 'failed':
      return trans.__('failed');
  }
}

/** Whether nothing more happens to a cluster in this state. */
export function hasEnded(state: ClusterState | undefined): boolean {
  return state === 'stopped' || state === 'failed';
}

/** Whether the number of workers can be changed: else the server says 409. */
export function isScalable(state: ClusterState | undefined): boolean {
  return state === 'pending' || state === 'starting' || state === 'running';
}

/** The same of a cluster, which may not leave that to us at all. */
export function canScale(cluster: ICluster | undefined): boolean {
  return Boolean(cluster?.can_scale) && isScalable(cluster?.state);
}

/** Whether it may be taken off the list. */
export function canForget(cluster: ICluster | undefined): boolean {
  return Boolean(cluster?.can_forget) || hasEnded(cluster?.state);
}

/** Whether there is anything left to stop. */
export function isStoppable(state: ClusterState | undefined): boolean {
  return state === 'submitting' || isScalable(state);
}
