import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import { APIError } from './api/client';
import type { IAdoptRequest, ICluster } from './api/types';
import type { IPanel } from './commandParts';
import { hasEnded } from './format';
import { IRefusal, NOTHING_WRONG, refusalOf } from './refusal';
import type { IClusterModel } from './tokens';
import { tellingOf } from './waiting';

/** What is asked about a cluster to be adopted, and what is wrong with it. */
export interface IAdoptQuestion {
  request: IAdoptRequest;
  refusal: IRefusal;
}

/**
 * Adopts clusters, however they were pointed at. What is refused is asked for
 * again, with what is wrong at its field; what is here already is shown.
 */
export class Adoption {
  constructor(private readonly _options: Adoption.IOptions) {}

  /** Ask which cluster to adopt. */
  ask(request: IAdoptRequest = {}): Promise<void> {
    return this._options.ask({ request, refusal: NOTHING_WRONG });
  }

  /** Adopt without a question, unless it is refused. */
  async adopt(request: IAdoptRequest): Promise<void> {
    const { trans } = this._options;
    const what = request.scheduler_file ?? request.address ?? '';
    const refusal = await tellingOf(
      trans.__('Asking the scheduler of %1…', what),
      this.attempt(request)
    );
    if (refusal) {
      await this._options.ask({ request, refusal });
    }
  }

  /** Adopt, and show the card; else tell what is wrong with the request. */
  async attempt(request: IAdoptRequest): Promise<IRefusal | null> {
    const { model, panel } = this._options;
    try {
      await model.adopt(request);
      panel.showClusters();
      return null;
    } catch (error) {
      return this._showKnown(request, error) ? null : refusalOf(error);
    }
  }

  /** Show the cluster that the server says is here already. */
  private _showKnown(request: IAdoptRequest, error: unknown): boolean {
    const { model, panel } = this._options;
    const known =
      error instanceof APIError && error.status === 409
        ? knownOf(model.clusters, request, error.message)
        : undefined;
    if (known) {
      model.select(known.id);
      panel.showClusters();
      Notification.info((error as APIError).message, { autoClose: 8_000 });
    }
    return known !== undefined;
  }
}

export namespace Adoption {
  export interface IOptions {
    model: IClusterModel;
    panel: Pick<IPanel, 'showClusters'>;
    trans: TranslationBundle;
    /** Show the dialog, until a cluster is adopted or nobody wants it. */
    ask: (question: IAdoptQuestion) => Promise<void>;
  }
}

/** The cluster that a refusal is about: by its address, else by its name. */
function knownOf(
  clusters: readonly ICluster[],
  request: IAdoptRequest,
  message: string
): ICluster | undefined {
  const live = clusters.filter(one => !hasEnded(one.state));
  return (
    live.find(one => one.scheduler.address === request.address) ??
    live.find(one => message.includes(`“${one.name}”`))
  );
}
