import { button, cards, expect, launch, picture, test } from './lab';

for (const theme of ['JupyterLab Light', 'JupyterLab Dark']) {
  test(`a launch that fails says why, in ${theme}`, async ({ page, panel }) => {
    const suffix = theme.split(' ')[1].toLowerCase();
    await page.theme.setTheme(theme);
    await page.sidebar.openTab('hpcdask');
    await panel
      .getByLabel('Environment', { exact: true })
      .selectOption({ label: 'Without Dask' });
    const id = await launch(panel);
    const card = cards(panel, id);
    await expect(card).toHaveAttribute('data-state', 'failed');
    await expect(card).toContainText('Without Dask');
    await expect(card.locator('.jp-HPCDask-card-reason')).toContainText(
      'package “distributed”'
    );
    await expect(card.locator('.jp-HPCDask-card-reason')).toBeVisible();
    await expect(panel.locator('[aria-live="polite"]')).toContainText(
      /failed\. .*“distributed”/
    );
    const isCut = await card
      .locator('.jp-HPCDask-card-reason')
      .evaluate(node => node.scrollHeight > node.clientHeight + 1);
    expect(isCut).toBe(false);
    await expect(button(card, 'Stop')).toHaveCount(0);
    await expect(button(card, 'Scale')).toHaveCount(0);
    await picture(page, `failed-${suffix}`);

    await button(card, 'Logs').click();
    const logs = page.locator(`#hpcdask-logs-${id}`);
    await expect(logs).toContainText('Launch');
    await expect(logs).toContainText(/exit code \d/);
    await picture(page, `failed-logs-${suffix}`);

    await button(card, 'Forget').click();
    await expect(card).toHaveCount(0);
    await expect(panel).toContainText('No clusters yet.');
  });
}
