import type { APIRequestContext } from '@playwright/test';

import {
  answer,
  button,
  cards,
  expect,
  foldForm,
  launch,
  picture,
  running,
  test
} from './lab';
import { forgetSites, writeSite } from './sites';

const MINUTE = 60_000;

/** What a card says that has been idle for some seconds of its minute. */
const A_WHILE = /Idle: stops in ([1-4]\d|5[0-2]) s/;

/** A site on this machine that does not wait for long. */
const HASTY = {
  name: 'hasty',
  title: 'Hasty',
  batch_system: 'local',
  // The shortest there is.
  idle_timeout: '00:01:00',
  queues: [{ name: 'any' }],
  sizes: [
    { name: 'small', title: 'Small', workers: 1, cores: 1, memory: '512 MiB' }
  ]
};

async function endOf(request: APIRequestContext, id: string): Promise<number> {
  const known = await request.get(`hpcdask/api/clusters/${id}`);
  return Date.parse((await known.json()).idle_ends_at);
}

test.describe('an idle cluster', () => {
  test.beforeEach(() => writeSite(HASTY));
  test.afterEach(() => forgetSites());

  test('counts down, is kept by a click, and ends by itself', async ({
    page,
    panel
  }) => {
    test.setTimeout(5 * MINUTE);
    const id = await launch(panel);
    const card = cards(panel, id);
    await running(panel, id, 1);
    await expect(card).toContainText(/Idle: stops in \d+ s/);
    const toast = page.locator('.Toastify__toast');
    await expect(toast).toHaveCount(1);
    await expect(toast).toContainText('is idle: without work, it stops at');
    // Earlier, it would be no news.
    await expect(card).toContainText(A_WHILE);
    const first = await endOf(page.request, id);

    await button(card, 'Keep').click();
    await expect
      .poll(() => endOf(page.request, id))
      .toBeGreaterThan(first + 1_000);
    const second = await endOf(page.request, id);
    await expect(card).toContainText(/Idle: stops in \d+ s/);
    // What was said of the first idle time is said of the next one instead.
    await expect(toast).toHaveCount(1);

    await expect(card).toContainText(A_WHILE);
    await toast.getByRole('button', { name: 'Keep' }).click();
    await expect
      .poll(() => endOf(page.request, id))
      .toBeGreaterThan(second + 1_000);

    await expect(card).toHaveAttribute('data-state', 'stopped', {
      timeout: 2 * MINUTE
    });
    await expect(toast).toHaveCount(0);
    await panel.locator('summary', { hasText: 'Ended' }).click();
    await expect(card).toContainText(/idle|without/i);
  });
});

for (const theme of ['JupyterLab Light', 'JupyterLab Dark']) {
  test(`pictures of idle clusters in ${theme}`, async ({ page, panel }) => {
    const suffix = theme.split(' ')[1].toLowerCase();
    await page.theme.setTheme(theme);
    await page.sidebar.openTab('hpcdask');
    await page.sidebar.setWidth(300);
    const id = await launch(panel);
    await running(panel, id);
    const known = await page.request.get(`hpcdask/api/clusters/${id}`);
    const base = await known.json();
    const idle = (name: string, minutes: number) => ({
      ...base,
      id: name,
      name,
      core_hours: 9.2,
      idle_ends_at: new Date(Date.now() + minutes * MINUTE).toISOString()
    });
    await answer(page, one => one, [idle('later', 12.5), idle('soon', 4.5)]);
    await foldForm(panel);
    await panel.locator('[data-command="hpcdask:refresh"]').click();
    await expect(cards(panel, 'later')).toContainText('stops in 12 min');
    await expect(cards(panel, 'soon')).toContainText('stops in 4 min');
    await expect(page.locator('.Toastify__toast')).toContainText(
      'soon is idle'
    );
    await cards(panel, 'soon').scrollIntoViewIfNeeded();
    // It slides into the page.
    await expect(page.locator('.Toastify__toast')).toBeInViewport({ ratio: 1 });
    await picture(page, `idle-${suffix}`);
  });
}
