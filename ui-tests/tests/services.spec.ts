import { ChildProcess, spawn } from 'child_process';
import { once } from 'events';
import { join } from 'path';
import { createInterface } from 'readline';

import { alert, field, openMore } from './fields';
import { button, cards, expect, launch, picture, test } from './lab';
import { forgetSites, writeSite } from './sites';

/** Dask's own `LocalCluster`, in a process of its own. */
const FACTORY = {
  name: 'factory',
  title: 'Own class',
  kind: 'factory',
  factory: {
    module: 'dask.distributed',
    class: 'LocalCluster',
    kwargs: {
      n_workers: 0,
      threads_per_worker: 1,
      memory_limit: '512 MiB',
      dashboard_address: '127.0.0.1:0'
    }
  },
  adapt: { minimum: 1, maximum: 3 },
  limits: { workers: 4 },
  options: [
    {
      name: 'protocol',
      title: 'Protocol',
      description: 'How workers talk',
      type: 'choice',
      choices: ['tcp', 'tls'],
      default: 'tcp',
      keyword: 'protocol'
    }
  ]
};

test.afterAll(forgetSites);

test.describe('a cluster class', () => {
  test.beforeEach(() => {
    forgetSites();
    writeSite(FACTORY);
  });

  test('is launched with a number of workers and its options', async ({
    panel
  }) => {
    // Nothing is asked that only a batch system knows.
    for (const label of ['Queue', 'Account', 'Walltime', 'Layout']) {
      await expect(field(panel, label)).toHaveCount(0);
    }
    await expect(panel.getByRole('radio')).toHaveCount(0);
    await expect(field(panel, 'Scaling')).toHaveValue('adaptive');
    await expect(field(panel, 'Minimum')).toHaveValue('1');
    await expect(field(panel, 'Maximum')).toHaveValue('3');
    await field(panel, 'Scaling').selectOption('fixed');
    await field(panel, 'Workers').fill('5');
    await expect(alert(panel, 'scaling.workers')).toHaveText(
      '5 workers are more than this site allows: 4'
    );
    await field(panel, 'Workers').fill('2');
    await expect(panel.getByText('How workers talk')).toBeVisible();
    await field(panel, 'Environment').selectOption('python3');
    const id = await launch(panel);
    await expect(cards(panel, id)).toContainText('2 / 2 workers', {
      timeout: 90_000
    });
  });
});

test.describe('a gateway', () => {
  let gateway: ChildProcess;

  test.beforeAll(async () => {
    forgetSites();
    gateway = spawn('python', [join(__dirname, '..', 'gateway.py')], {
      stdio: [
        'ignore',
        'pipe',
        process.env.HPCDASK_UI_LOG ? 'inherit' : 'ignore'
      ]
    });
    const lines = createInterface(gateway.stdout!);
    const [site] = await once(lines, 'line');
    writeSite(JSON.parse(site));
  });

  test.afterAll(async () => {
    const ended = once(gateway, 'exit');
    gateway.kill('SIGTERM');
    await ended;
  });

  test('has its own options as the form, and its refusals at them', async ({
    panel
  }) => {
    const cores = field(panel, 'Worker cores');
    await expect(cores).toHaveValue('1');
    await expect(cores).toHaveAttribute('max', '4');
    await expect(field(panel, 'Environment')).toHaveCount(0);
    await expect(field(panel, 'Partition').locator('option')).toHaveText([
      'small',
      'large'
    ]);
    await cores.fill('9');
    await expect(alert(panel, 'options.worker_cores')).toContainText('4');
    await cores.fill('1');
    await field(panel, 'Image').fill('forbidden');
    await button(panel, 'Launch cluster').click();
    await expect(alert(panel, 'options.image')).toContainText('not allowed');
    await field(panel, 'Image').fill('any:1');
    await expect(alert(panel, 'options.image')).toHaveCount(0);
    const id = await launch(panel);
    await expect(cards(panel, id)).toContainText('1 / 1 worker', {
      timeout: 90_000
    });
  });

  for (const theme of ['JupyterLab Light', 'JupyterLab Dark']) {
    test(`pictures of its form in ${theme}`, async ({ page, panel }) => {
      const suffix = theme.split(' ')[1].toLowerCase();
      await page.theme.setTheme(theme);
      await page.sidebar.openTab('hpcdask');
      await page.sidebar.setWidth(300);
      await openMore(panel);
      await picture(page, `gateway-${suffix}`);
      await field(panel, 'Worker cores').fill('9');
      await field(panel, 'Scaling').selectOption('adaptive');
      await picture(page, `gateway-wrong-${suffix}`);
    });
  }
});
