import type { IDisposable } from '@lumino/disposable';
import type { Drag } from '@lumino/dragdrop';
import type { Widget } from '@lumino/widgets';

/** What JupyterLab's file browser gives away in a drag: paths. */
const CONTENTS_MIME = 'application/x-jupyter-icontents';

const EVENTS = ['lm-dragenter', 'lm-dragover', 'lm-dragleave', 'lm-drop'];

const TARGET_CLASS = 'jp-mod-fileDrop';

/**
 * Takes a file that is dropped on a panel of the sidebar, or on its tab: over
 * that the panel comes to the front, as the file browser is in its place.
 */
export class FileDrop implements IDisposable {
  constructor(private readonly _options: FileDrop.IOptions) {
    EVENTS.forEach(type => document.addEventListener(type, this, true));
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      EVENTS.forEach(type => document.removeEventListener(type, this, true));
    }
  }

  handleEvent(event: Event): void {
    const drag = event as Drag.Event;
    const path = this._isOurs(event.target) ? this._pathOf(drag) : null;
    if (path === null) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    const { panel } = this._options;
    panel.toggleClass(
      TARGET_CLASS,
      event.type === 'lm-dragenter' || event.type === 'lm-dragover'
    );
    if (event.type === 'lm-dragenter' && !panel.isVisible) {
      this._options.reveal();
    } else if (event.type === 'lm-dragover') {
      drag.dropAction = drag.proposedAction;
    } else if (event.type === 'lm-drop') {
      drag.dropAction = drag.proposedAction;
      this._options.drop(path);
    }
  }

  private _isOurs(target: EventTarget | null): boolean {
    const { panel } = this._options;
    return (
      target instanceof Element &&
      (panel.node.contains(target) ||
        target.closest(`.lm-TabBar-tab[data-id="${panel.id}"]`) !== null)
    );
  }

  /** The file that is dragged, if it is the only one and one of ours. */
  private _pathOf(drag: Drag.Event): string | null {
    const paths = drag.mimeData.hasData(CONTENTS_MIME)
      ? (drag.mimeData.getData(CONTENTS_MIME) as string[])
      : [];
    return paths.length === 1 && this._options.accepts(paths[0])
      ? paths[0]
      : null;
  }

  private _isDisposed = false;
}

export namespace FileDrop {
  export interface IOptions {
    panel: Widget;
    /** Bring the panel to the front. */
    reveal: () => void;
    /** Whether a file of this path may be dropped. */
    accepts: (path: string) => boolean;
    drop: (path: string) => void;
  }
}
