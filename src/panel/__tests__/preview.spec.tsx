import { Clipboard } from '@jupyterlab/apputils';
import { Widget } from '@lumino/widgets';
import * as React from 'react';

import { GIB } from '../../__tests__/fixtures';
import type { IPreview } from '../../api/types';
import { Preview } from '../preview';
import { Page, trans } from './render';

const PREVIEW: IPreview = {
  valid: true,
  errors: [],
  totals: {
    workers: 8,
    cores: 32,
    memory: 128 * GIB,
    gpus: 0,
    nodes: 2,
    node_hours: 4.5
  },
  scripts: [
    {
      role: 'scheduler',
      group: 'workers',
      text: '#!/bin/sh\n#SBATCH --mem=4G\n'
    },
    {
      role: 'worker',
      group: 'workers',
      text: '#!/bin/sh\n#SBATCH --array=1-8\n'
    }
  ],
  estimated_start: null,
  note: ''
};

describe('Preview', () => {
  let page: Page;
  let viewers: Widget[];

  function show(
    part: Partial<IPreview> = {},
    makeViewer: ((text: string) => Widget) | null = null,
    isLocal = false,
    adapts = false,
    options: [string, string][] = []
  ): void {
    page.render(
      <Preview
        preview={{ ...PREVIEW, ...part }}
        adapts={adapts}
        options={options}
        isLocal={isLocal}
        now={0}
        trans={trans}
        makeViewer={makeViewer}
      />
    );
  }

  const viewer = (text: string) => {
    const widget = new Widget();
    widget.node.textContent = text;
    viewers.push(widget);
    return widget;
  };

  const totals = () =>
    page.all('dl > div').map(one => [...one.children].map(x => x.textContent));

  beforeEach(() => {
    page = new Page();
    viewers = [];
  });

  afterEach(() => page.close());

  it('tells what the launch costs', () => {
    show();
    expect(totals()).toEqual([
      ['Workers', '8'],
      ['Cores', '32'],
      ['Memory', '128 GiB'],
      ['Nodes', '2'],
      ['Node-hours', '4.5']
    ]);
  });

  it('leaves out what others decide, and says what was chosen', () => {
    const unknown = { cores: null, memory: null, gpus: null, nodes: null };
    const few = { workers: 3, ...unknown, node_hours: null };
    const options: [string, string][] = [['Protocol', 'tcp']];
    show({ totals: few, scripts: [] }, null, false, false, options);
    expect(totals()).toEqual([
      ['Workers', '3'],
      ['Protocol', 'tcp']
    ]);
  });

  it('says that there may be less where the number of workers adapts', () => {
    show();
    expect(page.node.textContent).not.toContain('At most');
    show({}, null, false, true);
    expect(page.node.textContent).toContain('At most');
  });

  it('says which workers a script is for', () => {
    const role = 'worker';
    const scripts = [
      { role, group: 'workers', text: 'a' },
      { role, group: 'gpu', text: 'b' }
    ];
    show({ scripts });
    expect(page.all('h3').map(one => one.textContent)).toEqual([
      'Job script of the workers',
      'Job script of the workers: gpu'
    ]);
  });

  it('tells of GPUs where there are some, of hours where there is a limit', () => {
    show({ totals: { ...PREVIEW.totals!, gpus: 16, node_hours: null } });
    expect(totals().map(([name]) => name)).toEqual([
      'Workers',
      'Cores',
      'Memory',
      'GPUs',
      'Nodes'
    ]);
  });

  it('says when it would start, and what the batch system says', () => {
    show();
    expect(page.node.textContent).toContain('not known when it would start');
    expect(page.all('.jp-HPCDask-message')).toEqual([]);
    show({ estimated_start: '1970-01-01T00:20:00Z', note: 'Mind this.' });
    expect(page.node.textContent).toContain('in about 20 min');
    expect(page.get('.jp-HPCDask-message').textContent).toBe('Mind this.');
  });

  it.each([false, true])(
    'warns, and says nothing of a start, local %p',
    local => {
      const note = 'The queue maint is closed (DOWN): choose another one.';
      show({ note }, null, local);
      const warning = page.get('.jp-HPCDask-message.jp-mod-warn');
      expect(warning.textContent).toBe(note);
      expect(page.node.textContent).not.toContain('start');
    }
  );

  it('says that this machine starts at once', () => {
    show({}, null, true);
    expect(page.node.textContent).toContain('It would start at once.');
  });

  it('shows each script, for the keyboard too', () => {
    show();
    expect(page.all('h3').map(one => one.textContent)).toEqual([
      'Job script of the scheduler',
      'Job script of the workers'
    ]);
    const texts = page.all('pre');
    expect(texts.map(one => one.textContent)).toEqual(
      PREVIEW.scripts.map(one => one.text)
    );
    expect(texts.map(one => one.tabIndex)).toEqual([0, 0]);
  });

  it('shows a script in a viewer, which goes with the preview', () => {
    show({}, viewer);
    expect(page.all('pre')).toEqual([]);
    expect(
      page.all('.jp-HPCDask-preview-script').map(one => one.tabIndex)
    ).toEqual([0, 0]);
    expect(page.node.textContent).toContain('--array=1-8');
    page.render(<div />);
    expect(viewers.map(one => one.isDisposed)).toEqual([true, true]);
  });

  it('copies a script', () => {
    const copied: string[] = [];
    jest
      .spyOn(Clipboard, 'copyToSystem')
      .mockImplementation(data => void copied.push(data as string));
    show();
    page.click(page.button('Copy: Job script of the workers'));
    expect(copied).toEqual([PREVIEW.scripts[1].text]);
    expect(page.button('Copy: Job script of the workers').textContent).toBe(
      'Copied'
    );
  });
});
