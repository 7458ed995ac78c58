import type { Client } from './api/client';
import type { ClusterTable } from './table';

/** More changes at once than this are read as one list. */
const MANY = 4;

/**
 * Reads clusters into the table, all of them or those that changed.
 *
 * What was changed here while an answer was under way is kept, and a cluster
 * that may be a launch whose answer is still under way has to wait: it has a
 * card already, and would have two.
 */
export class ClusterReader {
  constructor(
    private readonly _client: Client,
    private readonly _table: ClusterTable,
    /** What came of a read: nothing, or why it could not be done. */
    private readonly _tell: (problem: Error | null) => void
  ) {}

  /** The cards of launches that the server has not answered. */
  readonly launching = new Set<string>();

  async readAll(): Promise<void> {
    const table = this._table;
    const versions = table.versions();
    const isKept = (id: string) => !table.isNewest(id, versions.get(id));
    try {
      const read = await this._client.clusters();
      const ids = new Set(read.map(one => one.id));
      const ours = table.clusters.filter(
        one =>
          !ids.has(one.id) && (isKept(one.id) || this.launching.has(one.id))
      );
      const theirs = read
        .filter(one => !this._mayBeLaunching(one.id))
        .map(one => (isKept(one.id) ? table.get(one.id) : one))
        .filter(one => one !== undefined);
      table.set([...ours, ...theirs]);
      this._tell(null);
    } catch (error) {
      this._tell(error as Error);
      throw error;
    }
  }

  /** Read changed clusters again, with those that had to wait. */
  async read(ids: readonly string[]): Promise<void> {
    const all = [...new Set([...this._waiting, ...ids])];
    this._waiting.clear();
    const now = all.filter(id => !this._mayBeLaunching(id));
    if (now.length > MANY) {
      now.forEach(id => this._table.touch(id));
      await this.readAll().catch(() => undefined);
    } else {
      await Promise.all(now.map(id => this._readOne(id)));
    }
  }

  private async _readOne(id: string): Promise<void> {
    const table = this._table;
    const version = table.touch(id);
    try {
      const cluster = await this._client.cluster(id);
      if (!table.isNewest(id, version)) {
        return;
      }
      if (!cluster) {
        table.remove(id);
      } else if (table.get(id)) {
        table.patch(id, cluster);
      } else {
        table.add(cluster);
      }
      this._tell(null);
    } catch (error) {
      this._tell(error as Error);
    }
  }

  private _mayBeLaunching(id: string): boolean {
    const may = this.launching.size > 0 && !this._table.get(id);
    if (may) {
      this._waiting.add(id);
    }
    return may;
  }

  private readonly _waiting = new Set<string>();
}
