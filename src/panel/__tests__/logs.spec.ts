import { nullTranslator } from '@jupyterlab/translation';
import { renderToStaticMarkup } from 'react-dom/server';

import { settled } from '../../__tests__/fixtures';
import { APIError } from '../../api/client';
import type { ILog, LogRole } from '../../api/types';
import { Logs, LogsView } from '../logs';

const trans = nullTranslator.load('hpcdask_ext');

type Asked = {
  role: LogRole | undefined;
  answer: (text: string) => void;
  refuse: (message: string) => void;
};

it('a log is named once, by its role and its job', () => {
  const log = { text: '', truncated: false };
  const logs: ILog[] = [
    { ...log, role: 'launch', job: 'launch' },
    { ...log, role: 'worker', job: '4711' }
  ];
  const html = renderToStaticMarkup(Logs({ logs, problem: '', trans }));
  expect(html.match(/<h3>.*?<\/h3>/g)).toEqual([
    '<h3>Launch</h3>',
    '<h3>Worker<code>4711</code></h3>'
  ]);
});

describe('LogsView', () => {
  let asked: Asked[];
  let view: LogsView;

  const read = (_: string, role?: LogRole) =>
    new Promise<ILog[]>((resolve, reject) =>
      asked.push({
        role,
        answer: text =>
          resolve([
            { job: '', role: role ?? 'launch', text, truncated: false }
          ]),
        refuse: message => reject(new APIError(502, message))
      })
    );

  const shown = async () => {
    await settled();
    return view.render().props as { logs: ILog[] | null; problem: string };
  };

  beforeEach(() => {
    asked = [];
    view = new LogsView('a', read, trans);
  });

  it('ignores what an older role answers', async () => {
    view.role = 'worker';
    void view.read();
    const [old, now] = asked;
    now.answer('of a worker');
    old.answer('of all');
    expect((await shown()).logs).toMatchObject([
      { role: 'worker', text: 'of a worker' }
    ]);
  });

  it('ignores what goes wrong for an older role', async () => {
    view.role = 'worker';
    void view.read();
    const [old, now] = asked;
    old.refuse('too late');
    expect((await shown()).problem).toBe('');
    now.answer('of a worker');
    expect((await shown()).problem).toBe('');
  });

  it('says what goes wrong, until it does not', async () => {
    asked[0].refuse('Bad Gateway');
    expect((await shown()).problem).toBe('Bad Gateway');
    void view.read();
    asked[1].answer('here');
    expect(await shown()).toMatchObject({ problem: '', logs: [{}] });
  });

  it.each<[string, (asked: Asked) => void]>([
    ['answers', one => one.answer('too late')],
    ['goes wrong', one => one.refuse('too late')]
  ])('draws nothing when it is closed before the server %s', async (_, act) => {
    const update = jest.spyOn(view, 'update');
    view.dispose();
    act(asked[0]);
    expect(await shown()).toMatchObject({ logs: null, problem: '' });
    expect(update).not.toHaveBeenCalled();
  });
});
