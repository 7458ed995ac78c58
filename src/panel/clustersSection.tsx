import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import type { Message } from '@lumino/messaging';
import * as React from 'react';

import { CommandIDs } from '../commandIds';
import type { ICluster } from '../api/types';
import { hasEnded } from '../format';
import type { IClusterModel } from '../tokens';
import type { Editing, ICardActions } from './cardParts';
import { ClusterList } from './clusterList';

/** The cards of all clusters. */
export class ClustersSection extends ReactWidget {
  constructor(private readonly _options: ClustersSection.IOptions) {
    super();
    const { model, commands } = _options;
    this.addClass('jp-HPCDask-clustersSection');
    this._actions = {
      ...cardActions(model, commands),
      showWarnings: this._onWarnings,
      edit: this._onEdit
    };
    model.clustersChanged.connect(this._onChanged, this);
    model.selectedChanged.connect(this._onChanged, this);
    void model.ready.then(() => {
      this._isLoading = false;
      this._onChanged();
    });
    this._onChanged();
  }

  override dispose(): void {
    if (this.isDisposed) {
      return;
    }
    const { model } = this._options;
    model.clustersChanged.disconnect(this._onChanged, this);
    model.selectedChanged.disconnect(this._onChanged, this);
    super.dispose();
  }

  /** Let the number of workers of a cluster be edited, on its card. */
  editScaling(cluster: ICluster, group: string): void {
    this._onEdit(cluster.id, { what: 'scale', group });
  }

  /** Put the focus on the card of the selected cluster, once it is drawn. */
  focusSelected(): void {
    this._wantsFocus = true;
    this.update();
  }

  render(): JSX.Element {
    const { model, commands, trans } = this._options;
    return (
      <ClusterList
        clusters={model.clusters}
        selected={model.selected?.id ?? null}
        problem={model.problem}
        isLoading={this._isLoading}
        isPlaceholder={id => model.isPlaceholder(id)}
        refusal={id => model.refusal(id)}
        areWarningsOpen={id => this._openWarnings.has(id)}
        editing={id => (id === this._edited ? this._editing : null)}
        actions={this._actions}
        onAdopt={() => void commands.execute(CommandIDs.adopt)}
        trans={trans}
      />
    );
  }

  protected override onUpdateRequest(msg: Message): void {
    super.onUpdateRequest(msg);
    if (this._wantsFocus) {
      this._wantsFocus = false;
      void this.renderPromise?.then(() => this._selectedCard?.focus());
    }
    if (this._wantsSight) {
      this._wantsSight = false;
      const { model } = this._options;
      const id = model.selected?.id;
      void this.renderPromise?.then(() => {
        if (id === model.selected?.id) {
          this._selectedCard?.scrollIntoView({ block: 'nearest' });
        }
      });
    }
  }

  private get _selectedCard(): HTMLElement | null {
    return this.node.querySelector<HTMLElement>(
      '.jp-HPCDask-card.jp-mod-selected'
    );
  }

  /**
   * Bring the card of a launch into sight, and again when the server has
   * answered, as it is higher then. The focus stays where it is.
   */
  private _showLaunched(): void {
    const { model } = this._options;
    const id = model.selected?.id ?? '';
    const isLaunching = model.isPlaceholder(id);
    if (isLaunching) {
      this._wantsSight ||= id !== this._launching;
    } else if (this._launching) {
      // If it still stands there, it was refused, or another was selected.
      this._wantsSight = model.get(this._launching) === undefined;
    }
    this._launching = isLaunching ? id : '';
  }

  private _onChanged(): void {
    const { model, trans } = this._options;
    this._showLaunched();
    const live = model.clusters.filter(one => !hasEnded(one.state)).length;
    this.title.label = live
      ? trans.__('Clusters (%1)', live)
      : trans.__('Clusters');
    this.update();
  }

  private readonly _onWarnings = (id: string, isOpen: boolean): void => {
    if (isOpen) {
      this._openWarnings.add(id);
    } else {
      this._openWarnings.delete(id);
    }
    this.update();
  };

  private readonly _onEdit = (id: string, editing: Editing): void => {
    // What is edited on another card is not ended by this one's blur.
    if (editing || id === this._edited) {
      this._edited = id;
      this._editing = editing;
      this.update();
    }
  };

  private readonly _actions: ICardActions;
  /** Which card is edited in place, and what of it. */
  private _edited = '';
  private _editing: Editing = null;
  /** The cards whose warnings are unfolded, as long as the page lives. */
  private readonly _openWarnings = new Set<string>();
  private _isLoading = true;
  /** The selected cluster, if the server has not answered its launch. */
  private _launching = '';
  private _wantsFocus = false;
  private _wantsSight = false;
}

export namespace ClustersSection {
  export interface IOptions {
    model: IClusterModel;
    commands: CommandRegistry;
    trans: TranslationBundle;
  }
}

/** Each act of a card is a command, so that it is one for everybody. */
function cardActions(
  model: IClusterModel,
  commands: CommandRegistry
): Omit<ICardActions, 'showWarnings' | 'edit'> {
  const run = (command: string, args: ReadonlyPartialJSONObject) =>
    void commands.execute(command, args);
  return {
    select: id => model.select(id),
    showDashboards: id => run(CommandIDs.showDashboards, { id }),
    insertCode: id => run(CommandIDs.insertCode, { id }),
    scale: (id, group, scaling) =>
      run(CommandIDs.scale, { id, group, scaling: { ...scaling } }),
    keep: id => run(CommandIDs.keep, { id }),
    rename: (id, name) => run(CommandIDs.rename, { id, name }),
    showLogs: id => run(CommandIDs.showLogs, { id }),
    stop: id => run(CommandIDs.stop, { id }),
    forget: id => run(CommandIDs.forget, { id }),
    dismiss: id => model.dismiss(id)
  };
}
