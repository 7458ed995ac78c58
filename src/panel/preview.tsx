import { Clipboard } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import * as React from 'react';

import type { IPreview } from '../api/types';
import { formatMemory } from '../format';
import { scriptTitle, startWords } from '../words';

export interface IPreviewProps {
  preview: IPreview;
  /** Whether it is for this machine, where nobody has to wait. */
  isLocal: boolean;
  /** Whether there may be fewer workers than it counts. */
  adapts: boolean;
  /** The site's own options as they were chosen: titles and values. */
  options: readonly (readonly [string, string])[];
  now: number;
  trans: TranslationBundle;
  /** A widget that shows a job script; it is disposed of with the view. */
  makeViewer: ((text: string) => Widget) | null;
}

/** What a launch would submit, what it would cost, and when it would start. */
export function Preview(props: IPreviewProps): JSX.Element {
  const { preview, isLocal, now, trans } = props;
  const atOnce = isLocal ? new Date(now).toISOString() : null;
  const start = preview.estimated_start ?? (preview.note ? null : atOnce);
  return (
    <div className="jp-HPCDask-preview">
      <p>{trans.__('Nothing has been submitted yet.')}</p>
      {props.adapts && (
        <p>{trans.__('At most, with all the workers that there may be:')}</p>
      )}
      <PreviewTotals {...props} />
      <Entries entries={props.options} />
      {(start || !preview.note) && <p>{startWords(start, now, trans)}</p>}
      {preview.note && (
        <div className="jp-HPCDask-message jp-mod-warn">{preview.note}</div>
      )}
      {preview.scripts.map((script, index) => (
        <Script
          key={index}
          title={scriptTitle(script.role, script.group, trans)}
          text={script.text}
          {...props}
        />
      ))}
    </div>
  );
}

function PreviewTotals(props: IPreviewProps): JSX.Element | null {
  const { preview, trans } = props;
  const { totals } = preview;
  if (!totals) {
    return null;
  }
  const shown: [string, string | number | null][] = [
    [trans.__('Workers'), totals.workers],
    [trans.__('Cores'), totals.cores],
    [trans.__('Memory'), totals.memory && formatMemory(totals.memory)],
    [trans.__('GPUs'), totals.gpus || null],
    [trans.__('Nodes'), totals.nodes],
    [trans.__('Node-hours'), totals.node_hours]
  ];
  return <Entries entries={shown.filter(([, value]) => value !== null)} />;
}

/** Names with their values, side by side. */
function Entries(props: {
  entries: readonly (readonly [string, string | number | null])[];
}): JSX.Element | null {
  const { entries } = props;
  return entries.length ? (
    <dl className="jp-HPCDask-preview-totals">
      {entries.map(([name, value], index) => (
        <div key={index}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  ) : null;
}

/** One job script, to be read and to be copied. */
function Script(
  props: IPreviewProps & { title: string; text: string }
): JSX.Element {
  const { title, text, trans, makeViewer } = props;
  const [isCopied, setCopied] = React.useState(false);
  return (
    <section aria-label={title}>
      <div className="jp-HPCDask-preview-head">
        <h3>{title}</h3>
        <button
          type="button"
          className="jp-mod-styled jp-HPCDask-smallButton"
          aria-label={trans.__('Copy: %1', title)}
          onClick={() => {
            Clipboard.copyToSystem(text);
            setCopied(true);
          }}
        >
          {isCopied ? trans.__('Copied') : trans.__('Copy')}
        </button>
      </div>
      {makeViewer ? (
        <Viewer text={text} title={title} makeViewer={makeViewer} />
      ) : (
        <pre tabIndex={0} aria-label={title}>
          {text}
        </pre>
      )}
    </section>
  );
}

/** A widget within a view, with the keyboard's focus around it. */
function Viewer(props: {
  text: string;
  title: string;
  makeViewer: (text: string) => Widget;
}): JSX.Element {
  const { text, makeViewer } = props;
  const host = React.useRef<HTMLDivElement>(null);
  // A widget has to go while it is still in the page.
  React.useLayoutEffect(() => {
    const widget = makeViewer(text);
    Widget.attach(widget, host.current!);
    return () => widget.dispose();
  }, [text, makeViewer]);
  return (
    <div
      ref={host}
      className="jp-HPCDask-preview-script"
      role="group"
      aria-label={props.title}
      tabIndex={0}
    />
  );
}
