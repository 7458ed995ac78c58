import { ISignal, Signal } from '@lumino/signaling';

import type { Client } from './api/client';
import type { IProblem, ISite } from './api/types';
import { equal } from './table';

/**
 * The sites as the server told them last; it emits only when contents differ.
 */
export class SiteReader {
  constructor(private readonly _client: Client) {}

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get sites(): readonly ISite[] {
    return this._sites;
  }

  /** The site files that could not be read. */
  get problems(): readonly IProblem[] {
    return this._problems;
  }

  /** Why the server could not be asked the last time, if so. */
  get problem(): Error | null {
    return this._problem;
  }

  /** Read the sites if they were not read for so long, in milliseconds. */
  async readIfOlder(age: number): Promise<void> {
    if (Date.now() - this._asked >= age) {
      await this.read();
    }
  }

  /** Read the sites; rejects, and keeps those of before, if that fails. */
  async read(): Promise<void> {
    this._asked = Date.now();
    try {
      const { sites, problems } = await this._client.sites();
      this._take(sites, problems, null);
    } catch (error) {
      this._take(this._sites, this._problems, error as Error);
      throw error;
    }
  }

  dispose(): void {
    Signal.clearData(this);
  }

  private _take(
    sites: readonly ISite[],
    problems: readonly IProblem[],
    problem: Error | null
  ): void {
    const same =
      equal(sites, this._sites) &&
      equal(problems, this._problems) &&
      problem?.message === this._problem?.message;
    this._sites = sites;
    this._problems = problems;
    this._problem = problem;
    if (!same) {
      this._changed.emit();
    }
  }

  private _asked = 0;
  private readonly _changed = new Signal<this, void>(this);
  private _problem: Error | null = null;
  private _problems: readonly IProblem[] = [];
  private _sites: readonly ISite[] = [];
}
