import { MimeData } from '@lumino/coreutils';
import { Widget } from '@lumino/widgets';

import { FileDrop } from '../fileDrop';

describe('a file that is dragged', () => {
  let panel: Widget;
  let tab: HTMLElement;
  let drop: FileDrop;
  let seen: string[];

  beforeEach(() => {
    seen = [];
    panel = new Widget();
    panel.id = 'hpcdask';
    panel.node.innerHTML = '<ul></ul>';
    Widget.attach(panel, document.body);
    tab = document.createElement('li');
    tab.className = 'lm-TabBar-tab';
    tab.dataset.id = 'hpcdask';
    document.body.append(tab);
    drop = new FileDrop({
      panel,
      reveal: () => void seen.push('reveal'),
      accepts: path => path.endsWith('.json'),
      drop: path => void seen.push(path)
    });
  });

  afterEach(() => {
    drop.dispose();
    panel.dispose();
    tab.remove();
  });

  /** What a drag of these paths does there; tells whether it is taken. */
  function drag(type: string, paths: string[] | null, node: Element): boolean {
    const mimeData = new MimeData();
    if (paths) {
      mimeData.setData('application/x-jupyter-icontents', paths);
    }
    const event = new Event(type, { bubbles: true, cancelable: true });
    Object.assign(event, { mimeData, proposedAction: 'move' });
    node.dispatchEvent(event);
    return event.defaultPrevented;
  }

  const inside = () => panel.node.querySelector('ul')!;
  const isTarget = () => panel.hasClass('jp-mod-fileDrop');

  it('is taken where it is dropped', () => {
    expect(drag('lm-dragenter', ['a.json'], inside())).toBe(true);
    expect(drag('lm-dragover', ['a.json'], inside())).toBe(true);
    expect(isTarget()).toBe(true);
    expect(drag('lm-drop', ['a.json'], inside())).toBe(true);
    expect(isTarget()).toBe(false);
    expect(seen).toEqual(['a.json']);
  });

  it('shows where it may be dropped only as long as it is there', () => {
    drag('lm-dragenter', ['a.json'], inside());
    drag('lm-dragleave', ['a.json'], inside());
    expect(isTarget()).toBe(false);
    expect(seen).toEqual([]);
  });

  it('brings the panel to the front at its tab', () => {
    panel.hide();
    expect(drag('lm-dragenter', ['a.json'], tab)).toBe(true);
    expect(seen).toEqual(['reveal']);
    drag('lm-drop', ['a.json'], tab);
    expect(seen).toEqual(['reveal', 'a.json']);
  });

  it.each<[string, string[] | null]>([
    ['of another kind', ['a.py']],
    ['with another', ['a.json', 'b.json']],
    ['that is none', null]
  ])('%s is not taken', (_, paths) => {
    expect(drag('lm-dragenter', paths, inside())).toBe(false);
    expect(drag('lm-drop', paths, inside())).toBe(false);
    expect(seen).toEqual([]);
  });

  it('elsewhere is not ours', () => {
    expect(drag('lm-drop', ['a.json'], document.body)).toBe(false);
    drop.dispose();
    expect(drag('lm-drop', ['a.json'], inside())).toBe(false);
    expect(seen).toEqual([]);
  });
});
