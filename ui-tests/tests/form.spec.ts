import type { Locator } from '@playwright/test';

import { openMore } from './fields';
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

test('each wrong field has its error beside it', async ({ page, panel }) => {
  await chooseSize(panel, 'Custom');
  await panel.getByLabel('Workers', { exact: true }).fill('1000');
  await panel.getByLabel('Cores', { exact: true }).fill('1000');
  await memory(panel).fill('12 Gigs');
  await button(panel, 'Launch cluster').click();
  for (const name of ['workers', 'cores', 'memory']) {
    const field = panel.locator(`[data-field="size.${name}"]`);
    await expect(field.getByRole('alert')).toBeVisible();
    await expect(field.locator('input')).toHaveAttribute(
      'aria-invalid',
      'true'
    );
  }
  await expect(
    panel.locator('[data-field="size.workers"]').getByRole('alert')
  ).toContainText('1000');
  await expect(panel.locator('.jp-HPCDask-card')).toHaveCount(0);
  await picture(page, 'errors');
  await memory(panel).fill('500 MiB');
  await expect(
    panel.locator('[data-field="size.memory"]').getByRole('alert')
  ).toHaveCount(0);
});

test('the form has no scroll bar where there is room for it', async ({
  panel
}) => {
  const hidden = () =>
    panel
      .locator('.jp-HPCDask-launchForm-scroll')
      .evaluate(node => node.scrollHeight - node.clientHeight);
  await expect.poll(hidden).toBe(0);
  await openMore(panel);
  await expect.poll(hidden).toBe(0);
});

test('a walltime ends a cluster on this machine too', async ({ panel }) => {
  const walltime = panel.getByLabel('Walltime', { exact: true });
  await expect(walltime).toBeHidden();
  await panel.getByText('More', { exact: true }).click();
  await expect(walltime).toHaveValue('');
  await expect(walltime).toHaveAttribute('placeholder', 'no limit');
  await walltime.fill('soon');
  await button(panel, 'Launch cluster').click();
  const field = panel.locator('[data-field="walltime"]');
  await expect(field.getByRole('alert')).toContainText('soon');
  await walltime.fill('00:10:00');
  await expect(panel.locator('output')).toContainText('10 min');
  const id = await launch(panel);
  await running(panel, id);
  await expect(cards(panel, id)).toContainText(/(10|9) min left/);
});

test('Enter in a field launches, and the form is remembered', async ({
  page,
  panel
}) => {
  await chooseSize(panel, 'Custom');
  await panel.getByLabel('Workers', { exact: true }).fill('1');
  await memory(panel).fill('600 MiB');
  await expect(panel.locator('output')).toContainText('1 worker');
  await expect(panel.locator('output')).toContainText('600 MiB');
  await memory(panel).press('Enter');
  await expect(cards(panel)).toHaveCount(1);
  await page.waitForTimeout(1_000);
  await page.reload({ waitForIsReady: false });
  await expect(memory(panel)).toHaveValue('600 MiB');
});

for (const theme of ['JupyterLab Light', 'JupyterLab Dark']) {
  test(`pictures of the panel in ${theme}`, async ({ page, panel }) => {
    const suffix = theme.split(' ')[1].toLowerCase();
    await page.theme.setTheme(theme);
    await page.sidebar.openTab('hpcdask');
    await picture(page, `empty-${suffix}`);
    await panel.getByText('More', { exact: true }).click();
    await picture(page, `more-${suffix}`);
    await panel.getByText('More', { exact: true }).click();
    await chooseSize(panel, 'Custom');
    await panel.getByLabel('Workers', { exact: true }).fill('1000');
    await button(panel, 'Launch cluster').click();
    await expect(panel.getByRole('alert').first()).toBeVisible();
    await picture(page, `errors-${suffix}`);
    await chooseSize(panel, 'Small');
    const id = await launch(panel);
    await picture(page, `submitting-${suffix}`);
    await running(panel, id);
    await expect(
      panel.locator('[data-route="/individual-progress"]')
    ).toBeVisible();
    await picture(page, `running-${suffix}`);
    await button(cards(panel, id), 'Scale').click();
    await expect(cards(panel, id).getByRole('spinbutton')).toBeFocused();
    await expect(button(cards(panel, id), 'Apply')).toBeInViewport({
      ratio: 1
    });
    await picture(page, `scale-${suffix}`);
    await page.keyboard.press('Escape');
    await button(cards(panel, id), 'Stop').click();
    await picture(page, `stopping-${suffix}`);
    await expect(cards(panel, id)).toHaveAttribute('data-state', 'stopped', {
      timeout: 60_000
    });
    await panel.locator('summary', { hasText: 'Ended' }).click();
    await picture(page, `ended-${suffix}`);
  });
}

function memory(panel: Locator): Locator {
  return panel.getByRole('textbox', { name: 'Memory', exact: true });
}
