import { MimeData } from '@lumino/coreutils';
import { Drag } from '@lumino/dragdrop';
import type { Widget } from '@lumino/widgets';

/** What the dock panel takes: a function that makes the widget. */
const FACTORY_MIME = 'application/vnd.lumino.widget-factory';

/** How far the pointer moves until a click becomes a drag, in pixels. */
const THRESHOLD = 5;

/**
 * Follow a pointer that went down on a row: if it moves, the row is dragged,
 * and `makeWidget` is called where it is dropped in the main area.
 */
export function dragWhenMoved(
  down: PointerEvent,
  label: string,
  makeWidget: () => Widget
): void {
  if (down.button !== 0) {
    return;
  }
  const stop = () => {
    document.removeEventListener('pointermove', onMove, true);
    document.removeEventListener('pointerup', stop, true);
    document.removeEventListener('pointercancel', stop, true);
  };
  const onMove = (event: PointerEvent) => {
    const moved = Math.hypot(
      event.clientX - down.clientX,
      event.clientY - down.clientY
    );
    if (moved >= THRESHOLD) {
      stop();
      swallowClick();
      void startDrag(event, label, makeWidget);
    }
  };
  document.addEventListener('pointermove', onMove, true);
  document.addEventListener('pointerup', stop, true);
  document.addEventListener('pointercancel', stop, true);
}

async function startDrag(
  event: PointerEvent,
  label: string,
  makeWidget: () => Widget
): Promise<void> {
  const mimeData = new MimeData();
  mimeData.setData(FACTORY_MIME, makeWidget);
  const drag = new Drag({
    mimeData,
    dragImage: dragImage(label),
    supportedActions: 'move',
    proposedAction: 'move'
  });
  await drag.start(event.clientX, event.clientY);
  drag.dispose();
}

function dragImage(label: string): HTMLElement {
  const image = document.createElement('div');
  image.className = 'jp-HPCDask-dragImage';
  image.textContent = label;
  return image;
}

/** A drag that ends above its own row is no click. */
function swallowClick(): void {
  const swallow = (event: MouseEvent) => {
    event.stopPropagation();
    event.preventDefault();
  };
  document.addEventListener('click', swallow, { capture: true, once: true });
  document.addEventListener(
    'pointerup',
    () =>
      window.setTimeout(
        () => document.removeEventListener('click', swallow, true),
        0
      ),
    { capture: true, once: true }
  );
}
