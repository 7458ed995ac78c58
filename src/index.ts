import {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';

const plugin: JupyterFrontEndPlugin<void> = {
  id: 'hpcdask-ext:plugin',
  description: 'The Dask clusters panel in the left sidebar.',
  autoStart: true,
  activate: (app: JupyterFrontEnd) => undefined
};

export default plugin;
