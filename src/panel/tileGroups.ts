import type { TranslationBundle } from '@jupyterlab/translation';

import type { IPlots } from '../api/types';

/** One plot of a dashboard. */
export interface IPlot {
  label: string;
  route: string;
}

/** Plots that answer the same question. */
export interface IPlotGroup {
  title: string;
  plots: IPlot[];
}

/** distributed calls its plots "Individual Task Stream" and so on. */
export function plotsOf(plots: IPlots): IPlot[] {
  return Object.entries(plots)
    .map(([name, route]) => ({
      label: name.replace(/^Individual /, ''),
      route
    }))
    .sort((a, b) => a.label.localeCompare(b.label));
}

/** The plots by what one wants to know, the favourites first. */
export function groupPlots(
  plots: readonly IPlot[],
  favourites: readonly string[],
  trans: TranslationBundle
): IPlotGroup[] {
  const wanted = favourites
    .map(name => plots.find(plot => sameName(plot.label, name)))
    .filter(plot => plot !== undefined);
  return [
    { title: trans.__('Favourites'), plots: wanted },
    ...titles(trans).map(([topic, title]) => ({
      title,
      plots: plots.filter(
        plot => topicOf(plot) === topic && !wanted.includes(plot)
      )
    }))
  ].filter(group => group.plots.length);
}

/** The plots whose names have all words of a search. */
export function searchPlots(plots: readonly IPlot[], query: string): IPlot[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  return plots.filter(plot =>
    words.every(word => plot.label.toLowerCase().includes(word))
  );
}

export function sameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

type Topic =
  | 'tasks'
  | 'workers'
  | 'memory'
  | 'time'
  | 'transfer'
  | 'scheduler'
  | 'gpu'
  | 'other';

/** From the special to the general: the first that matches counts. */
const PATTERNS: [Topic, RegExp][] = [
  ['gpu', /gpu|rmm/],
  ['memory', /memory/],
  ['transfer', /bandwidth|network|transfer|disk/],
  ['time', /profile|aggregate|compute-time|metrics|contention/],
  ['scheduler', /scheduler/],
  ['workers', /worker|cpu|occupancy|nprocessing|cluster-map/],
  ['tasks', /task|progress|graph|group|exception/]
];

function topicOf(plot: IPlot): Topic {
  return (
    PATTERNS.find(([, pattern]) => pattern.test(plot.route))?.[0] ?? 'other'
  );
}

/** From what is looked at often to what seldom is. */
function titles(trans: TranslationBundle): [Topic, string][] {
  return [
    ['tasks', trans.__('Tasks')],
    ['workers', trans.__('Workers')],
    ['memory', trans.__('Memory')],
    ['time', trans.__('Where the time goes')],
    ['transfer', trans.__('Network and disk')],
    ['scheduler', trans.__('Scheduler')],
    ['gpu', trans.__('GPU')],
    ['other', trans.__('Other')]
  ];
}
