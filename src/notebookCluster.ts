import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { Kernel } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { Adoption } from './adoption';
import { clusterOf, KernelSilent } from './kernelCluster';
import { tellingOf } from './waiting';

/** How long a sentence stays that nobody has to act on, in milliseconds. */
const HINT = 10_000;

/** The kernel of a notebook, if there is one and it speaks Python. */
export function pythonKernel(
  app: JupyterFrontEnd,
  notebook: NotebookPanel | null
): Kernel.IKernelConnection | null {
  const kernel = notebook?.sessionContext.session?.kernel ?? null;
  const { specs } = app.serviceManager.kernelspecs;
  const spec = kernel && specs?.kernelspecs[kernel.name];
  return spec?.language.toLowerCase() === 'python' ? kernel : null;
}

/** Track the cluster that a notebook's kernel is connected to. */
export async function adoptFromKernel(
  kernel: Kernel.IKernelConnection,
  name: string,
  adoption: Adoption,
  trans: TranslationBundle
): Promise<void> {
  const text =
    kernel.status === 'busy'
      ? trans.__('The kernel of %1 is busy: it answers when it is done.', name)
      : trans.__('Asking the kernel of %1 for its Dask cluster…', name);
  try {
    const request = await tellingOf(text, clusterOf(kernel, trans));
    if (request) {
      await adoption.adopt(request);
    } else {
      Notification.info(
        trans.__(
          'The kernel of %1 is connected to no Dask cluster: create a client there first, such as “Client()”.',
          name
        ),
        { autoClose: HINT }
      );
    }
  } catch (error) {
    if (!(error instanceof KernelSilent)) {
      throw error;
    }
    Notification.warning(error.message, { autoClose: HINT });
  }
}

/** Tell whenever another kernel is that of the current notebook. */
export function onKernelChanged(
  notebooks: INotebookTracker,
  changed: () => void
): void {
  let watched: NotebookPanel | null = null;
  const follow = () => {
    watched?.sessionContext?.kernelChanged.disconnect(changed);
    watched = notebooks.currentWidget;
    watched?.sessionContext.kernelChanged.connect(changed);
    changed();
  };
  notebooks.currentChanged.connect(follow);
  follow();
}
