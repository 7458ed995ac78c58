import type { IJupyterLabPageFixture } from '@jupyterlab/galata';
import { expect, Locator } from '@playwright/test';

/** The control that a label names. */
export function field(within: Locator, label: string): Locator {
  return within.getByLabel(label, { exact: true });
}

/** What is said to be wrong with a field, by its name in the request. */
export function alert(panel: Locator, name: string): Locator {
  return panel.locator(`[data-field="${name}"]`).getByRole('alert');
}

/** The line that says what the launch asks for altogether. */
export function total(panel: Locator): Locator {
  return panel.locator('output');
}

/** Show all fields of the form. */
export async function openMore(panel: Locator): Promise<void> {
  const name = field(panel, 'Name').first();
  if (!(await name.isVisible())) {
    await panel.getByText('More', { exact: true }).click();
  }
  await expect(name).toBeVisible();
}

/** Fold the other sections, so that the form has all of the panel, or unfold. */
export async function toggleOthers(
  page: IJupyterLabPageFixture,
  panel: Locator
): Promise<void> {
  for (const title of ['Clusters', 'Dashboards']) {
    await panel.locator('.jp-AccordionPanel-title', { hasText: title }).click();
  }
  await page.waitForTimeout(300);
}
