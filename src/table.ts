import { JSONExt, ReadonlyJSONValue } from '@lumino/coreutils';
import { ISignal, Signal } from '@lumino/signaling';

import type { ICluster } from './api/types';

/**
 * The clusters that are shown, and which one is selected.
 *
 * It emits only when contents differ. Acts and reads of a cluster overlap, so
 * each begins a new version of it: an answer counts only for the newest one.
 */
export class ClusterTable {
  get clusters(): readonly ICluster[] {
    return this._clusters;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get selected(): ICluster | null {
    return (this._selected && this.get(this._selected)) || null;
  }

  get selectedChanged(): ISignal<this, void> {
    return this._selectedChanged;
  }

  get(id: string): ICluster | undefined {
    return this._clusters.find(one => one.id === id);
  }

  select(id: string | null): void {
    if (id !== this._selected) {
      this._selected = id;
      this._selectedChanged.emit();
    }
  }

  /** Begin a new version of a cluster. */
  touch(id: string): number {
    this._serial += 1;
    this._versions.set(id, this._serial);
    return this._serial;
  }

  isNewest(id: string, version: number | undefined): boolean {
    return this._versions.get(id) === version;
  }

  /** The versions of now, for a read of all clusters. */
  versions(): ReadonlyMap<string, number> {
    return new Map(this._versions);
  }

  /** Show exactly these clusters. */
  set(clusters: readonly ICluster[]): void {
    const selected = this.selected;
    const same = equal(clusters, this._clusters);
    this._clusters = clusters;
    if (!same) {
      this._changed.emit();
    }
    if (this._selected && !equal(selected, this.selected)) {
      this._selectedChanged.emit();
    }
  }

  /** Show a new cluster, in its place by age. */
  add(cluster: ICluster): void {
    const others = this._clusters.filter(one => one.id !== cluster.id);
    this.set(
      [cluster, ...others].sort((a, b) => b.created.localeCompare(a.created))
    );
  }

  patch(id: string, part: Partial<ICluster>): void {
    this.set(
      this._clusters.map(one => (one.id === id ? { ...one, ...part } : one))
    );
  }

  /** Show `cluster` where `id` stood; the selection goes with it. */
  replace(id: string, cluster: ICluster): void {
    const others = this._clusters.filter(one => one.id !== cluster.id);
    if (this._selected === id) {
      this._selected = cluster.id;
    }
    this.set(others.map(one => (one.id === id ? cluster : one)));
  }

  remove(id: string): void {
    this.touch(id);
    this.set(this._clusters.filter(one => one.id !== id));
  }

  dispose(): void {
    Signal.clearData(this);
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _selectedChanged = new Signal<this, void>(this);
  private readonly _versions = new Map<string, number>();
  private _clusters: readonly ICluster[] = [];
  private _selected: string | null = null;
  private _serial = 0;
}

export function equal(a: unknown, b: unknown): boolean {
  return JSONExt.deepEqual(a as ReadonlyJSONValue, b as ReadonlyJSONValue);
}
