import type { IJupyterLabPageFixture } from '@jupyterlab/galata';
import type { Locator } from '@playwright/test';

import {
  answer,
  button,
  cards,
  expect,
  launch,
  picture,
  running,
  test
} from './lab';

/** As long as those that the server tells of versions and vulnerabilities. */
const WARNINGS = [
  'dask and distributed differ: notebook 2026.7.0, scheduler and workers 2024.8.1. The notebook may be unable to use the cluster: choose the kernel’s own environment for the cluster, or install the same versions in both.',
  'distributed 2024.8.1 in “old” has a known vulnerability (CVE-2026-23528): a prepared link to a dashboard, once you open it, can run code as you. Update distributed to 2026.1.0 or later in “old”.',
  'tornado 6.4 in “old” has known vulnerabilities (CVE-2024-52804, CVE-2025-47287): whoever reaches the port of the dashboards can block the scheduler. Update tornado to 6.5 or later in “old”.'
];

for (const theme of ['JupyterLab Light', 'JupyterLab Dark']) {
  test(`long warnings leave room for all else, in ${theme}`, async ({
    page,
    panel
  }) => {
    const suffix = theme.split(' ')[1].toLowerCase();
    await answer(page, one => ({ ...one, warnings: WARNINGS }));
    await page.theme.setTheme(theme);
    await page.sidebar.openTab('hpcdask');
    const id = await launch(panel);
    await running(panel, id);
    const card = cards(panel, id);
    const line = card.locator('button[aria-expanded]');
    const isAllSeen = async () => {
      await expect(button(card, 'Stop')).toBeInViewport({ ratio: 1 });
      await expect(card.getByText('2 / 2 workers')).toBeInViewport({
        ratio: 1
      });
    };
    await expect(line).toContainText('and 2 more');
    await expect(line).toBeInViewport({ ratio: 1 });
    await isAllSeen();
    const one = (await card.getByText('2 / 2 workers').boundingBox())!.height;
    expect((await line.boundingBox())!.height).toBeLessThan(2 * one);
    await picture(page, `warnings-${suffix}`);

    await line.focus();
    await page.keyboard.press('Enter');
    await expect(line).toHaveAttribute('aria-expanded', 'true');
    await expect(line).toBeFocused();
    await expect(card.getByText(WARNINGS[0])).toBeInViewport();
    await isAllSeen();
    await picture(page, `warnings-open-${suffix}`);
    await card.getByText(WARNINGS[2]).click({ clickCount: 3 });
    const selected = await page.evaluate(() => String(getSelection()).trim());
    expect(selected).toBe(WARNINGS[2]);
    await expect(line).toHaveAttribute('aria-expanded', 'true');
    await line.click();
    await expect(line).toHaveAttribute('aria-expanded', 'false');
  });
}

test('the card of a launch comes into sight, and leaves the focus', async ({
  page,
  panel
}) => {
  const first = await launch(panel);
  await running(panel, first);
  const known = await page.request.get(`hpcdask/api/clusters/${first}`);
  const old = { ...(await known.json()), created: '2026-01-01T00:00:00Z' };
  const others = Array.from({ length: 8 }, (_, index) => ({
    ...old,
    id: `old${index}`,
    name: `old-${index}`
  }));
  await answer(page, one => one, others);
  await panel.locator('[data-command="hpcdask:refresh"]').click();
  const last = cards(panel, 'old7');
  await last.scrollIntoViewIfNeeded();
  await expect(cards(panel, first)).not.toBeInViewport();
  const submit = button(panel, 'Launch cluster');
  await submit.focus();
  await page.keyboard.press('Enter');
  const made = panel.locator('.jp-HPCDask-card.jp-mod-selected');
  await expect(made).not.toHaveAttribute('data-cluster-id', first);
  await expect(made).toHaveAttribute('data-cluster-id', /.+/);
  await expect(made).toBeInViewport({ ratio: 1 });
  await expect(button(made, 'Stop')).toBeInViewport({ ratio: 1 });
  await expect(submit).toBeFocused();

  // What happens to it later does not take the list away from its reader.
  await last.scrollIntoViewIfNeeded();
  await expect(made).toHaveAttribute('data-state', 'running', {
    timeout: 60_000
  });
  await expect(made).not.toBeInViewport();
});

test('a new notebook for a cluster runs its kernel', async ({
  page,
  panel
}) => {
  const id = await launch(panel);
  await running(panel, id);
  await page.activity.closeAll();
  await button(cards(panel, id), 'Insert client code').click();
  await page
    .getByRole('dialog')
    .getByRole('button', { name: 'New notebook' })
    .click();
  await expect(firstCell(page)).toContainText('Client(');
  await expect(page.locator('.jp-NotebookPanel')).toContainText(
    'Python 3 (ipykernel)'
  );
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await expect(page.getByRole('alert')).toHaveCount(0);
});

for (const theme of ['JupyterLab Light', 'JupyterLab Dark']) {
  test(`a hint at another kernel, in ${theme}`, async ({ page, panel }) => {
    await answer(page, one => ({
      ...one,
      environment: 'without-dask',
      environment_title: 'old'
    }));
    await page.theme.setTheme(theme);
    await page.sidebar.openTab('hpcdask');
    const id = await launch(panel);
    await running(panel, id);
    await page.notebook.createNew('work.ipynb');
    await expect(page.locator('.jp-NotebookPanel')).toContainText('Python 3');
    await button(cards(panel, id), 'Insert client code').click();
    await expect(firstCell(page)).toContainText('Client(');
    const hint = page.locator('.Toastify__toast');
    await expect(hint).toContainText(
      'runs “Python 3 (ipykernel)”, the cluster “old”'
    );
    // It slides into the page.
    await expect(hint).toBeInViewport({ ratio: 1 });
    await picture(page, `hint-${theme.split(' ')[1].toLowerCase()}`);
  });
}

function firstCell(page: IJupyterLabPageFixture): Locator {
  return page.locator('.jp-Notebook .jp-Cell').first();
}
