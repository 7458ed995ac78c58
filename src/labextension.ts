import type { CommandRegistry } from '@lumino/commands';

/** The commands of dask-labextension (7.0.0) that we drive. */
const POPULATE = 'dask:populate-dashboard-url';
const LAUNCH_DASHBOARD = 'dask:launch-dashboard';
const LAUNCH_LAYOUT = 'dask:launch-layout';

/** One of its dashboards: the route begins with a slash. */
export interface IDashboardItem {
  route: string;
  label: string;
}

/**
 * dask-labextension's commands, if it is installed and enabled.
 *
 * It knows one dashboard URL at a time and sets it asynchronously: its layout
 * command is enabled as soon as that dashboard has answered.
 */
export class DaskLabextension {
  constructor(
    private readonly _commands: CommandRegistry,
    private readonly _patience = 10_000
  ) {}

  get isAvailable(): boolean {
    return [POPULATE, LAUNCH_DASHBOARD, LAUNCH_LAYOUT].every(id =>
      this._commands.hasCommand(id)
    );
  }

  /**
   * Let its own dashboard list show this dashboard; the URL is relative to
   * the server's base URL, as in the REST contract.
   */
  async populate(url: string): Promise<void> {
    if (this.isAvailable && url !== this._url) {
      this._url = url;
      await this._commands.execute(POPULATE, { url });
    }
  }

  /** Forget what was populated, for the URL may have been changed by hand. */
  reset(): void {
    this._url = '';
  }

  async openDashboard(url: string, item: IDashboardItem): Promise<void> {
    await this._populateAnew(url);
    await this._commands.execute(LAUNCH_DASHBOARD, {
      item: { ...item },
      options: { mode: 'split-right' }
    });
  }

  /** Open its layout; `false` if the dashboard does not answer. */
  async openLayout(url: string): Promise<boolean> {
    await this._populateAnew(url);
    if (!(await this._isEnabled())) {
      return false;
    }
    await this._commands.execute(LAUNCH_LAYOUT);
    return true;
  }

  private _populateAnew(url: string): Promise<void> {
    this.reset();
    return this.populate(url);
  }

  private async _isEnabled(): Promise<boolean> {
    const until = Date.now() + this._patience;
    while (!this._commands.isEnabled(LAUNCH_LAYOUT)) {
      if (Date.now() > until) {
        return false;
      }
      await new Promise(resolve => window.setTimeout(resolve, 50));
    }
    return true;
  }

  private _url = '';
}
