import { Dialog, InputDialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { ICluster } from './api/types';

/** Another name for a cluster, or `null`. */
export async function askName(
  cluster: ICluster,
  trans: TranslationBundle
): Promise<string | null> {
  const answer = await InputDialog.getText({
    title: trans.__('Rename %1', cluster.name),
    label: trans.__('Name'),
    text: cluster.name,
    okLabel: trans.__('Rename')
  });
  return answer.button.accept ? (answer.value ?? '').trim() : null;
}

/** Whether a cluster is to be stopped, whoever is connected to it. */
export async function confirmStop(
  cluster: ICluster,
  trans: TranslationBundle
): Promise<boolean> {
  const answer = await showDialog({
    title: trans.__('Stop “%1”?', cluster.name),
    body: lossWords(cluster, trans),
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      Dialog.warnButton({ label: trans.__('Stop') })
    ]
  });
  return answer.button.accept;
}

/** What is lost with a cluster, and whose it is. */
function lossWords(cluster: ICluster, trans: TranslationBundle): string {
  if (cluster.kind === 'adopted') {
    return trans.__(
      'This ends the cluster for everybody who uses it. To take it off the list only, choose Forget.'
    );
  }
  return cluster.clients
    ? trans._n(
        '%1 client is connected to it. Its work on this cluster will be lost.',
        '%1 clients are connected to it. Their work on this cluster will be lost.',
        cluster.clients
      )
    : trans.__('Everything that it computes or holds in memory will be lost.');
}
