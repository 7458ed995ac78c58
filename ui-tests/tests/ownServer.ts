import { ChildProcess, spawn } from 'child_process';
import { once } from 'events';
import { join } from 'path';

import { request } from '@playwright/test';

/** A Jupyter server for one file of tests, with a configuration of its own. */
export class OwnServer {
  readonly home = `${process.env.HPCDASK_UI_HOME}-${process.pid}-own`;
  readonly url: string;

  constructor(
    private readonly _config: string,
    private readonly _port: number
  ) {
    this.url = `http://127.0.0.1:${_port}`;
  }

  async start(): Promise<void> {
    const directory = join(__dirname, '..');
    this._process = spawn('python', ['serve.py', this._config], {
      cwd: directory,
      env: {
        ...process.env,
        HPCDASK_UI_HOME: this.home,
        HPCDASK_UI_PORT: String(this._port)
      },
      stdio: process.env.HPCDASK_UI_LOG ? 'inherit' : 'ignore'
    });
    const server = await request.newContext();
    const path = `${this.url}/api?token=${process.env.HPCDASK_UI_TOKEN}`;
    for (let left = 600; ; left--) {
      const answer = await server.get(path).catch(() => null);
      if (answer?.ok()) {
        break;
      }
      if (!left || this._process.exitCode !== null) {
        throw new Error(`No server answers at ${this.url}`);
      }
      await new Promise(resolve => setTimeout(resolve, 100));
    }
    await server.dispose();
  }

  async stop(): Promise<void> {
    if (this._process && this._process.exitCode === null) {
      const ended = once(this._process, 'exit');
      this._process.kill('SIGTERM');
      await ended;
    }
  }

  private _process: ChildProcess | null = null;
}
