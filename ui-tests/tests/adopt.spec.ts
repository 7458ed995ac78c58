import type { IJupyterLabPageFixture } from '@jupyterlab/galata';
import type { Locator } from '@playwright/test';

import { Elsewhere } from './elsewhere';
import {
  button,
  cards,
  colouredPixels,
  expect,
  foldForm,
  picture,
  test
} from './lab';

const CLUSTER = `
from dask.distributed import Client, LocalCluster
cluster = LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0")
client = Client(cluster)
names = set(globals())
`.trim();

const WITHIN = `
from dask.distributed import Client
client = Client(processes=False, n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0")
`.trim();

// IPython itself keeps what was run, in names that begin with _i.
const WORK = `
import time
work = client.map(lambda x: time.sleep(0.05) or x, range(60))
new = [name for name in set(globals()) - names if not name.startswith("_i")]
print("gathered", sum(client.gather(work)), sorted(new))
`.trim();

/** Ask for a cluster to adopt, with the button of the section. */
async function ask(page: IJupyterLabPageFixture): Promise<Locator> {
  await page.locator('#hpcdask [data-command="hpcdask:adopt"]').click();
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('Adopt a cluster that runs already');
  return dialog;
}

function adopted(panel: Locator): Locator {
  return cards(panel).filter({ hasText: 'Adopted' });
}

async function isAdopted(panel: Locator): Promise<void> {
  const card = adopted(panel);
  await expect(card).toHaveAttribute('data-state', 'running');
  await expect(card).toHaveAttribute('aria-current', 'true');
  await expect(card).toContainText('1 worker', { timeout: 30_000 });
}

test.describe('a cluster that runs elsewhere', () => {
  let elsewhere: Elsewhere;

  test.beforeEach(async () => {
    elsewhere = new Elsewhere('runs/scheduler.json');
    await elsewhere.start();
  });

  test.afterEach(() => elsewhere.remove());

  test('is adopted by its file, shown where it is, and forgotten', async ({
    page,
    panel
  }) => {
    let dialog = await ask(page);
    const file = dialog.getByLabel('File', { exact: true });
    await expect(file).toBeFocused();
    await file.fill('runs/other.json');
    await page.keyboard.press('Enter');
    const field = dialog.locator('[data-field="scheduler_file"]');
    await expect(field.getByRole('alert')).toContainText('runs/other.json');
    await picture(page, 'adopt-error');
    await file.fill(elsewhere.file);
    await dialog.getByLabel('Name').fill('by hand');
    await dialog.getByRole('button', { name: 'Adopt', exact: true }).click();
    await expect(dialog).toHaveCount(0);
    await isAdopted(panel);
    const card = adopted(panel);
    await expect(card).toContainText('by hand');
    await expect(card).toBeFocused();
    await expect(button(card, 'Scale')).toHaveCount(0);

    await test.step('its dashboards become tiles', async () => {
      const row = panel.locator('[data-route="/individual-workers"]');
      await row
        .locator('button')
        .first()
        .click({ modifiers: ['Shift'] });
      const plot = page
        .locator('[id^="hpcdask-tile-"] iframe')
        .contentFrame()
        .getByText('tcp://127.0.0.1')
        .first();
      await expect(plot).toBeVisible();
    });

    await test.step('a second time, its card is shown', async () => {
      dialog = await ask(page);
      await dialog.getByLabel('File', { exact: true }).fill(elsewhere.file);
      await page.keyboard.press('Enter');
      await expect(dialog).toHaveCount(0);
      await expect(card).toBeFocused();
      await expect(page.locator('.Toastify__toast')).toContainText('“by hand”');
      await expect(cards(panel)).toHaveCount(1);
    });

    await test.step('a stop is asked for, and is none if refused', async () => {
      await button(card, 'Stop').click();
      await expect(dialog).toContainText('for everybody who uses it');
      await picture(page, 'adopt-stop');
      await dialog.getByRole('button', { name: 'Cancel' }).click();
      await expect(card).toHaveAttribute('data-state', 'running');
    });

    await test.step('once it is gone, that is said, and it is forgotten', async () => {
      await elsewhere.stop();
      const note = card.locator('.jp-HPCDask-card-note');
      await expect(note).toContainText('Cannot be reached since', {
        timeout: 90_000
      });
      await note.getByRole('button', { name: 'Forget' }).click();
      await expect(cards(panel)).toHaveCount(0);
    });
  });

  test('is adopted from the file browser, by its menu', async ({
    page,
    panel
  }) => {
    await page.sidebar.openTab('filebrowser');
    await page.filebrowser.openDirectory('runs');
    const item = page.locator('.jp-DirListing-item', {
      hasText: 'scheduler.json'
    });
    await item.click({ button: 'right' });
    await page.getByRole('menuitem', { name: 'Adopt Dask Cluster' }).click();
    await expect(panel).toBeVisible();
    await isAdopted(panel);
  });

  test('is adopted when its file is dropped on the panel', async ({
    page,
    panel
  }) => {
    await page.sidebar.openTab('filebrowser');
    await page.filebrowser.openDirectory('runs');
    const item = page.locator('.jp-DirListing-item', {
      hasText: 'scheduler.json'
    });
    const tab = page.locator('.jp-SideBar .lm-TabBar-tab[data-id="hpcdask"]');
    const from = (await item.boundingBox())!;
    const over = (await tab.boundingBox())!;
    await page.mouse.move(from.x + 60, from.y + from.height / 2);
    await page.mouse.down();
    await page.mouse.move(from.x + 90, from.y + 40, { steps: 5 });
    await page.mouse.move(over.x + over.width / 2, over.y + over.height / 2, {
      steps: 8
    });
    // The panel comes to the front, in the file browser's place.
    await expect(panel).toBeVisible();
    const to = (await panel.boundingBox())!;
    await page.mouse.move(to.x + to.width / 2, to.y + to.height / 2, {
      steps: 8
    });
    await expect(panel).toHaveClass(/jp-mod-fileDrop/);
    await picture(page, 'adopt-drop');
    await page.mouse.up();
    await isAdopted(panel);
    await expect(panel).not.toHaveClass(/jp-mod-fileDrop/);
  });

  test('is browsed to', async ({ page, panel }) => {
    await page.sidebar.openTab('filebrowser');
    await page.filebrowser.openHomeDirectory();
    await page.sidebar.openTab('hpcdask');
    const dialog = await ask(page);
    await dialog.getByLabel('Name').fill('browsed');
    await dialog.getByRole('button', { name: 'Browse…' }).first().click();
    const files = page.locator('.jp-Open-Dialog');
    const select = page.locator('.jp-Dialog button.jp-mod-accept');
    await files.getByText('runs', { exact: true }).dblclick();
    await files.getByText('scheduler.json').click();
    await expect(select).toHaveText('Select');
    await select.click();
    await expect(dialog.getByLabel('File', { exact: true })).toHaveValue(
      'runs/scheduler.json'
    );
    await expect(dialog.getByLabel('Name')).toHaveValue('browsed');
    await dialog.getByRole('button', { name: 'Adopt', exact: true }).click();
    await isAdopted(panel);
    await expect(adopted(panel)).toContainText('browsed');
  });

  for (const theme of ['JupyterLab Light', 'JupyterLab Dark']) {
    test(`pictures in ${theme}`, async ({ page, panel }) => {
      const suffix = theme.split(' ')[1].toLowerCase();
      await page.theme.setTheme(theme);
      await page.sidebar.openTab('hpcdask');
      await page.sidebar.setWidth(300);
      await foldForm(panel);
      await picture(page, `adopt-empty-${suffix}`);
      await page.notebook.createNew('work.ipynb');
      await expect(toolbarButton(page)).toBeVisible();
      const dialog = await ask(page);
      await picture(page, `adopt-${suffix}`);
      await dialog.getByLabel('Address').check();
      await dialog.getByText('TLS files and dashboard').click();
      await dialog.locator('[data-field="address"] input').fill('127.0.0.1:1');
      await page.keyboard.press('Enter');
      await expect(dialog.getByRole('alert')).toContainText('127.0.0.1:1', {
        timeout: 30_000
      });
      await picture(page, `adopt-address-${suffix}`);
      await dialog.getByLabel('Scheduler file').check();
      await dialog.getByLabel('File', { exact: true }).fill(elsewhere.file);
      await page.keyboard.press('Enter');
      await isAdopted(panel);
      await picture(page, `adopted-${suffix}`);
      await elsewhere.stop();
      await expect(adopted(panel)).toContainText('Cannot be reached since', {
        timeout: 90_000
      });
      await picture(page, `adopted-gone-${suffix}`);
    });
  }
});

function toolbarButton(page: IJupyterLabPageFixture): Locator {
  return page.locator(
    '.jp-NotebookPanel-toolbar [data-command="hpcdask:adopt-notebook"]'
  );
}

test("a notebook's own cluster is adopted in one click", async ({
  page,
  panel
}) => {
  await page.notebook.createNew('work.ipynb');
  await toolbarButton(page).click();
  await expect(
    page.getByText('The kernel of work.ipynb is connected to no Dask cluster')
  ).toBeVisible();
  await page.notebook.setCell(0, 'code', CLUSTER);
  await page.notebook.runCell(0);
  await toolbarButton(page).click();
  await isAdopted(panel);
  await expect(adopted(panel)).toContainText('LocalCluster');

  await panel
    .locator('[data-route="/individual-task-stream"] button')
    .first()
    .click({ modifiers: ['Shift'] });
  const tile = page.locator('[id^="hpcdask-tile-"]');
  await expect(tile).toBeVisible();
  await page.notebook.activate('work.ipynb');
  await page.notebook.setCell(1, 'code', WORK);
  await page.notebook.runCell(1);
  // It is the second cell to be run: nobody has seen the question.
  const prompt = page.locator('.jp-InputPrompt', { hasText: '[2]:' });
  await expect(prompt.first()).toBeVisible();
  // Nothing is left of the question in the notebook's names.
  await expect(
    page.locator('.jp-OutputArea-output', {
      hasText: "gathered 1770 ['names', 'time', 'work']"
    })
  ).toBeVisible();
  await expect.poll(() => colouredPixels(tile)).toBeGreaterThan(1_000);
  await picture(page, 'adopted-notebook');

  await button(adopted(panel), 'Forget').click();
  await expect(cards(panel)).toHaveCount(0);
  await page.notebook.setCell(2, 'code', 'client.submit(sum, [1, 2]).result()');
  await page.notebook.runCell(2);
  await expect(page.locator('.jp-OutputArea-output').last()).toContainText('3');
});

test('a cluster within the kernel itself is shown too, but cannot be stopped', async ({
  page,
  panel
}) => {
  await page.notebook.createNew('within.ipynb');
  await page.notebook.setCell(0, 'code', WITHIN);
  await page.notebook.runCell(0);
  await toolbarButton(page).click();
  await isAdopted(panel);
  const card = adopted(panel);
  await expect(
    panel.locator('[data-route="/individual-task-stream"]')
  ).toBeVisible();
  await button(card, 'Stop').click();
  await page.getByRole('dialog').getByRole('button', { name: 'Stop' }).click();
  await expect(card.getByRole('alert')).toContainText('forget it');
  await expect(card).toHaveAttribute('data-state', 'running');
});
