import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import type {
  IAdoptRequest,
  ICluster,
  IFieldError,
  ILaunchRequest,
  ILog,
  IPlots,
  IPreview,
  ISites,
  LogRole,
  Scaling
} from './types';

/**
 * The server refused: its own words, and for a wrong request every field.
 */
export class APIError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly reason: string = '',
    readonly errors: readonly IFieldError[] = []
  ) {
    super(message);
    this.name = 'APIError';
  }
}

/**
 * The REST contract as methods. It keeps no state: the model does.
 *
 * Each method rejects with an `APIError` if the server refuses, and with a
 * `ServerConnection.NetworkError` if there is no answer.
 */
export class Client {
  constructor(
    readonly settings: ServerConnection.ISettings = ServerConnection.makeSettings()
  ) {}

  /** The sites that this user may use, and the site files that are broken. */
  sites(): Promise<ISites> {
    return this._request<ISites>('GET', ['sites']);
  }

  /** All tracked clusters, newest first. */
  async clusters(): Promise<ICluster[]> {
    const body = await this._request<{ clusters: ICluster[] }>('GET', [
      'clusters'
    ]);
    return body.clusters;
  }

  /** One cluster, or `null` if it is not tracked. */
  async cluster(id: string): Promise<ICluster | null> {
    try {
      return await this._request<ICluster>('GET', ['clusters', id]);
    } catch (error) {
      if (error instanceof APIError && error.status === 404) {
        return null;
      }
      throw error;
    }
  }

  launch(request: ILaunchRequest): Promise<ICluster> {
    return this._request<ICluster>('POST', ['clusters'], request);
  }

  /** What a launch would do; nothing is submitted. */
  preview(request: ILaunchRequest): Promise<IPreview> {
    return this._request<IPreview>('POST', ['clusters', 'preview'], request);
  }

  rename(id: string, name: string): Promise<ICluster> {
    return this._request<ICluster>('PATCH', ['clusters', id], { name });
  }

  /** Scale the workers that every cluster has, or another group of them. */
  scale(id: string, scaling: Scaling, group?: string): Promise<ICluster> {
    return this._request<ICluster>('PATCH', ['clusters', id], {
      scaling,
      ...(group && { group })
    });
  }

  /** Let the idle time of a cluster begin anew. */
  keep(id: string): Promise<ICluster> {
    return this._request<ICluster>('POST', ['clusters', id, 'keep'], {});
  }

  /** Track a cluster that runs already. */
  adopt(request: IAdoptRequest): Promise<ICluster> {
    return this._request<ICluster>('POST', ['clusters', 'adopt'], request);
  }

  /** Stop a cluster, or forget it if it has ended: then the answer is `null`. */
  stop(id: string): Promise<ICluster | null> {
    return this._request<ICluster | null>('DELETE', ['clusters', id]);
  }

  /** Stop tracking an adopted cluster, which goes on running. */
  forget(id: string): Promise<null> {
    const query = '?forget=true';
    return this._request('DELETE', ['clusters', id], undefined, query);
  }

  /** The end of the logs, of one role or of all: so many lines of each. */
  async logs(id: string, role?: LogRole, tail?: number): Promise<ILog[]> {
    const query = URLExt.objectToQueryString({
      ...(role && { role }),
      ...(tail && { tail: String(tail) })
    });
    const body = await this._request<{ logs: ILog[] }>(
      'GET',
      ['clusters', id, 'logs'],
      undefined,
      query
    );
    return body.logs;
  }

  /** The plots of a dashboard, by name. */
  plots(dashboardUrl: string): Promise<IPlots> {
    return this._send<IPlots>(
      'GET',
      this.dashboard(dashboardUrl, 'individual-plots.json')
    );
  }

  /** The absolute URL of a route of a dashboard. */
  dashboard(dashboardUrl: string, route = ''): string {
    return URLExt.join(this.settings.baseUrl, dashboardUrl, route);
  }

  private _request<T>(
    method: string,
    path: string[],
    body?: object,
    query = ''
  ): Promise<T> {
    const url = URLExt.join(
      this.settings.baseUrl,
      'hpcdask/api',
      ...path.map(encodeURIComponent)
    );
    return this._send<T>(method, url + query, body);
  }

  private async _send<T>(
    method: string,
    url: string,
    body?: object
  ): Promise<T> {
    const response = await ServerConnection.makeRequest(
      url,
      { method, ...(body && { body: JSON.stringify(body) }) },
      this.settings
    );
    const text = await response.text();
    const answer = parsed(text);
    if (!response.ok) {
      throw refusal(response, answer);
    }
    if (text && answer === undefined) {
      throw new APIError(response.status, text.slice(0, 500));
    }
    return (answer ?? null) as T;
  }
}

/** What to tell the user about anything that was thrown. */
export function messageOf(error: unknown): string {
  if (error instanceof APIError && error.errors.length) {
    return error.errors.map(one => one.message).join('\n');
  }
  return error instanceof Error ? error.message : String(error);
}

/** The JSON of an answer, or `undefined` if it is none (a proxy's HTML). */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refusal(response: Response, answer: unknown): APIError {
  const body = (answer ?? {}) as Partial<APIError>;
  return new APIError(
    response.status,
    body.message || `${response.status} ${response.statusText}`,
    body.reason ?? '',
    Array.isArray(body.errors) ? body.errors : []
  );
}
