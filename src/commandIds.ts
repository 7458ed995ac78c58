/** The ids of all commands, for menus, cards and other extensions. */
export namespace CommandIDs {
  export const launch = 'hpcdask:launch';
  export const refresh = 'hpcdask:refresh';
  export const adopt = 'hpcdask:adopt';
  export const adoptFile = 'hpcdask:adopt-file';
  export const adoptNotebook = 'hpcdask:adopt-notebook';
  export const showDashboards = 'hpcdask:show-dashboards';
  export const insertCode = 'hpcdask:insert-client-code';
  export const scale = 'hpcdask:scale';
  export const keep = 'hpcdask:keep';
  export const rename = 'hpcdask:rename';
  export const showLogs = 'hpcdask:show-logs';
  export const stop = 'hpcdask:stop';
  export const forget = 'hpcdask:forget';
  export const openDashboard = 'hpcdask:open-dashboard';
  export const openTile = 'hpcdask:open-tile';
  export const openLayout = 'hpcdask:open-layout';
  export const runScript = 'hpcdask:run-script';
}
