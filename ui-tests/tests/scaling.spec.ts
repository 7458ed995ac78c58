import type { APIRequestContext, Locator } from '@playwright/test';

import { alert, field, openMore, toggleOthers, total } from './fields';
import {
  button,
  cards,
  chooseSize,
  expect,
  launch,
  picture,
  running,
  test
} from './lab';
import { describeNewSite, forgetSites } from './sites';

test.beforeEach(() => describeNewSite());
test.afterAll(forgetSites);

test('a cluster that adapts is launched with its bounds', async ({
  panel,
  request
}) => {
  await expect(field(panel, 'Scaling')).toHaveValue('fixed');
  await expect(field(panel, 'Minimum')).toHaveCount(0);
  await field(panel, 'Scaling').selectOption('adaptive');
  await expect(field(panel, 'Minimum')).toHaveValue('0');
  await expect(field(panel, 'Maximum')).toHaveValue('2');
  await field(panel, 'Minimum').fill('1');
  await field(panel, 'Maximum').fill('3');
  await expect(total(panel)).toContainText('1–3 workers');
  await expect(total(panel)).toContainText('at most 3 cores');
  await field(panel, 'Environment').selectOption('python3');
  const id = await launch(panel);
  await expect(cards(panel, id)).toContainText('1 of 1–3 workers', {
    timeout: 60_000
  });
  const { scaling } = await clusterOf(request, id);
  expect(scaling).toEqual({ mode: 'adaptive', minimum: 1, maximum: 3 });
});

test('bounds are checked while they are typed, and by the server', async ({
  panel
}) => {
  await field(panel, 'Scaling').selectOption('adaptive');
  await field(panel, 'Maximum').fill('9');
  await expect(alert(panel, 'scaling.maximum')).toHaveText(
    '9 workers are more than the queue regular allows: 8'
  );
  // Another queue has another limit.
  await field(panel, 'Queue').selectOption('debug');
  await expect(alert(panel, 'scaling.maximum')).toHaveCount(0);
  await field(panel, 'Minimum').fill('10');
  await expect(alert(panel, 'scaling.minimum')).toHaveText(
    '10 is above the maximum of 9'
  );
  await field(panel, 'Minimum').fill('');
  await expect(alert(panel, 'scaling.minimum')).toHaveCount(0);
  await button(panel, 'Launch cluster').click();
  await expect(alert(panel, 'scaling.minimum')).toContainText('Required');
  await expect(field(panel, 'Minimum')).toBeFocused();
  await field(panel, 'Minimum').fill('0');
  await expect(alert(panel, 'scaling.minimum')).toHaveCount(0);
  await expect(cards(panel)).toHaveCount(0);
});

test('a single job neither adapts nor has workers of other kinds', async ({
  panel
}) => {
  await field(panel, 'Scaling').selectOption('adaptive');
  await openMore(panel);
  await expect(addButton(panel)).toBeVisible();
  await field(panel, 'Layout').selectOption('allocation');
  await expect(field(panel, 'Scaling')).toHaveCount(0);
  await expect(field(panel, 'Maximum')).toHaveCount(0);
  await expect(addButton(panel)).toHaveCount(0);
  await expect(total(panel)).toContainText('2 workers');
  await field(panel, 'Layout').selectOption('elastic');
  await expect(field(panel, 'Maximum')).toHaveValue('2');
});

test('a cluster with workers of two kinds is launched, and remembered', async ({
  page,
  panel,
  request
}) => {
  await field(panel, 'Environment').selectOption('python3');
  await openMore(panel);
  await addButton(panel).click();
  const gpu = group(panel, 'gpu');
  await expect(field(gpu, 'Queue')).toHaveValue('gpu');
  await expect(field(gpu, 'Name')).toBeFocused();
  await field(gpu, 'Name').fill('big');
  const big = group(panel, 'big');
  await field(big, 'Queue').selectOption('debug');
  await field(big, 'Size').selectOption('small');
  await field(big, 'Workers').fill('1');
  await field(big, 'Resources').fill('disk=2');
  await expect(total(panel)).toContainText('3 workers');
  const id = await launch(panel);
  await running(panel, id, 3);
  const { groups } = await clusterOf(request, id);
  expect(groups).toMatchObject([
    { name: 'workers', queue: 'regular', workers: { running: 2 } },
    { name: 'big', queue: 'debug', workers: { running: 1 } }
  ]);
  expect(groups[1].resources).toMatchObject({ disk: 2 });

  await page.waitForTimeout(1_000);
  await page.reload({ waitForIsReady: false });
  await expect(field(big, 'Queue')).toHaveValue('debug');
  await expect(field(big, 'Workers')).toHaveValue('1');
  await button(panel, 'Remove the workers: big').click();
  await expect(big).toHaveCount(0);
  await expect(addButton(panel)).toBeFocused();
  await expect(total(panel)).toContainText('2 workers');
});

test('what is wrong with a kind of workers stands at its field', async ({
  panel
}) => {
  await openMore(panel);
  await addButton(panel).click();
  await addButton(panel).click();
  const second = panel.locator('.jp-HPCDask-groupField').nth(1);
  await field(second, 'Name').fill('gpu');
  await expect(alert(panel, 'groups.1.name')).toContainText('taken');
  await field(second, 'Name').fill('second');
  await field(second, 'Queue').selectOption('regular');
  await field(second, 'Size').selectOption({ label: 'Custom' });
  await field(second, 'Cores').fill('1000');
  await field(second, 'Memory').fill('a lot');
  await button(panel, 'Launch cluster').click();
  await expect(alert(panel, 'groups.1.size.memory')).toContainText('a lot');
  await field(second, 'Memory').fill('1 GiB');
  await expect(alert(panel, 'groups.1.size.memory')).toHaveCount(0);
  await button(panel, 'Launch cluster').click();
  await expect(alert(panel, 'groups.1.size.cores')).toContainText('1000');
  await expect(cards(panel)).toHaveCount(0);
});

test('a preview of what adapts counts at most, and shows all scripts', async ({
  page,
  panel
}) => {
  await field(panel, 'Scaling').selectOption('adaptive');
  await openMore(panel);
  await addButton(panel).click();
  await button(panel, 'Preview').click();
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('At most');
  const scripts = ['scheduler', 'workers', 'workers: gpu'];
  for (const name of scripts.map(one => `Job script of the ${one}`)) {
    const region = dialog.getByRole('region', { name, exact: true });
    await expect(region).toBeVisible();
  }
  await button(dialog, 'Close').click();
});

test('all of it by the keyboard alone', async ({ page, panel }) => {
  await panel.getByRole('radio', { name: 'Small' }).focus();
  await page.keyboard.press('Tab');
  await expect(field(panel, 'Scaling')).toBeFocused();
  await page.keyboard.press('ArrowDown');
  await expect(field(panel, 'Scaling')).toHaveValue('adaptive');
  await page.keyboard.press('Tab');
  await expect(field(panel, 'Minimum')).toBeFocused();
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Tab');
  await page.keyboard.press('ArrowUp');
  await expect(total(panel)).toContainText('1–3 workers');
  await panel.locator('.jp-HPCDask-more > summary').focus();
  await page.keyboard.press('Enter');
  await addButton(panel).focus();
  await page.keyboard.press('Enter');
  await expect(field(group(panel, 'gpu'), 'Name')).toBeFocused();
  await page.keyboard.press('Shift+Tab');
  await expect(button(panel, 'Remove the workers: gpu')).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(group(panel, 'gpu')).toHaveCount(0);
  await expect(addButton(panel)).toBeFocused();
});

for (const theme of ['JupyterLab Light', 'JupyterLab Dark']) {
  test(`pictures of scaling in ${theme}`, async ({ page, panel }) => {
    const suffix = theme.split(' ')[1].toLowerCase();
    await page.theme.setTheme(theme);
    await page.sidebar.openTab('hpcdask');
    await page.sidebar.setWidth(300);
    await field(panel, 'Scaling').selectOption('adaptive');
    await picture(page, `adaptive-${suffix}`);
    await chooseSize(panel, 'Custom');
    await field(panel, 'Minimum').fill('9');
    await openMore(panel);
    await addButton(panel).click();
    await toggleOthers(page, panel);
    await picture(page, `groups-top-${suffix}`);
    await addButton(panel).scrollIntoViewIfNeeded();
    const gpu = group(panel, 'gpu');
    await field(gpu, 'Scaling').selectOption('adaptive');
    await addButton(panel).scrollIntoViewIfNeeded();
    await picture(page, `groups-${suffix}`);
    await button(panel, 'Preview').click();
    await field(panel, 'Minimum').first().fill('1');
    await button(panel, 'Preview').click();
    await expect(page.locator('.jp-Dialog .cm-content').last()).toBeVisible();
    await picture(page, `preview-groups-${suffix}`);
    await page.keyboard.press('Escape');
    await button(panel, 'Remove the workers: gpu').click();
    await toggleOthers(page, panel);
  });
}

async function clusterOf(
  request: APIRequestContext,
  id: string
): Promise<{ scaling: object; groups: { resources: object }[] }> {
  return (await request.get(`hpcdask/api/clusters/${id}`)).json();
}

function addButton(panel: Locator): Locator {
  return button(panel, 'Add workers of another kind');
}

function group(panel: Locator, name: string): Locator {
  return panel.locator(`.jp-HPCDask-groupField[data-group="${name}"]`);
}
