import { ChildProcess, spawn } from 'child_process';
import { once } from 'events';
import { existsSync, mkdirSync, rmSync } from 'fs';
import { dirname, join } from 'path';

/** The directory that Jupyter serves. */
const ROOT = join(process.env.HPCDASK_UI_HOME!, 'work');

/** A Dask cluster of this machine that nobody here has launched. */
export class Elsewhere {
  /** Where its scheduler writes its address, below the directory served. */
  constructor(readonly file: string) {}

  async start(): Promise<void> {
    const path = join(ROOT, this.file);
    mkdirSync(dirname(path), { recursive: true });
    this._start('scheduler', [
      ...['--host', '127.0.0.1', '--port', '0'],
      ...['--dashboard-address', '127.0.0.1:0', '--scheduler-file', path]
    ]);
    this._start('worker', ['--scheduler-file', path, '--nthreads', '1']);
    for (let left = 600; !existsSync(path); left--) {
      if (!left) {
        throw new Error(`No scheduler wrote ${path}`);
      }
      await new Promise(resolve => setTimeout(resolve, 100));
    }
  }

  async stop(): Promise<void> {
    for (const process of this._processes.splice(0)) {
      if (process.exitCode === null && process.signalCode === null) {
        const ended = once(process, 'exit');
        process.kill('SIGKILL');
        await ended;
      }
    }
  }

  /** Take its file away, too. */
  async remove(): Promise<void> {
    await this.stop();
    rmSync(join(ROOT, this.file), { force: true });
  }

  private _start(what: string, words: string[]): void {
    const module = `distributed.cli.dask_${what}`;
    this._processes.push(
      spawn('python', ['-m', module, ...words], {
        cwd: process.env.HPCDASK_UI_HOME,
        stdio: 'ignore'
      })
    );
  }

  private readonly _processes: ChildProcess[] = [];
}
