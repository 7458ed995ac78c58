import { field, openMore, toggleOthers } from './fields';
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
import { describeSite, forgetSites } from './sites';

test.beforeAll(describeSite);
test.afterAll(forgetSites);

test('the image is checked while it is typed, and remembered', async ({
  page,
  panel
}) => {
  const image = field(panel, 'Image');
  await expect(image).toBeVisible();
  await expect(image).toHaveAttribute('placeholder', 'base:1');
  await image.fill('other:1');
  const alert = panel.locator('[data-field="image"]').getByRole('alert');
  await expect(alert).toContainText('base:[0-9]+');
  // The server has the last word.
  await button(panel, 'Launch cluster').click();
  await expect(alert).toContainText('other:1');
  await image.fill('base:22');
  await expect(alert).toHaveCount(0);
  await openMore(panel);
  await field(panel, 'Account').selectOption('climate');
  const id = await launch(panel);
  await running(panel, id);
  await page.waitForTimeout(1_000);
  await page.reload({ waitForIsReady: false });
  await expect(image).toHaveValue('base:22');
  await expect(field(panel, 'Account')).toHaveValue('climate');
  // The site's own environments come first, then the kernels.
  const environment = field(panel, 'Environment');
  await expect(environment.locator('option').first()).toHaveText('Container');
  await environment.selectOption('python3');
  await expect(image).toHaveCount(0);
});

test('GPUs are asked for where the queue has some', async ({ panel }) => {
  await chooseSize(panel, 'Custom');
  await expect(field(panel, 'GPUs')).toHaveCount(0);
  await field(panel, 'Queue').selectOption('gpu');
  await field(panel, 'GPUs').fill('1');
  await expect(panel.locator('output')).toContainText('2 GPUs');
  await field(panel, 'GPUs').fill('9');
  await button(panel, 'Preview').click();
  const error = panel.locator('[data-field="size.gpus"]').getByRole('alert');
  await expect(error).toContainText('9');
  await expect(cards(panel)).toHaveCount(0);
});

for (const theme of ['JupyterLab Light', 'JupyterLab Dark']) {
  test.describe(`in ${theme}`, () => {
    test.use({ autoGoto: false });

    test('pictures of all that can be asked', async ({ page, request }) => {
      const suffix = theme.split(' ')[1].toLowerCase();
      const known = await (await request.get('hpcdask/api/sites')).json();
      await page.route('**/hpcdask/api/sites*', route =>
        route.fulfill({ json: { ...known, sites: known.sites.map(busy) } })
      );
      await page.goto();
      await page.theme.setTheme(theme);
      await page.sidebar.openTab('hpcdask');
      const panel = page.locator('#hpcdask');
      await expect(panel.locator('[data-field="queue"]')).toContainText(
        '12 of 40 nodes free'
      );
      const queue = panel.locator('[data-field="queue"]');
      const title = queue.locator('.jp-HPCDask-titledSelect > span');
      await expect(title).toHaveText('Regular');
      const isCut = await title.evaluate(
        node => node.scrollWidth > node.clientWidth
      );
      expect(isCut).toBe(false);
      const option = queue.locator('option').first();
      await expect(option).toHaveText('Regular — 12 nodes free');
      // The closed list hides its text below the title, the open one does not.
      await expect(queue.locator('select')).toHaveCSS(
        'color',
        'rgba(0, 0, 0, 0)'
      );
      await expect(option).not.toHaveCSS('color', 'rgba(0, 0, 0, 0)');
      await picture(page, `centre-${suffix}`);
      await chooseSize(panel, 'Custom');
      await field(panel, 'Queue').selectOption('gpu');
      await openMore(panel);
      await field(panel, 'Image').fill('other');
      await toggleOthers(page, panel);
      await picture(page, `centre-more-${suffix}`);
      await field(panel, 'Queue').selectOption('debug');
      await picture(page, `centre-closed-${suffix}`);
      await toggleOthers(page, panel);
    });
  });
}

/** What a batch system would say of these queues: this machine has no load. */
function busy(site: { queues: { name: string }[] }): object {
  const load = {
    open: true,
    note: '',
    nodes: 40,
    free_nodes: 12,
    free_cores: null,
    running_jobs: 31,
    pending_jobs: 2
  };
  const loads: { [queue: string]: object } = {
    regular: load,
    gpu: { ...load, nodes: 4, free_nodes: 0, pending_jobs: 17 },
    debug: { ...load, open: false, note: 'drain' }
  };
  const queues = site.queues.map(one => ({ ...one, load: loads[one.name] }));
  return { ...site, queues };
}
