import { Client, messageOf } from './api/client';
import type {
  IAdoptRequest,
  ICluster,
  ILaunchRequest,
  ISite,
  Scaling
} from './api/types';
import { hasEnded } from './format';
import { placeholder } from './placeholder';
import { MAIN_GROUP, scaled } from './scaling';
import type { ClusterTable } from './table';

/**
 * What users do to clusters. Each act shows at once what was asked, then what
 * is so; if it is refused, what was is put back and the refusal is kept.
 */
export class ClusterActs {
  constructor(private readonly _options: ClusterActs.IOptions) {
    _options.table.changed.connect(this._dropRemoved, this);
  }

  /** Why the last act on this cluster was refused, or nothing. */
  refusal(id: string): string {
    return this._refusals.get(id) ?? '';
  }

  dismiss(id: string): void {
    if (this._refusals.delete(id)) {
      this._options.onRefusals();
    }
  }

  /** Launch a cluster; its card is there before the server has answered. */
  async launch(
    request: ILaunchRequest,
    site: ISite | undefined
  ): Promise<ICluster> {
    const { client, table, launching, onActed } = this._options;
    const before = table.selected?.id ?? null;
    const shownId = `launching-${(this._launches += 1)}`;
    launching.add(shownId);
    table.set([
      placeholder(shownId, request, site, new Date()),
      ...table.clusters
    ]);
    table.select(shownId);
    try {
      const cluster = await client.launch(request);
      table.touch(cluster.id);
      launching.delete(shownId);
      table.replace(shownId, cluster);
      return cluster;
    } catch (error) {
      if (table.selected?.id === shownId) {
        table.select(before);
      }
      launching.delete(shownId);
      table.remove(shownId);
      throw error;
    } finally {
      onActed();
    }
  }

  rename(id: string, name: string): Promise<void> {
    const { client } = this._options;
    return this._act(id, { name }, () => client.rename(id, name));
  }

  scale(id: string, scaling: Scaling, group: string): Promise<void> {
    const { client, table } = this._options;
    const cluster = table.get(id);
    const shown = cluster ? scaled(cluster, group, scaling) : {};
    const other = group === MAIN_GROUP ? undefined : group;
    return this._act(id, shown, () => client.scale(id, scaling, other));
  }

  /** An idle cluster is to stay: it does not count down while that is asked. */
  keep(id: string): Promise<void> {
    const { client } = this._options;
    return this._act(id, { idle_ends_at: null }, () => client.keep(id));
  }

  /** Track a cluster that runs already; its card comes with the answer. */
  async adopt(request: IAdoptRequest): Promise<ICluster> {
    const { client, table, onActed } = this._options;
    const cluster = await client.adopt(request);
    table.touch(cluster.id);
    table.add(cluster);
    table.select(cluster.id);
    onActed();
    return cluster;
  }

  /** Stop a cluster; one that has ended is read again and stays as it is. */
  stop(id: string): Promise<void> {
    const { client, table } = this._options;
    const shown: Partial<ICluster> = hasEnded(table.get(id)?.state)
      ? {}
      : { state: 'stopping', reason: '' };
    return this._act(id, shown, async () => {
      // The same request would forget a cluster that has ended meanwhile,
      // with its logs: what is shown may be older than that.
      const cluster = await client.cluster(id);
      return cluster && !hasEnded(cluster.state) ? client.stop(id) : cluster;
    });
  }

  /** Drop the record of a cluster that has ended, or is somebody else's. */
  async forget(id: string): Promise<void> {
    const { client, table } = this._options;
    const cluster = table.get(id);
    if (hasEnded(cluster?.state)) {
      await this._act(id, {}, () => client.stop(id));
    } else if (cluster?.can_forget) {
      // Without saying so, the same request would stop it.
      await this._act(id, {}, () => client.forget(id));
    }
  }

  private async _act(
    id: string,
    shown: Partial<ICluster>,
    ask: () => Promise<ICluster | null>
  ): Promise<void> {
    const { table, onRefusals, onRefused, onActed } = this._options;
    const before = table.get(id);
    const version = table.touch(id);
    this._refusals.delete(id);
    table.patch(id, shown);
    try {
      const cluster = await ask();
      if (!cluster) {
        table.remove(id);
      } else if (table.isNewest(id, version)) {
        table.patch(id, cluster);
      }
    } catch (error) {
      if (before && table.isNewest(id, version)) {
        table.patch(id, before);
      }
      if (table.get(id)) {
        this._refusals.set(id, messageOf(error));
        onRefusals();
      }
      onRefused(id);
      throw error;
    } finally {
      onActed();
    }
  }

  /** A cluster that is gone takes its refusal along. */
  private _dropRemoved(): void {
    for (const id of this._refusals.keys()) {
      if (!this._options.table.get(id)) {
        this._refusals.delete(id);
      }
    }
  }

  private _launches = 0;
  private readonly _refusals = new Map<string, string>();
}

export namespace ClusterActs {
  export interface IOptions {
    client: Client;
    table: ClusterTable;
    /** The cards of launches that the server has not answered. */
    launching: Set<string>;
    /** There is another refusal to show, or one less. */
    onRefusals: () => void;
    /** An act on this cluster was refused: it may be other than was thought. */
    onRefused: (id: string) => void;
    /** An act is over: something may happen now. */
    onActed: () => void;
  }
}
