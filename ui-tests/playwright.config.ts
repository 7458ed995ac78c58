import { randomBytes } from 'crypto';
import { tmpdir } from 'os';
import { join } from 'path';

import { defineConfig } from '@playwright/test';

const port = Number(process.env.HPCDASK_UI_PORT ?? 18888);

// The workers inherit what is set here.
process.env.HPCDASK_UI_TOKEN ??= randomBytes(16).toString('hex');
process.env.HPCDASK_UI_HOME ??= join(
  tmpdir(),
  `hpcdask-ui-${randomBytes(8).toString('hex')}`
);
const token = process.env.HPCDASK_UI_TOKEN;
const baseURL = `http://127.0.0.1:${port}`;
process.env.TARGET_URL ??= baseURL;

export default defineConfig({
  testDir: 'tests',
  outputDir: 'test-results',
  reporter: 'list',
  timeout: 120_000,
  expect: { timeout: 20_000 },
  // One Jupyter server and one machine for all: one test after the other.
  workers: 1,
  fullyParallel: false,
  forbidOnly: Boolean(process.env.CI),
  use: {
    baseURL,
    extraHTTPHeaders: { Authorization: `token ${token}` },
    viewport: { width: 1280, height: 900 },
    screenshot: 'only-on-failure',
    trace: 'off',
    video: 'off',
    launchOptions: {
      executablePath: process.env.HPCDASK_CHROMIUM ?? '/usr/bin/chromium',
      args: [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync'
      ]
    }
  },
  webServer: {
    command: 'python serve.py',
    url: `${baseURL}/api?token=${token}`,
    env: {
      HPCDASK_UI_PORT: String(port),
      HPCDASK_UI_TOKEN: token,
      HPCDASK_UI_HOME: process.env.HPCDASK_UI_HOME
    },
    timeout: 120_000,
    reuseExistingServer: false,
    gracefulShutdown: { signal: 'SIGTERM', timeout: 15_000 },
    stdout: 'ignore',
    stderr: process.env.HPCDASK_UI_LOG ? 'pipe' : 'ignore'
  }
});
