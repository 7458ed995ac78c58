import * as React from 'react';

import { cluster } from '../../__tests__/fixtures';
import type { ICluster } from '../../api/types';
import { Announcer } from '../announcer';
import { Page, trans } from './render';

describe('Announcer', () => {
  let page: Page;

  const pending = cluster({ state: 'pending', reason: 'Waiting (Priority)' });

  function show(clusters: ICluster[], isLoading = false): void {
    page.render(
      <Announcer clusters={clusters} isLoading={isLoading} trans={trans} />
    );
  }

  const region = () => page.get('[aria-live="polite"]');

  beforeEach(() => {
    page = new Page();
  });

  afterEach(() => page.close());

  it('tells of another state and another reason', () => {
    show([pending]);
    expect(region().textContent).toBe('');
    show([{ ...pending, reason: 'Waiting (Resources)' }]);
    expect(region().textContent).toBe('era5: pending. Waiting (Resources)');
    show([cluster()]);
    expect(region().textContent).toBe('era5: running');
  });

  it('is silent about workers and other details', () => {
    show([pending]);
    show([cluster()]);
    const observer = new MutationObserver(() => undefined);
    const changes = { childList: true, characterData: true, subtree: true };
    observer.observe(region(), changes);
    const workers = { requested: 2, pending: 1, running: 1 };
    show([cluster({ workers, clients: 3, cores: 4 })]);
    expect(observer.takeRecords()).toEqual([]);
  });

  it('tells only of those that changed', () => {
    const other = cluster({ id: 'b', name: 'other' });
    show([pending, other]);
    show([cluster({ state: 'starting' }), other]);
    expect(region().textContent).toBe('era5: starting');
  });

  it('does not tell what is there after loading', () => {
    show([], true);
    show([cluster()]);
    expect(region().textContent).toBe('');
  });
});
