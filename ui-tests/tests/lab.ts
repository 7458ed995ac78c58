import { mkdirSync } from 'fs';
import { join } from 'path';

import {
  galata,
  IJupyterLabPageFixture,
  test as base
} from '@jupyterlab/galata';
import { APIRequestContext, expect, Locator } from '@playwright/test';

export { expect };

/** What a cluster is in the REST contract, as far as these tests look. */
interface ICluster {
  id: string;
  state: string;
  can_forget: boolean;
}

/**
 * JupyterLab with our panel open. Settings, state and workspaces are the
 * server's own, so that a reload is a reload; what runs is stopped at the end.
 */
export const test = base.extend<{ panel: Locator }>({
  mockSettings: { ...galata.DEFAULT_SETTINGS },
  mockState: false,
  panel: async ({ page, request }, use) => {
    await page.sidebar.openTab('hpcdask');
    const panel = page.locator('#hpcdask');
    await expect(button(panel, 'Launch cluster')).toBeVisible();
    await use(panel);
    await stopAll(request);
  }
});

export function button(within: Locator, name: string): Locator {
  return within.getByRole('button', { name, exact: true });
}

/** The cards, newest first, or that of one cluster. */
export function cards(panel: Locator, id = ''): Locator {
  return panel.locator(id ? `[data-cluster-id="${id}"]` : '[data-cluster-id]');
}

/** Fold the launch form, so that there is room for the cards. */
export async function foldForm(panel: Locator): Promise<void> {
  await panel.locator('.jp-AccordionPanel-title').first().click();
}

/** Choose a size by its card; the form is drawn a moment after the click. */
export async function chooseSize(panel: Locator, name: string): Promise<void> {
  const size = panel.getByRole('radio', { name, exact: true });
  await size.click({ force: true });
  await expect(size).toBeChecked();
}

/** Launch a cluster by the button, and return its id. */
export async function launch(panel: Locator): Promise<string> {
  const before = await ids(panel);
  await button(panel, 'Launch cluster').click();
  await expect
    .poll(async () => (await ids(panel)).length)
    .toBe(before.length + 1);
  return (await ids(panel)).find(id => !before.includes(id))!;
}

/** Wait until a cluster runs with all its workers. */
export async function running(
  panel: Locator,
  id: string,
  workers = 2
): Promise<void> {
  const card = cards(panel, id);
  await expect(card).toHaveAttribute('data-state', 'running', {
    timeout: 60_000
  });
  await expect(card).toContainText(`${workers} / ${workers} worker`, {
    timeout: 60_000
  });
}

async function ids(panel: Locator): Promise<string[]> {
  return cards(panel).evaluateAll(found =>
    found.map(one => (one as HTMLElement).dataset.clusterId!)
  );
}

/** Stop and forget whatever a test left. */
export async function stopAll(request: APIRequestContext): Promise<void> {
  const api = 'hpcdask/api/clusters';
  const list = async (): Promise<ICluster[]> =>
    (await (await request.get(api)).json()).clusters;
  const hasEnded = (one: ICluster) => ['stopped', 'failed'].includes(one.state);
  for (const one of await list()) {
    if (!hasEnded(one) && one.state !== 'stopping') {
      // What others launched is theirs to stop.
      const query = one.can_forget ? '?forget=true' : '';
      await request.delete(`${api}/${one.id}${query}`);
    }
  }
  await expect
    .poll(async () => (await list()).every(hasEnded), { timeout: 60_000 })
    .toBe(true);
  for (const one of await list()) {
    await request.delete(`${api}/${one.id}`);
  }
}

type Change = (cluster: { [field: string]: unknown }) => object;

/** Let the page see each cluster changed so, and these beside them. */
export async function answer(
  page: IJupyterLabPageFixture,
  change: Change,
  others: object[] = []
): Promise<void> {
  await page.route(
    /\/hpcdask\/api\/clusters(\/[^/?]+)?(\?.*)?$/,
    async route => {
      const response = await route.fetch();
      const known = await response.json();
      const json = known.clusters
        ? { clusters: [...known.clusters.map(change), ...others] }
        : change(known);
      await route.fulfill({ response, json });
    }
  );
}

/** A picture of the page, to be looked at: `screenshots/NAME.png`. */
export async function picture(
  page: IJupyterLabPageFixture,
  name: string
): Promise<void> {
  const directory = join(__dirname, '..', 'screenshots');
  mkdirSync(directory, { recursive: true });
  await page.screenshot({ path: join(directory, `${name}.png`) });
}

/** Drag the middle of one element to a place within another. */
export async function drag(
  page: IJupyterLabPageFixture,
  from: Locator,
  to: Locator,
  place: { x: number; y: number }
): Promise<void> {
  await from.scrollIntoViewIfNeeded();
  const start = (await from.boundingBox())!;
  const end = (await to.boundingBox())!;
  const x = start.x + start.width / 3;
  const y = start.y + start.height / 2;
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x + 20, y + 5, { steps: 4 });
  await page.mouse.move(
    end.x + end.width * place.x,
    end.y + end.height * place.y,
    { steps: 12 }
  );
  await page.mouse.up();
}

/**
 * How many pixels of a tile's canvases are coloured: axes, grid and letters
 * are grey, so a plot without data has none.
 */
export async function colouredPixels(tile: Locator): Promise<number> {
  const canvases = tile.locator('iframe').contentFrame().locator('canvas');
  const counts = await canvases.evaluateAll(found =>
    found.map(node => {
      const canvas = node as HTMLCanvasElement;
      const context = canvas.getContext('2d');
      if (!context || !canvas.width || !canvas.height) {
        return 0;
      }
      const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
      let count = 0;
      for (let at = 0; at < data.length; at += 4) {
        const colour = data.subarray(at, at + 3);
        const isGrey = Math.max(...colour) - Math.min(...colour) < 40;
        count += Number(data[at + 3] > 0 && !isGrey);
      }
      return count;
    })
  );
  return Math.max(0, ...counts);
}
