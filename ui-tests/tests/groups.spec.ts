import type { Locator } from '@playwright/test';

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
import { describeSite, forgetSites } from './sites';

const GIB = 2 ** 30;

function row(card: Locator, group: string): Locator {
  return card.locator(`[data-group="${group}"]`);
}

/** Another number into the field that has the focus. */
async function type(field: Locator, text: string): Promise<void> {
  await field.focus();
  await field.fill(text);
}

test('a cluster becomes adaptive on its card, and fixed again', async ({
  page,
  panel
}) => {
  const id = await launch(panel);
  const card = cards(panel, id);
  await running(panel, id);
  await button(card, 'Scale').click();
  await card.getByLabel('Kind of scaling').selectOption('Adaptive');
  await type(card.getByLabel('Fewest workers'), '2');
  await type(card.getByLabel('Most workers'), '1');
  await page.keyboard.press('Enter');
  await expect(card.getByRole('alert')).toContainText('more than the most');
  await type(card.getByLabel('Most workers'), '3');
  await expect(card.getByRole('alert')).toHaveCount(0);
  await expect(card).toContainText('Up to 3 cores');
  await page.keyboard.press('Enter');
  await expect(card).toBeFocused();
  await expect(card).toContainText('2 of 2–3 workers, adapts to the work');

  await button(card, 'Scale').click();
  await card.getByLabel('Kind of scaling').selectOption('Fixed');
  await type(card.getByLabel('Number of workers'), '1');
  await button(card, 'Apply').click();
  await running(panel, id, 1);
});

test('what the server refuses is put back, and said', async ({
  page,
  panel
}) => {
  const id = await launch(panel);
  const card = cards(panel, id);
  await running(panel, id);
  await page.route(/\/hpcdask\/api\/clusters\/[^/]+$/, async route => {
    const isChange = route.request().method() === 'PATCH';
    const message = 'Your limit of 2 workers is reached: stop another cluster.';
    const errors = [{ field: 'scaling.workers', message }];
    await (isChange
      ? route.fulfill({ status: 422, json: { message, errors } })
      : route.continue());
  });
  await button(card, 'Scale').click();
  await page.keyboard.type('3');
  await page.keyboard.press('Enter');
  await expect(card.getByRole('alert')).toContainText('Your limit of 2');
  await expect(card).toContainText('2 / 2 workers');
  await picture(page, 'scale-refused');
  await button(card, 'Dismiss').click();
  await expect(card.getByRole('alert')).toHaveCount(0);
});

test.describe('workers of several kinds', () => {
  test.beforeEach(() => describeSite());
  test.afterEach(() => forgetSites());

  test('are scaled each by themselves', async ({ page, panel }) => {
    const size = { workers: 1, cores: 1, memory: '512 MiB' };
    const scaling = { mode: 'fixed', workers: 1 };
    const launched = await page.request.post('hpcdask/api/clusters', {
      data: {
        site: 'centre',
        environment: 'python3',
        size,
        groups: [{ name: 'more', queue: 'debug', size, scaling }]
      }
    });
    expect(launched.status()).toBe(201);
    const { id } = await launched.json();
    const card = cards(panel, id);
    await running(panel, id, 2);
    await expect(row(card, 'workers')).toContainText('regular');
    await expect(row(card, 'more')).toContainText('debug');
    await expect(row(card, 'more')).toContainText('1 / 1');

    await button(card, 'Scale more').click();
    await page.keyboard.type('2');
    await page.keyboard.press('Enter');
    await expect(row(card, 'more')).toContainText('2 / 2', { timeout: 60_000 });
    await expect(row(card, 'workers')).toContainText('1 / 1');
    await running(panel, id, 3);
  });
});

const MAIN = {
  name: 'workers',
  queue: 'regular',
  size: 'small',
  walltime: '01:00:00',
  workers: { requested: 8, pending: 0, running: 8 },
  cores: 32,
  memory: 128 * GIB,
  gpus: 0,
  worker: { cores: 4, memory: 16 * GIB, gpus: 0 },
  scaling: { mode: 'fixed', workers: 8 },
  limits: { workers: 64 },
  resources: {}
};

const GPU = {
  ...MAIN,
  name: 'gpu',
  queue: 'gpu-interactive',
  workers: { requested: 2, pending: 1, running: 1 },
  worker: { cores: 8, memory: 64 * GIB, gpus: 1 },
  scaling: { mode: 'adaptive', minimum: 0, maximum: 4 },
  limits: { workers: 16 }
};

const BOUNDS = { mode: 'adaptive', minimum: 0, maximum: 20 };

/** What only a large centre has, beside a cluster of this machine. */
function large(known: object): object[] {
  const common = {
    ...known,
    site_title: 'Perlmutter',
    queue: 'regular',
    environment_title: 'pangeo',
    ends_at: new Date(Date.now() + 41.5 * 60_000).toISOString(),
    core_hours: 9.2,
    cores_running: 32
  };
  const adapts = { requested: 5, pending: 3, running: 2 };
  return [
    {
      ...common,
      id: 'adapts',
      name: 'era5-climatology',
      workers: adapts,
      scaling: BOUNDS,
      groups: [{ ...MAIN, workers: adapts, scaling: BOUNDS }]
    },
    {
      ...common,
      id: 'groups',
      name: 'segmentation',
      core_hours: 1234.5,
      workers: { requested: 10, pending: 1, running: 9 },
      cores: 48,
      memory: 256 * GIB,
      gpus: 2,
      groups: [MAIN, GPU]
    }
  ];
}

for (const theme of ['JupyterLab Light', 'JupyterLab Dark']) {
  test(`pictures of scaling in ${theme}`, async ({ page, panel }) => {
    const suffix = theme.split(' ')[1].toLowerCase();
    await page.theme.setTheme(theme);
    await page.sidebar.openTab('hpcdask');
    await page.sidebar.setWidth(300);
    const id = await launch(panel);
    await running(panel, id);
    const known = await page.request.get(`hpcdask/api/clusters/${id}`);
    await answer(page, one => one, large(await known.json()));
    await foldForm(panel);
    await panel.locator('[data-command="hpcdask:refresh"]').click();
    const card = cards(panel, 'groups');
    await expect(row(card, 'gpu')).toContainText('1 of 0–4');
    await picture(page, `groups-${suffix}`);
    await button(card, 'Scale gpu').click();
    await picture(page, `groups-editor-${suffix}`);
    await button(cards(panel, 'adapts'), 'Scale').click();
    await expect(row(card, 'gpu').locator('form')).toHaveCount(0);
    await picture(page, `adaptive-editor-${suffix}`);
  });
}
