import type { IJupyterLabPageFixture } from '@jupyterlab/galata';
import type { Locator } from '@playwright/test';

import { button, cards, expect, picture, test } from './lab';

/** Computes on its cluster and prints its arguments, one after the other. */
const ANALYSIS = `
import sys, time
from dask.distributed import Client

client = Client()
print("sum", client.submit(sum, range(10**6)).result())
for word in sys.argv[1:]:
    print("argument", repr(word))
    time.sleep(float(sys.argv[1]))
print("done")
`;

const FAILS = `
raise SystemExit(3)
`;

test('a script runs with a cluster from the file browser', async ({
  page,
  panel,
  tmpPath
}) => {
  await write(page, `${tmpPath}/analysis.py`, ANALYSIS);
  const dialog = await ask(page, 'analysis.py');
  const words = dialog.getByLabel('Arguments', { exact: true });
  await expect(words).toBeFocused();
  await words.fill("2 'two words");
  await expect(dialog.getByRole('alert')).toContainText('left open');
  await words.fill("2 'two words'");
  await expect(dialog.getByLabel('Command')).toHaveText(
    "python analysis.py 2 'two words'"
  );
  await words.press('Enter');
  await expect(dialog).toHaveCount(0);

  const card = cards(panel).first();
  await expect(card).toHaveAttribute('data-state', 'running', {
    timeout: 60_000
  });
  await expect(card).toContainText('analysis.py is running');
  // Another Enter launches nothing.
  await expect(card).toBeFocused();
  const id = (await card.getAttribute('data-cluster-id'))!;
  await button(card, 'Logs').click();
  const logs = page.locator(`#hpcdask-logs-${id}`);
  // Followed: what is printed later comes by itself.
  await expect(logs).toContainText("argument '2'");
  await expect(logs).toContainText("argument 'two words'");
  await expect(card).toHaveAttribute('data-state', 'stopped', {
    timeout: 60_000
  });
  await expect(card).toContainText('analysis.py ended with exit code 0');
  await expect(card).toBeVisible();
  await expect(logs).toContainText('sum 499999500000');
  await expect(logs).toContainText('done');
});

test('a script that fails says how, and its log why', async ({
  page,
  panel,
  tmpPath
}) => {
  await write(page, `${tmpPath}/fails.py`, FAILS);
  const dialog = await ask(page, 'fails.py');
  await button(dialog, 'Run').click();
  const card = cards(panel).first();
  await expect(card).toHaveAttribute('data-state', 'failed', {
    timeout: 60_000
  });
  await expect(card).toContainText('“fails.py” has failed');
  const told = (await card.innerText()).match(/exit code 3/g);
  expect(told).toHaveLength(1);
});

test('a notebook runs into a copy beside it', async ({
  page,
  panel,
  tmpPath
}) => {
  const source =
    'from dask.distributed import Client\nClient().scheduler_info()';
  const cell = { cell_type: 'code', source, metadata: {}, outputs: [] };
  const notebook = {
    cells: [{ ...cell, execution_count: null }],
    metadata: {},
    nbformat: 4,
    nbformat_minor: 4
  };
  await write(page, `${tmpPath}/era5.ipynb`, JSON.stringify(notebook));
  const dialog = await ask(page, 'era5.ipynb');
  await expect(dialog.getByLabel('Command')).toHaveText(
    'jupyter nbconvert --execute era5.ipynb'
  );
  await button(dialog, 'Run').click();
  await expect(cards(panel).first()).toContainText(
    'era5.ipynb ended with exit code 0',
    { timeout: 90_000 }
  );
  const copy = `${tmpPath}/era5.executed.ipynb`;
  expect(await page.contents.fileExists(copy)).toBe(true);
});

test('what cannot run is refused in the dialog', async ({
  page,
  panel,
  tmpPath
}) => {
  await write(page, `${tmpPath}/gone.py`, FAILS);
  const dialog = await ask(page, 'gone.py');
  await page.contents.deleteFile(`${tmpPath}/gone.py`);
  await button(dialog, 'Run').click();
  await expect(dialog.getByRole('alert')).toContainText('gone.py');
  await button(dialog, 'Cancel').click();
  await expect(dialog).toHaveCount(0);
  await expect(cards(panel)).toHaveCount(0);
});

test('a file of another kind is not offered to run', async ({
  page,
  panel,
  tmpPath
}) => {
  await expect(panel).toBeVisible();
  await write(page, `${tmpPath}/notes.txt`, 'nothing to run');
  await menuOf(page, 'notes.txt');
  await expect(page.getByRole('menuitem', { name: 'Rename' })).toBeVisible();
  await expect(item(page)).toHaveCount(0);
});

for (const theme of ['JupyterLab Light', 'JupyterLab Dark']) {
  test(`pictures of a script in ${theme}`, async ({ page, panel, tmpPath }) => {
    const suffix = theme.split(' ')[1].toLowerCase();
    await page.theme.setTheme(theme);
    await write(page, `${tmpPath}/analysis.py`, ANALYSIS);
    await menuOf(page, 'analysis.py');
    await picture(page, `script-menu-${suffix}`);
    await item(page).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Arguments', { exact: true }).fill("6 'two words'");
    await picture(page, `script-dialog-${suffix}`);
    await button(dialog, 'Run').click();
    const card = cards(panel).first();
    await expect(card).toContainText('is running', { timeout: 60_000 });
    await button(card, 'Logs').click();
    await expect(page.locator('[id^="hpcdask-logs-"]')).toContainText("'6'");
    await picture(page, `script-running-${suffix}`);
    await expect(card).toContainText('exit code 0', { timeout: 60_000 });
    await picture(page, `script-ended-${suffix}`);
  });
}

async function write(
  page: IJupyterLabPageFixture,
  path: string,
  text: string
): Promise<void> {
  await page.contents.uploadContent(text.trimStart(), 'text', path);
}

/** Open the context menu of a file in the test's directory. */
async function menuOf(
  page: IJupyterLabPageFixture,
  name: string
): Promise<void> {
  await page.sidebar.openTab('filebrowser');
  await page.filebrowser.refresh();
  await page
    .locator('.jp-DirListing-item', { hasText: name })
    .click({ button: 'right' });
}

function item(page: IJupyterLabPageFixture): Locator {
  return page.getByRole('menuitem', { name: 'Run with Dask Cluster…' });
}

async function ask(
  page: IJupyterLabPageFixture,
  name: string
): Promise<Locator> {
  await menuOf(page, name);
  await item(page).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText(`Run ${name} with a cluster`);
  return dialog;
}
