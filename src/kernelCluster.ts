import type { Kernel } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { JSONObject } from '@lumino/coreutils';

import type { IAdoptRequest } from './api/types';

/**
 * What a kernel is asked: which cluster its default client is connected to.
 * It imports nothing of Dask, leaves no name behind, and tells paths of TLS
 * files only: a certificate or key that is held in memory is no path.
 */
const CODE = `
def _hpcdask_cluster():
    import os
    import sys
    from IPython.display import JSON

    distributed = sys.modules.get("distributed")
    try:
        client = distributed and distributed.default_client()
    except ValueError:
        client = None
    scheduler = getattr(client, "scheduler", None)
    if scheduler is None:
        return JSON({})
    address = scheduler.address
    scheme, _, place = address.partition("://")
    host = "localhost" if scheme == "inproc" else place.rpartition(":")[0]
    services = (getattr(client, "_scheduler_identity", None) or {}).get("services", {})
    key = "distributed.scheduler.dashboard.tls.cert"
    web = "https" if sys.modules["dask"].config.get(key, None) else "http"
    port = services.get("dashboard")
    security = getattr(client, "security", None) if scheme == "tls" else None
    files = {"ca": "tls_ca_file", "certificate": "tls_client_cert", "key": "tls_client_key"}
    paths = {name: getattr(security, field, None) for name, field in files.items()}
    cluster = getattr(client, "cluster", None)
    return JSON({
        "address": address,
        "dashboard": f"{web}://{host}:{port}" if port else None,
        "name": type(cluster).__name__ if cluster is not None else None,
        "tls": {
            name: os.path.abspath(path)
            for name, path in paths.items()
            if isinstance(path, str) and "\\n" not in path and os.path.isfile(path)
        },
    })
`.trim();

/** It is taken out of the user's names as it is called. */
const CALL = 'globals().pop("_hpcdask_cluster")()';

/** A kernel did not tell: the message says why, for people. */
export class KernelSilent extends Error {}

/**
 * The cluster that a kernel's default client is connected to, as a request to
 * adopt it, or `null` if there is none. A kernel that is busy answers later.
 */
export async function clusterOf(
  kernel: Kernel.IKernelConnection,
  trans: TranslationBundle
): Promise<IAdoptRequest | null> {
  const future = kernel.requestExecute({
    code: CODE,
    silent: true,
    store_history: false,
    allow_stdin: false,
    stop_on_error: false,
    user_expressions: { cluster: CALL }
  });
  const reply = await future.done.catch(() => null);
  if (reply?.content.status !== 'ok') {
    throw new KernelSilent(
      trans.__('The kernel was interrupted before it could answer: try again.')
    );
  }
  const told = reply.content.user_expressions.cluster as unknown as ITold;
  const found = told.data?.['application/json'];
  if (!found) {
    throw new KernelSilent(
      trans.__(
        'The kernel could not be asked for its Dask cluster: %1',
        told.evalue ?? ''
      )
    );
  }
  return found.address ? requestOf(found) : null;
}

/** The value of an expression, or its error. */
interface ITold {
  data?: { 'application/json'?: IFound };
  evalue?: string;
}

interface IFound extends JSONObject {
  address: string;
  dashboard: string | null;
  name: string | null;
  tls: { [name: string]: string };
}

function requestOf(found: IFound): IAdoptRequest {
  const { address, dashboard, name, tls } = found;
  return {
    address,
    ...(dashboard && { dashboard }),
    ...(name && { name }),
    ...(Object.keys(tls).length > 0 && { tls })
  };
}
