import { editIcon } from '@jupyterlab/ui-components';

import type { ICluster, Scaling } from './api/types';
import { forgetHelp } from './clusterWords';
import { CommandIDs } from './commandIds';
import {
  CLUSTER_ARGS,
  finder,
  ICommandOptions,
  shownOnCard
} from './commandParts';
import { askName, confirmStop } from './dialogs';
import { canForget, canScale, isStoppable } from './format';
import { forgetIcon, keepIcon, scaleIcon, stopIcon } from './icons';
import { MAIN_GROUP } from './scaling';

const SCALE_ARGS = {
  type: 'object',
  properties: {
    ...CLUSTER_ARGS.properties,
    group: {
      type: 'string',
      description: 'A group of its workers; by default the first.'
    },
    workers: { type: 'number', description: 'A fixed number of workers' },
    scaling: {
      type: 'object',
      description:
        'A scaling as in the REST API; without it or a number, the card asks.'
    }
  }
};

/** Add the commands that change a cluster; its card shows what is refused. */
export function addChanges(options: ICommandOptions): void {
  addScale(options);
  addKeep(options);
  addRename(options);
  addStop(options);
  addForget(options);
}

function addScale(options: ICommandOptions): void {
  const { app, model, panel, trans } = options;
  const find = finder(options);
  app.commands.addCommand(CommandIDs.scale, {
    label: trans.__('Scale…'),
    caption: trans.__('Change the number of workers'),
    icon: scaleIcon,
    describedBy: { args: SCALE_ARGS },
    isEnabled: args => canScale(find(args)),
    execute: async args => {
      const cluster = find(args)!;
      const group = (args.group as string | undefined) ?? MAIN_GROUP;
      const workers = args.workers as number | undefined;
      const scaling =
        workers === undefined
          ? (args.scaling as Scaling | undefined)
          : { mode: 'fixed' as const, workers };
      if (scaling) {
        await model.scale(cluster.id, scaling, group).catch(shownOnCard);
      } else {
        panel.showScaling(cluster, group);
      }
    }
  });
}

function addKeep(options: ICommandOptions): void {
  const { app, model, trans } = options;
  const find = finder(options);
  app.commands.addCommand(CommandIDs.keep, {
    label: trans.__('Keep'),
    caption: trans.__('Do not stop this idle cluster yet'),
    icon: keepIcon,
    describedBy: { args: CLUSTER_ARGS },
    isEnabled: args => Boolean(find(args)?.idle_ends_at),
    isVisible: args => Boolean(find(args)?.idle_ends_at),
    execute: args => model.keep(find(args)!.id).catch(shownOnCard)
  });
}

function addRename(options: ICommandOptions): void {
  const { app, model, trans } = options;
  const find = finder(options);
  app.commands.addCommand(CommandIDs.rename, {
    label: trans.__('Rename…'),
    caption: trans.__('Rename this cluster'),
    icon: editIcon,
    describedBy: { args: CLUSTER_ARGS },
    isEnabled: args => Boolean(find(args)),
    execute: async args => {
      const cluster = find(args)!;
      const name =
        (args.name as string | undefined) ?? (await askName(cluster, trans));
      if (name && name !== cluster.name) {
        await model.rename(cluster.id, name).catch(shownOnCard);
      }
    }
  });
}

function addStop(options: ICommandOptions): void {
  const { app, model, trans } = options;
  const find = finder(options);
  app.commands.addCommand(CommandIDs.stop, {
    label: trans.__('Stop'),
    caption: trans.__('Stop this cluster and end all of its jobs'),
    icon: stopIcon,
    describedBy: { args: CLUSTER_ARGS },
    isEnabled: args => isStoppable(find(args)?.state),
    execute: async args => {
      const cluster = find(args)!;
      if (!asks(cluster, options) || (await confirmStop(cluster, trans))) {
        await model.stop(cluster.id).catch(shownOnCard);
      }
    }
  });
}

/** Whether a stop is to be confirmed: always, where it is not only ours. */
function asks(cluster: ICluster, { settings }: ICommandOptions): boolean {
  const { askBeforeStop } = settings;
  return (
    cluster.kind === 'adopted' ||
    askBeforeStop === 'always' ||
    (askBeforeStop === 'connected' && cluster.clients !== 0)
  );
}

function addForget(options: ICommandOptions): void {
  const { app, model, trans } = options;
  const find = finder(options);
  app.commands.addCommand(CommandIDs.forget, {
    label: trans.__('Forget'),
    caption: args => {
      const cluster = find(args);
      return cluster ? forgetHelp(cluster, trans) : '';
    },
    icon: forgetIcon,
    describedBy: { args: CLUSTER_ARGS },
    isEnabled: args => canForget(find(args)),
    execute: args => model.forget(find(args)!.id).catch(shownOnCard)
  });
}
