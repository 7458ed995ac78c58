import { mkdirSync, rmSync, writeFileSync } from 'fs';
import { join } from 'path';

import type { IJupyterLabPageFixture } from '@jupyterlab/galata';
import type { Locator } from '@playwright/test';

import {
  button,
  colouredPixels,
  drag,
  expect,
  picture,
  stopAll,
  test as base
} from './lab';
import { OwnServer } from './ownServer';

/*
 * The unmodified dask-labextension, whose routes we answer in place of its own
 * server half: a server of its own, with another configuration.
 */
const PORT = Number(process.env.HPCDASK_UI_PORT ?? 18888) + 1;
const server = new OwnServer('labextension_list_config.py', PORT);

const COMPUTE = 'print("answer", client.submit(sum, range(10**6)).result())';
const WORK = `
import time
work = client.map(lambda x: time.sleep(0.05) or x, range(60))
print("gathered", sum(client.gather(work)))
`;

const test = base.extend<{ theirs: Locator }>({
  theirs: async ({ page, request }, use) => {
    await page.sidebar.openTab('dask-dashboard-launcher');
    const theirs = page.locator('#dask-dashboard-launcher');
    await expect(theirs.getByText('NEW', { exact: true })).toBeVisible();
    await use(theirs);
    await stopAll(request);
  }
});

test.use({ baseURL: server.url });
test.beforeAll(() => server.start());
test.afterAll(() => server.stop());

test('its list launches, connects, draws, scales and stops our clusters', async ({
  page,
  theirs
}) => {
  await expect(rows(theirs)).toHaveCount(0);
  await theirs.getByText('NEW', { exact: true }).click();
  const row = rows(theirs).first();
  const id = (await row.getAttribute('data-cluster-id'))!;
  await picture(page, 'their-list-launched');
  await expect(title(row)).toHaveText('small-1', { timeout: 60_000 });
  await expect(row).toContainText('Number of Workers: 2');
  await expect(row).toContainText(/Scheduler Address: tls:\/\/127\.0\.0\.1:/);
  expect(await ourState(page, id)).toBe('running');
  await picture(page, 'their-list-running');

  await test.step('its tiles follow the cluster', async () => {
    await plot(theirs, 'Task Stream').click();
    const src = new RegExp(`/dask/dashboard/${id}/individual-task-stream`);
    await expect(frame(page)).toHaveAttribute('src', src);
  });

  await test.step('the row is dragged into a notebook, and connects', async () => {
    await page.notebook.createNew('theirs.ipynb');
    const notebook = page.locator('.jp-NotebookPanel');
    await drag(page, title(row), notebook, { x: 0.5, y: 0.15 });
    const cell = page
      .locator('.jp-Notebook .jp-CodeCell')
      .filter({ hasText: 'client = Client("tls://' });
    await expect(cell).toBeVisible();
    await picture(page, 'their-list-dragged');
    await page.notebook.addCell('code', COMPUTE);
    await page.notebook.run();
    await expect(output(page, 'answer 499999500000')).toBeVisible();
  });

  await test.step('what it computes is drawn', async () => {
    await page.notebook.addCell('code', WORK.trim());
    const last = (await page.notebook.getCellCount()) - 1;
    await page.notebook.runCell(last);
    await expect(output(page, 'gathered 1770')).toBeVisible();
    await page.notebook.save();
    await page.locator('.lm-TabBar-tab', { hasText: 'Task Stream' }).click();
    const tile = page.locator('.dask-DaskDashboard-widget').first();
    await expect(tile).toBeVisible();
    await expect.poll(() => colouredPixels(tile)).toBeGreaterThan(1_000);
    await picture(page, 'their-list-tile');
  });

  await test.step('its search finds the dashboard of the notebook', async () => {
    await page.notebook.activate('theirs.ipynb');
    await theirs.locator('[title*="Auto-detect"]').first().click();
    await expect(theirs.locator('input').first()).toHaveValue(
      /127\.0\.0\.1:\d+\/$/
    );
    await plot(theirs, 'Progress').click();
    const src = new RegExp(`/dask/dashboard/${id}/individual-progress`);
    await expect(frame(page)).toHaveAttribute('src', src);
    await row.click();
    await expect(theirs.locator('input').first()).toHaveValue(
      new RegExp(`dask/dashboard/${id}`)
    );
  });

  await test.step('its button inserts code that connects', async () => {
    await page.notebook.activate('theirs.ipynb');
    const cells = page
      .locator('.jp-Notebook .jp-CodeCell')
      .filter({ hasText: 'client = Client("tls://' });
    await page.notebook.selectCells(2);
    await row.locator('.dask-ClusterListingItem-code').click();
    await expect(cells).toHaveCount(2);
    await page.notebook.runCell(2);
    await expect(cells.nth(1)).toContainText('Connection method');
    await page.notebook.save();
  });

  await test.step('its dialog scales', async () => {
    await scale(page, row, 1);
    await expect(row).toContainText('Number of Workers: 1');
    await scale(page, row, 100_000);
    const refused = page.getByRole('dialog');
    await expect(refused).toContainText('100000');
    await picture(page, 'their-list-refused');
    await refused.getByRole('button').first().click();
    await expect(row).toContainText('Number of Workers: 1');
  });

  await test.step('its dialog makes it adapt', async () => {
    await row.getByText('SCALE', { exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.locator('.dask-ScalingCheckbox').check();
    await dialog.locator('.dask-ScalingInput').last().fill('2');
    await dialog.getByRole('button', { name: 'SCALE' }).click();
    await expect(row).toContainText('Minimum Workers: 1');
    await expect(row).toContainText('Maximum Workers: 2');
    await picture(page, 'their-list-adaptive');
  });

  await test.step('all is still there after a reload', async () => {
    await page.reload({ waitForIsReady: false });
    await page.sidebar.openTab('dask-dashboard-launcher');
    await expect(title(row)).toContainText('small-1');
    await expect(row).toHaveClass(/jp-mod-active/);
    await expect(plot(theirs, 'Task Stream')).toBeVisible();
  });

  await test.step('SHUTDOWN stops, and the row goes', async () => {
    await row.getByText('SHUTDOWN').click();
    await expect(rows(theirs)).toHaveCount(0);
    await expect
      .poll(() => ourState(page, id), { timeout: 60_000 })
      .toBe('stopped');
    await expect(theirs).toContainText('Dashboard not connected');
    await picture(page, 'their-list-stopped');
  });
});

test('a launch that is refused says why', async ({ page, theirs }) => {
  const folder = join(server.home, 'config/hpcdask/sites.d');
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'full.yaml'),
    JSON.stringify({
      name: 'full',
      batch_system: 'local',
      queues: [{ name: 'regular', limits: { workers: 3 } }],
      sizes: [{ name: 'big', workers: 9, cores: 1, memory: '256 MiB' }]
    })
  );
  await theirs.getByText('NEW', { exact: true }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('Cluster Start Error');
  await expect(dialog).toContainText('9 workers are more than the queue');
  await picture(page, 'their-list-start-error');
  await dialog.getByRole('button').first().click();
  await expect(rows(theirs)).toHaveCount(0);
  rmSync(folder, { recursive: true });
});

function rows(theirs: Locator): Locator {
  return theirs.locator('.dask-ClusterListingItem');
}

function title(row: Locator): Locator {
  return row.locator('.dask-ClusterListingItem-title');
}

function plot(theirs: Locator, label: string): Locator {
  return button(theirs, label);
}

/** The dashboard that was opened last. */
function frame(page: IJupyterLabPageFixture): Locator {
  return page.locator('.dask-DaskDashboard-widget iframe').last();
}

function output(page: IJupyterLabPageFixture, text: string): Locator {
  return page
    .locator('.jp-NotebookPanel:visible .jp-OutputArea-output', {
      hasText: text
    })
    .last();
}

async function scale(
  page: IJupyterLabPageFixture,
  row: Locator,
  workers: number
): Promise<void> {
  await row.getByText('SCALE', { exact: true }).click();
  const dialog = page.getByRole('dialog');
  await dialog.locator('.dask-ScalingInput').first().fill(String(workers));
  await picture(page, 'their-list-scale');
  await dialog.getByRole('button', { name: 'SCALE' }).click();
}

async function ourState(
  page: IJupyterLabPageFixture,
  id: string
): Promise<string> {
  const answer = await page.request.get(
    `${server.url}/hpcdask/api/clusters/${id}`
  );
  return (await answer.json()).state;
}
