import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { MessageLoop } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';

import { cluster, FakeServer, settled } from '../../__tests__/fixtures';
import type { ClusterModel } from '../../model';
import { ClustersSection } from '../clustersSection';

describe('ClustersSection', () => {
  let server: FakeServer;
  let model: ClusterModel;
  let section: ClustersSection;
  let shown: string[];

  /** Let the page draw what is under way. */
  async function drawn(): Promise<void> {
    await settled();
    MessageLoop.flush();
    await section.renderPromise;
    await settled();
  }

  beforeEach(async () => {
    (
      globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }
    ).IS_REACT_ACT_ENVIRONMENT = false;
    shown = [];
    Element.prototype.scrollIntoView = function (this: HTMLElement) {
      shown.push(this.dataset.clusterId ?? 'not answered');
    };
    server = new FakeServer();
    server.clusters = [
      cluster({ id: 'a', warnings: ['dask differs', 'numpy differs'] }),
      cluster({ id: 'b' })
    ];
    model = server.model();
    await model.ready;
    section = new ClustersSection({
      model,
      commands: new CommandRegistry(),
      trans: nullTranslator.load('hpcdask_ext')
    });
    Widget.attach(section, document.body);
    await drawn();
  });

  afterEach(() => {
    section.dispose();
    model.dispose();
    delete (Element.prototype as { scrollIntoView?: unknown }).scrollIntoView;
  });

  it('brings the card of a launch into sight, and leaves the focus', async () => {
    const button = document.body.appendChild(document.createElement('button'));
    button.focus();
    server.hold('POST');
    server.answer('POST', 'api/clusters', 201, cluster({ id: 'new' }));
    const launched = model.launch({ site: 'centre' });
    await drawn();
    expect(shown).toEqual(['not answered']);
    server.release();
    await launched;
    await drawn();
    expect(shown).toEqual(['not answered', 'new']);
    expect(document.activeElement).toBe(button);
    button.remove();
  });

  it('stays where it is when clusters come from elsewhere, or are selected', async () => {
    server.clusters = [cluster({ id: 'other' }), ...server.clusters];
    await model.refresh();
    model.select('b');
    await drawn();
    expect(shown).toEqual([]);
  });

  it('stays where it is when a launch is refused', async () => {
    model.select('b');
    server.answer('POST', 'api/clusters', 422, { message: 'no', errors: [] });
    await expect(model.launch({ site: 'centre' })).rejects.toThrow('no');
    await drawn();
    expect(shown.filter(one => one !== 'not answered')).toEqual([]);
  });

  it('remembers whose warnings are open while the page lives', async () => {
    const line = () =>
      section.node.querySelector<HTMLElement>('[aria-expanded]')!;
    line().click();
    await drawn();
    expect(line().getAttribute('aria-expanded')).toBe('true');
    expect(section.node.textContent).toContain('numpy differs');
    expect(shown).toEqual(['a']);
    // The sidebar goes to the other side: all is drawn anew.
    Widget.detach(section);
    Widget.attach(section, document.body);
    await drawn();
    expect(line().getAttribute('aria-expanded')).toBe('true');
    expect(shown).toEqual(['a']);
    line().click();
    await drawn();
    expect(section.node.textContent).not.toContain('numpy differs');
  });
});
