import type { IJupyterLabPageFixture } from '@jupyterlab/galata';
import type { Locator } from '@playwright/test';

import {
  button,
  cards,
  colouredPixels,
  drag,
  expect,
  launch,
  picture,
  running,
  test
} from './lab';

const SUM =
  'print(client.submit(sum, range(10**6)).result(), client.dashboard_link)';

const WORK = `
import time
work = client.map(lambda x: time.sleep(0.05) or x, range(60))
print("gathered", sum(client.gather(work)))
`;

test('a cluster from the button to a plot beside the notebook, and back', async ({
  page,
  panel
}) => {
  const clicked = Date.now();
  await button(panel, 'Launch cluster').click();
  await panel.locator('.jp-HPCDask-card').waitFor();
  const visible = Date.now() - clicked;
  // The goal is 150 ms; playwright's own share is in this number.
  expect(visible).toBeLessThan(1000);
  const card = cards(panel).first();
  const id = (await card.getAttribute('data-cluster-id'))!;
  await picture(page, 'launched');
  await running(panel, id);
  await expect(card).toHaveAttribute('aria-current', 'true');
  await picture(page, 'running');

  await test.step('the client code computes in a notebook', async () => {
    await page.notebook.createNew('work.ipynb');
    await button(card, 'Insert client code').click();
    await expect(page.locator('.jp-Notebook .jp-Cell').first()).toContainText(
      'Client('
    );
    await page.notebook.addCell('code', SUM);
    await page.notebook.run();
    const output = page.locator('.jp-OutputArea-output', {
      hasText: '499999500000'
    });
    await expect(output).toContainText(`/hpcdask/proxy/${id}/`);
  });

  const tile = page.locator('[id^="hpcdask-tile-"]');

  await test.step('a tile is dragged beside the notebook and draws', async () => {
    const notebook = page.locator('.jp-NotebookPanel');
    await drag(
      page,
      panel.locator('[data-route="/individual-task-stream"]'),
      notebook,
      { x: 0.95, y: 0.5 }
    );
    await expect(tile).toBeVisible();
    const tileBox = (await tile.boundingBox())!;
    const notebookBox = (await notebook.boundingBox())!;
    expect(tileBox.x).toBeGreaterThan(notebookBox.x + notebookBox.width - 1);
    await page.notebook.activate('work.ipynb');
    await page.notebook.addCell('code', WORK.trim());
    await page.notebook.runCell(2);
    await expect(
      page.locator('.jp-OutputArea-output', { hasText: 'gathered 1770' })
    ).toBeVisible();
    await expect.poll(() => colouredPixels(tile)).toBeGreaterThan(1_000);
    await picture(page, 'tile');
    await page.notebook.save();
  });

  await test.step("dask-labextension's own list works with our URL", async () => {
    await page.sidebar.openTab('dask-dashboard-launcher');
    const theirs = page.locator('#dask-dashboard-launcher');
    await expect(theirs.locator('input').first()).toHaveValue(
      new RegExp(`hpcdask/proxy/${id}/`)
    );
    await theirs.getByText('Progress', { exact: true }).click();
    const opened = page.locator('[id^="dask-dashboard-"] iframe').last();
    await expect(opened).toHaveAttribute(
      'src',
      new RegExp(`hpcdask/proxy/${id}/individual-progress`)
    );
    await picture(page, 'dask-labextension');
    await page.sidebar.openTab('hpcdask');
  });

  await test.step('a second cluster does not move the pinned tile', async () => {
    const before = await tile.locator('iframe').getAttribute('src');
    const second = await launch(panel);
    await running(panel, second);
    await expect(cards(panel, second)).toHaveAttribute('aria-current', 'true');
    await row(panel, 'progress').click();
    await expect(
      page.locator(`iframe[src*="${second}/individual-progress"]`)
    ).toBeVisible();
    await expect(tile.locator('iframe')).toHaveAttribute('src', before!);
    expect(before).toContain(`/hpcdask/proxy/${id}/`);
    await picture(page, 'two-clusters');
    await button(cards(panel, second), 'Stop').click();
    await expect(cards(panel, second)).toHaveAttribute(
      'data-state',
      'stopped',
      {
        timeout: 60_000
      }
    );
    await cards(panel, id).click();
    await expect(cards(panel, id)).toHaveAttribute('aria-current', 'true');
  });

  await test.step('everything is still there after a reload', async () => {
    // JupyterLab saves its layout a second after the last change.
    await page.waitForTimeout(2_000);
    await page.reload({ waitForIsReady: false });
    await expect(cards(panel, id)).toHaveAttribute('data-state', 'running');
    await expect(cards(panel, id)).toHaveAttribute('aria-current', 'true');
    await expect(tile).toBeVisible();
    await expect.poll(() => colouredPixels(tile)).toBeGreaterThan(1_000);
    await expect(
      panel.locator('[data-route="/individual-task-stream"]')
    ).toBeVisible();
    await picture(page, 'reloaded');
  });

  await test.step('it is stopped, after a question: a client is connected', async () => {
    await button(cards(panel, id), 'Stop').click();
    const dialog = page.getByRole('dialog');
    await expect(dialog).toContainText('client');
    await picture(page, 'stop');
    await dialog.getByRole('button', { name: 'Stop' }).click();
    await expect(cards(panel, id)).toHaveAttribute('data-state', 'stopped', {
      timeout: 60_000
    });
    await expect(tile).toContainText('has ended');
    await picture(page, 'stopped');
  });
});

test('a cluster is scaled and renamed in place', async ({ page, panel }) => {
  const id = await launch(panel);
  const card = cards(panel, id);
  await running(panel, id);
  await button(card, 'Scale').click();
  await page.keyboard.type('1');
  await page.keyboard.press('Enter');
  await running(panel, id, 1);
  await button(card, 'Scale').click();
  await page.keyboard.type('100000');
  await page.keyboard.press('Enter');
  await expect(card.getByRole('alert')).toContainText('100000');
  await page.keyboard.press('Escape');
  await expect(card).toBeFocused();
  await expect(card).toContainText('1 / 1 worker');
  await card.focus();
  await page.keyboard.press('F2');
  await page.keyboard.type('era5');
  await page.keyboard.press('Enter');
  await expect(card).toContainText('era5');
  await button(card, 'Logs').click();
  await expect(page.locator(`#hpcdask-logs-${id}`)).toContainText('Scheduler');
  await picture(page, 'logs');
  await card.focus();
  await page.keyboard.press('Delete');
  await expect(card).toHaveAttribute('data-state', 'stopped', {
    timeout: 60_000
  });
  await panel.locator('summary', { hasText: 'Ended' }).click();
  await button(card, 'Forget').click();
  await expect(card).toHaveCount(0);
});

test('Enter on a card opens its dashboards', async ({ page, panel }) => {
  const id = await launch(panel);
  await running(panel, id);
  await cards(panel, id).focus();
  await page.keyboard.press('Enter');
  await expect(panel.getByRole('searchbox')).toBeFocused();
  // JupyterLab activates the panel a moment later.
  await page.waitForTimeout(500);
  await expect(panel.getByRole('searchbox')).toBeFocused();
});

test('the layout opens through dask-labextension', async ({ page, panel }) => {
  const id = await launch(panel);
  await running(panel, id);
  await button(panel, 'Open layout').click();
  for (const plot of ['task-stream', 'workers-memory', 'progress']) {
    await expect(
      page.locator(`iframe[src*="${id}/individual-${plot}"]`)
    ).toBeVisible();
  }
});

test('Shift and a click pin a tile to its cluster', async ({ page, panel }) => {
  const id = await launch(panel);
  await running(panel, id);
  await row(panel, 'progress').click({ modifiers: ['Shift'] });
  await expect(ourTile(page, id, 'progress')).toBeVisible();
});

test.describe('without dask-labextension', () => {
  test.use({ autoGoto: false });

  // The fixture of the panel wants the page, so the page is changed before.
  test.beforeEach(async ({ page }) => {
    await page.route(/\/lab\/\?reset$/, async route => {
      const answer = await route.fetch();
      const html = (await answer.text()).replace(
        '"disabledExtensions": []',
        '"disabledExtensions": ["dask-labextension"]'
      );
      await route.fulfill({ response: answer, body: html });
    });
    await page.goto('?reset');
  });

  test('a click opens our own tile', async ({ page, panel }) => {
    await expect(page.locator('#dask-dashboard-launcher')).toHaveCount(0);
    const id = await launch(panel);
    await running(panel, id);
    await expect(row(panel, 'task-stream')).toBeVisible();
    await expect(button(panel, 'Open layout')).toHaveCount(0);
    await row(panel, 'progress').click();
    await expect(ourTile(page, id, 'progress')).toBeVisible();
  });
});

function row(panel: Locator, plot: string): Locator {
  return panel.locator(`[data-route="/individual-${plot}"] button`).first();
}

/** The plot in our own tile for it. */
function ourTile(
  page: IJupyterLabPageFixture,
  id: string,
  plot: string
): Locator {
  return page.locator(
    `#hpcdask-tile-${id}-${plot} iframe[src*="/hpcdask/proxy/${id}/individual-${plot}"]`
  );
}
