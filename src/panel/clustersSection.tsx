import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import type { Message } from '@lumino/messaging';
import * as React from 'react';

import { CommandIDs } from '../commands';
import { hasEnded } from '../format';
import type { IClusterModel } from '../tokens';
import type { ICardActions } from './cardParts';
import { ClusterList } from './clusterList';

/** The cards of all clusters. */
export class ClustersSection extends ReactWidget {
  constructor(private readonly _options: ClustersSection.IOptions) {
    super();
    const { model, commands } = _options;
    this.addClass('jp-HPCDask-clustersSection');
    this._actions = cardActions(model, commands);
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

  /** Put the focus on the card of the selected cluster, once it is drawn. */
  focusSelected(): void {
    this._wantsFocus = true;
    this.update();
  }

  render(): JSX.Element {
    const { model, trans } = this._options;
    return (
      <ClusterList
        clusters={model.clusters}
        selected={model.selected?.id ?? null}
        problem={model.problem}
        isLoading={this._isLoading}
        isPlaceholder={id => model.isPlaceholder(id)}
        refusal={id => model.refusal(id)}
        actions={this._actions}
        trans={trans}
      />
    );
  }

  protected override onUpdateRequest(msg: Message): void {
    super.onUpdateRequest(msg);
    if (this._wantsFocus) {
      this._wantsFocus = false;
      void this.renderPromise?.then(() =>
        this.node
          .querySelector<HTMLElement>('.jp-HPCDask-card.jp-mod-selected')
          ?.focus()
      );
    }
  }

  private _onChanged(): void {
    const { model, trans } = this._options;
    const live = model.clusters.filter(one => !hasEnded(one.state)).length;
    this.title.label = live
      ? trans.__('Clusters (%1)', live)
      : trans.__('Clusters');
    this.update();
  }

  private readonly _actions: ICardActions;
  private _isLoading = true;
  private _wantsFocus = false;
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
): ICardActions {
  const run = (command: string, args: ReadonlyPartialJSONObject) =>
    void commands.execute(command, args);
  return {
    select: id => model.select(id),
    showDashboards: id => run(CommandIDs.showDashboards, { id }),
    insertCode: id => run(CommandIDs.insertCode, { id }),
    scale: (id, workers) => run(CommandIDs.scale, { id, workers }),
    rename: (id, name) => run(CommandIDs.rename, { id, name }),
    showLogs: id => run(CommandIDs.showLogs, { id }),
    stop: id => run(CommandIDs.stop, { id }),
    forget: id => run(CommandIDs.forget, { id }),
    dismiss: id => model.dismiss(id)
  };
}
