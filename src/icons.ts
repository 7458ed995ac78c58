import { LabIcon } from '@jupyterlab/ui-components';

import type { ClusterState } from './api/types';

/** A 16 px drawing in the colour of the text around it. */
function drawing(name: string, content: string): LabIcon {
  return new LabIcon({
    name: `hpcdask:${name}`,
    svgstr:
      '<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 16 16">' +
      `${content}</svg>`
  });
}

const line =
  'fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round"';
const solid = 'fill="currentColor"';

/** The sidebar's: one scheduler and its workers. */
export const clusterIcon = new LabIcon({
  name: 'hpcdask:cluster',
  svgstr:
    '<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 24 24">' +
    '<g class="jp-icon3 jp-icon-selectable" fill="#616161">' +
    '<path d="M12 8.2 15.3 10.1V13.9L12 15.8 8.7 13.9V10.1Z"/>' +
    '<circle cx="12" cy="3.6" r="2.1"/><circle cx="12" cy="20.4" r="2.1"/>' +
    '<circle cx="4.6" cy="7.8" r="2.1"/><circle cx="19.4" cy="7.8" r="2.1"/>' +
    '<circle cx="4.6" cy="16.2" r="2.1"/><circle cx="19.4" cy="16.2" r="2.1"/>' +
    '<path d="M11.4 5h1.2v4h-1.2zM11.4 15h1.2v4h-1.2zM5.8 7.9l.6-1 3.4 2-.6 1zM14.2 15.1l.6-1 3.4 2-.6 1zM18.2 7.9l-.6-1-3.4 2 .6 1zM9.8 15.1l-.6-1-3.4 2 .6 1z"/>' +
    '</g></svg>'
});

export const codeIcon = drawing(
  'code',
  `<path ${line} d="M5.2 4.2 1.8 8l3.4 3.8M10.8 4.2 14.2 8l-3.4 3.8M9 3.2 7 12.8"/>`
);

export const tilesIcon = drawing(
  'tiles',
  `<path ${line} d="M2.5 2.5h4.5v6H2.5zM9.5 2.5h4v3.5h-4zM2.5 11h4.5v2.5H2.5zM9.5 8.5h4v5h-4z"/>`
);

export const scaleIcon = drawing(
  'scale',
  `<path ${line} d="M9.5 6.5 13.5 2.5M10 2.5h3.5V6M6.5 9.5 2.5 13.5M2.5 10v3.5H6"/>`
);

export const logsIcon = drawing(
  'logs',
  `<path ${line} d="M2.5 3.5h11M2.5 6.5h7M2.5 9.5h11M2.5 12.5h5"/>`
);

export const stopIcon = drawing(
  'stop',
  `<rect ${solid} x="3.5" y="3.5" width="9" height="9" rx="1"/>`
);

/** A clock that is set back: an idle cluster stays. */
export const keepIcon = drawing(
  'keep',
  `<path ${line} d="M2.6 3.2v3h3M3 6a5.6 5.6 0 1 1-.5 3.4M8 5v3.2l2.1 1.4"/>`
);

/** A clock: an idle cluster counts down. */
export const idleIcon = drawing(
  'idle',
  `<circle ${line} cx="8" cy="8" r="5.8"/><path ${line} d="M8 4.8V8l2.2 1.5"/>`
);

export const forgetIcon = drawing(
  'forget',
  `<path ${line} d="M4 4l8 8M12 4l-8 8"/>`
);

export const starIcon = drawing(
  'star',
  `<path ${line} d="M8 2.3l1.75 3.6 3.95.55-2.87 2.77.7 3.93L8 11.28l-3.53 1.87.7-3.93L2.3 6.45l3.95-.55z"/>`
);

export const starFilledIcon = drawing(
  'star-filled',
  `<path ${solid} d="M8 1.8l1.95 3.98 4.35.62-3.15 3.07.75 4.33L8 11.75 4.1 13.8l.75-4.33L1.7 6.4l4.35-.62z"/>`
);

/** No connection: what is shown is what was last known. */
export const unreachableIcon = drawing(
  'unreachable',
  `<path ${line} d="M2 7.2c1-1 2.1-1.7 3.4-2.1M8.6 4.6c2 .2 3.9 1.1 5.4 2.6M4.6 9.9c.7-.7 1.6-1.1 2.5-1.3M10.8 9.5l.6.4M3 2l10.5 12"/><circle ${solid} cx="8" cy="12.6" r="1.1"/>`
);

export const warningIcon = drawing(
  'warning',
  `<path ${line} d="M8 2.2 14.3 13.3H1.7ZM8 6.3v3.2"/><circle ${solid} cx="8" cy="11.5" r=".9"/>`
);

/** Each state has a shape of its own: colour only repeats what it says. */
const STATES: { [state in ClusterState]: LabIcon } = {
  submitting: drawing(
    'submitting',
    `<circle ${line} stroke-dasharray="2.6 2.6" cx="8" cy="8" r="5.8"/><path ${line} d="M8 10.8V5.4M5.9 7.3 8 5.2l2.1 2.1"/>`
  ),
  pending: drawing(
    'pending',
    `<circle ${line} cx="8" cy="8" r="5.8"/><path ${line} d="M8 4.8V8l2.2 1.5"/>`
  ),
  starting: drawing(
    'starting',
    `<circle ${line} cx="8" cy="8" r="5.8"/><path ${solid} d="M8 4.2a3.8 3.8 0 0 1 0 7.6z"/>`
  ),
  running: drawing('running', `<circle ${solid} cx="8" cy="8" r="5.6"/>`),
  stopping: drawing(
    'stopping',
    `<rect ${line} x="3.2" y="3.2" width="9.6" height="9.6" rx="1"/>`
  ),
  stopped: drawing(
    'stopped',
    `<rect ${solid} x="3.5" y="3.5" width="9" height="9" rx="1"/>`
  ),
  failed: drawing(
    'failed',
    `<path ${solid} fill-rule="evenodd" d="M5.2 1.8h5.6l3.4 3.4v5.6l-3.4 3.4H5.2l-3.4-3.4V5.2zM7.25 4.4h1.5v4.4h-1.5zM8 10.1a.95.95 0 1 1 0 1.9.95.95 0 0 1 0-1.9z"/>`
  )
};

export function stateIcon(state: ClusterState): LabIcon {
  return STATES[state] ?? unreachableIcon;
}
