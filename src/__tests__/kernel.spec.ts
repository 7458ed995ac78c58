import { Notification } from '@jupyterlab/apputils';
import type { INotebookTracker } from '@jupyterlab/notebook';
import { NotebookPanel } from '@jupyterlab/notebook';
import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';

import { insertClientCode, kernelOf } from '../kernel';
import { cluster, settled, site, until } from './fixtures';

const trans = nullTranslator.load('hpcdask_ext');
const OLD = cluster({ environment: 'old', environment_title: 'Old' });

describe('kernelOf', () => {
  it('is the environment, if that is a kernel', () => {
    expect(kernelOf(cluster({ environment: 'python3' }), [site()])).toBe(
      'python3'
    );
    expect(kernelOf(cluster({ environment: 'pangeo' }), [site()])).toBeNull();
    expect(kernelOf(cluster({ environment: 'gone' }), [site()])).toBeNull();
    expect(kernelOf(cluster({ site: 'gone' }), [site()])).toBeNull();
  });
});

describe('insertClientCode', () => {
  let cell: string;

  /** A notebook with an empty cell that runs this kernel, or none. */
  function notebook(kernel: string | null): INotebookTracker {
    const sharedModel = {
      getSource: () => cell,
      setSource: (source: string) => void (cell = source)
    };
    const panel = Object.assign(Object.create(NotebookPanel.prototype), {
      context: {
        ready: Promise.resolve(),
        sessionContext: {
          ready: Promise.resolve(),
          session: kernel && { kernel: { name: kernel } },
          kernelDisplayName: kernel && `the kernel ${kernel}`
        }
      },
      _content: {
        activeCell: { model: { type: 'code', sharedModel } },
        activate: () => undefined,
        scrollToItem: () => Promise.resolve()
      }
    });
    return { currentWidget: panel } as INotebookTracker;
  }

  const insert = (
    kernel: string | null,
    tracker: INotebookTracker | null,
    commands = new CommandRegistry()
  ) => insertClientCode(OLD, kernel, tracker, commands, trans);

  const hints = () =>
    Notification.manager.notifications.map(one => one.message);

  beforeEach(() => {
    cell = '';
    Notification.dismiss();
  });

  it('says that a notebook runs another kernel than the cluster', async () => {
    expect(await insert('old', notebook('python3'))).toBe(true);
    await settled();
    expect(cell).toBe('client = Client()');
    expect(hints()).toEqual([
      'This notebook runs “the kernel python3”, the cluster “Old”: choose the cluster’s kernel, or expect warnings about versions.'
    ]);
  });

  it.each([
    ['it runs the same', 'old', 'old'],
    ['it runs none', 'old', null],
    ['the cluster runs what the site describes', null, 'python3']
  ])('says nothing where %s', async (_, kernel, running) => {
    await insert(kernel, notebook(running));
    await settled();
    expect(cell).toBe('client = Client()');
    expect(hints()).toEqual([]);
  });

  it.each([
    ['old', { activate: true, kernelName: 'old' }],
    [null, { activate: true }]
  ])('makes a new notebook with the kernel %s', async (kernel, expected) => {
    const asked: unknown[] = [];
    const commands = new CommandRegistry();
    commands.addCommand('notebook:create-new', {
      execute: args => {
        asked.push(args);
        return notebook('python3').currentWidget;
      }
    });
    const inserted = insert(kernel, null, commands);
    const accept = () =>
      document.querySelector<HTMLElement>('.jp-Dialog-button.jp-mod-accept');
    await until(() => accept() !== null, 'a dialog');
    accept()!.click();
    expect(await inserted).toBe(true);
    await settled();
    expect(asked).toEqual([expected]);
    expect(cell).toBe('client = Client()');
    expect(hints()).toEqual([]);
  });
});
