import * as React from 'react';

import type { ILog } from '../../api/types';
import { Logs } from '../logParts';
import { Page, trans } from './render';

describe('Logs', () => {
  let page: Page;

  function show(logs: ILog[], hasScript = false): void {
    page.render(
      <Logs logs={logs} problem="" hasScript={hasScript} trans={trans} />
    );
  }

  beforeEach(() => {
    page = new Page();
  });

  afterEach(() => page.close());

  it('are named once, by their role and their job', () => {
    const log = { text: '', truncated: false };
    const logs: ILog[] = [
      { ...log, role: 'launch', job: 'launch' },
      { ...log, role: 'worker', job: '4711' },
      { ...log, role: 'allocation', job: '4712' }
    ];
    show(logs);
    expect(page.all('h3').map(one => one.innerHTML)).toEqual([
      'Launch',
      'Worker<code>4711</code>',
      'Job<code>4712</code>'
    ]);
    show(logs, true);
    expect(page.all('h3')[2].innerHTML).toBe('Script<code>4712</code>');
  });

  it('stay at their end until one scrolls away from it', () => {
    const log: ILog = { role: 'worker', job: '1', text: 'a', truncated: false };
    show([log]);
    const text = page.get('pre');
    const size = { scrollHeight: 500, clientHeight: 100 };
    for (const [name, value] of Object.entries(size)) {
      Object.defineProperty(text, name, { value });
    }
    show([{ ...log, text: 'a\nb' }]);
    expect(text.scrollTop).toBe(500);
    text.scrollTop = 200;
    text.dispatchEvent(new Event('scroll'));
    show([{ ...log, text: 'a\nb\nc' }]);
    expect(text.scrollTop).toBe(200);
    text.scrollTop = 395;
    text.dispatchEvent(new Event('scroll'));
    show([{ ...log, text: 'a\nb\nc\nd' }]);
    expect(text.scrollTop).toBe(500);
  });
});
