import type { Locator } from '@playwright/test';

import {
  button,
  cards,
  chooseSize,
  expect,
  picture,
  running,
  test
} from './lab';

test('a preview tells what would be launched, and launches it', async ({
  page,
  panel
}) => {
  const dialog = page.getByRole('dialog');
  await button(panel, 'Preview').click();
  await expect(dialog).toContainText('Nothing has been submitted yet.');
  await expect(total(dialog, 'Workers')).toHaveText('2');
  await expect(total(dialog, 'Cores')).toHaveText('2');
  const worker = dialog.getByRole('region', {
    name: 'Job script of the workers'
  });
  // JupyterLab's own editor, which draws only the lines that are in view.
  await expect(worker.locator('.cm-line').first()).toHaveText('#!/bin/sh');
  await worker
    .locator('.jp-HPCDask-preview-script')
    .evaluate(node => node.scrollTo(0, node.scrollHeight));
  await expect(worker).toContainText('distributed.cli.dask_worker');
  await button(dialog, 'Close').click();
  await expect(dialog).toHaveCount(0);
  await expect(cards(panel)).toHaveCount(0);

  await button(panel, 'Preview').click();
  await button(dialog, 'Launch cluster').click();
  await expect(cards(panel)).toHaveCount(1);
  const id = (await cards(panel).getAttribute('data-cluster-id'))!;
  await running(panel, id);
});

test('a preview of what is wrong says so at the fields', async ({
  page,
  panel
}) => {
  await chooseSize(panel, 'Custom');
  await panel.getByLabel('Workers', { exact: true }).fill('1000');
  await button(panel, 'Preview').click();
  const field = panel.locator('[data-field="size.workers"]');
  await expect(field.getByRole('alert')).toContainText('1000');
  await expect(field.locator('input')).toBeFocused();
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await expect(cards(panel)).toHaveCount(0);
});

for (const theme of ['JupyterLab Light', 'JupyterLab Dark']) {
  test(`a preview that warns says nothing of a start, in ${theme}`, async ({
    page,
    panel
  }) => {
    const note = 'The queue maint is closed (DOWN): choose another one.';
    await page.route('**/hpcdask/api/clusters/preview*', async route => {
      const response = await route.fetch();
      const json = { ...(await response.json()), note, estimated_start: null };
      await route.fulfill({ response, json });
    });
    await page.theme.setTheme(theme);
    await page.sidebar.openTab('hpcdask');
    await button(panel, 'Preview').click();
    const dialog = page.getByRole('dialog');
    await expect(
      dialog.locator('.jp-mod-warn', { hasText: note })
    ).toBeVisible();
    await expect(dialog).not.toContainText('It would start');
    await expect(dialog).not.toContainText('not known when');
    await picture(page, `preview-note-${theme.split(' ')[1].toLowerCase()}`);
  });
}

test('a preview by the keyboard alone', async ({ page, panel }) => {
  const dialog = page.getByRole('dialog');
  const scripts = dialog.locator('.jp-HPCDask-preview-script');
  await button(panel, 'Launch cluster').focus();
  await page.keyboard.press('Tab');
  await expect(button(panel, 'Preview')).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(button(dialog, 'Close')).toBeFocused();
  // The focus goes through the scripts, and stays in none of them.
  await page.keyboard.press('Shift+Tab');
  await expect(scripts.last()).toBeFocused();
  await page.keyboard.press('Shift+Tab');
  await expect(
    dialog.getByRole('button', { name: 'Copy' }).last()
  ).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(dialog.getByText('Copied', { exact: true })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(dialog).toHaveCount(0);
  await expect(button(panel, 'Preview')).toBeFocused();
  await expect(cards(panel)).toHaveCount(0);
});

for (const theme of ['JupyterLab Light', 'JupyterLab Dark']) {
  test(`pictures of the preview in ${theme}`, async ({ page, panel }) => {
    const suffix = theme.split(' ')[1].toLowerCase();
    await page.theme.setTheme(theme);
    await page.sidebar.openTab('hpcdask');
    await button(panel, 'Preview').click();
    await expect(page.locator('.jp-Dialog .cm-content').last()).toBeVisible();
    await picture(page, `preview-${suffix}`);
    await page.keyboard.press('Escape');
    await panel.getByText('More', { exact: true }).click();
    await panel.getByLabel('Layout').selectOption('allocation');
    await panel.getByLabel('Walltime').fill('02:00:00');
    await button(panel, 'Preview').click();
    await expect(page.locator('.jp-Dialog .cm-content')).toHaveCount(1);
    await picture(page, `preview-one-job-${suffix}`);
  });
}

function total(dialog: Locator, name: string): Locator {
  return dialog.locator('dl > div').filter({ hasText: name }).locator('dd');
}
