import { button, cards, expect, launch, picture, running, test } from './lab';

test('a cluster in one job shrinks, and says that it cannot grow', async ({
  page,
  panel
}) => {
  await panel.getByText('More', { exact: true }).click();
  const layout = panel.getByLabel('Layout', { exact: true });
  await expect(panel.locator('[data-field="layout"]')).toContainText(
    'can grow and shrink'
  );
  await layout.selectOption('One job');
  await expect(panel.locator('[data-field="layout"]')).toContainText(
    'can shrink, not grow'
  );
  const id = await launch(panel);
  const card = cards(panel, id);
  await running(panel, id);
  await expect(card).toContainText('in one job');

  await button(card, 'Scale').click();
  await expect(card).toContainText('At most 2 workers');
  await page.keyboard.type('3');
  await page.keyboard.press('Enter');
  await expect(card.getByRole('alert')).toContainText('can shrink, not grow');
  await expect(card.getByRole('spinbutton')).toBeFocused();
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.type('1');
  await page.keyboard.press('Enter');
  await running(panel, id, 1);

  await test.step('the form is as it was after a reload', async () => {
    // JupyterLab saves its state a moment after the last change.
    await page.waitForTimeout(1_000);
    await page.reload({ waitForIsReady: false });
    await expect(layout).toBeVisible();
    await expect(layout).toHaveValue('allocation');
  });
  await panel.getByText('More', { exact: true }).click();
  await expect(layout).toBeHidden();
});

for (const theme of ['JupyterLab Light', 'JupyterLab Dark']) {
  test(`pictures of a cluster in one job in ${theme}`, async ({
    page,
    panel
  }) => {
    const suffix = theme.split(' ')[1].toLowerCase();
    await page.theme.setTheme(theme);
    await page.sidebar.openTab('hpcdask');
    await panel.getByText('More', { exact: true }).click();
    await panel.getByLabel('Layout').selectOption('allocation');
    await picture(page, `layout-${suffix}`);
    const id = await launch(panel);
    await running(panel, id);
    await button(cards(panel, id), 'Scale').click();
    await page.keyboard.type('3');
    await page.keyboard.press('Enter');
    await picture(page, `one-job-${suffix}`);
    await panel.getByText('More', { exact: true }).click();
  });
}
