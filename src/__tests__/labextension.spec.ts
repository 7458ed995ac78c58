import { CommandRegistry } from '@lumino/commands';

import { DaskLabextension } from '../labextension';

const item = { route: '/individual-progress', label: 'Progress' };

/** dask-labextension's commands, and what was asked of them. */
function daskCommands(): {
  commands: CommandRegistry;
  asked: [string, unknown][];
  enable: () => void;
} {
  const commands = new CommandRegistry();
  const asked: [string, unknown][] = [];
  let enabled = false;
  for (const id of [
    'populate-dashboard-url',
    'launch-dashboard',
    'launch-layout'
  ]) {
    commands.addCommand(`dask:${id}`, {
      isEnabled: () => id !== 'launch-layout' || enabled,
      execute: args => void asked.push([id, args])
    });
  }
  return { commands, asked, enable: () => (enabled = true) };
}

describe('DaskLabextension', () => {
  it('is not there without its commands', async () => {
    const bridge = new DaskLabextension(new CommandRegistry());
    expect(bridge.isAvailable).toBe(false);
    await bridge.populate('http://x/');
  });

  it('gets a URL once, until it is another', async () => {
    const { commands, asked } = daskCommands();
    const bridge = new DaskLabextension(commands);
    await bridge.populate('http://a/');
    await bridge.populate('http://a/');
    await bridge.populate('http://b/');
    expect(asked).toEqual([
      ['populate-dashboard-url', { url: 'http://a/' }],
      ['populate-dashboard-url', { url: 'http://b/' }]
    ]);
  });

  it('gets the URL before a dashboard is opened', async () => {
    const { commands, asked } = daskCommands();
    await new DaskLabextension(commands).openDashboard('http://a/', item);
    expect(asked).toEqual([
      ['populate-dashboard-url', { url: 'http://a/' }],
      ['launch-dashboard', { item, options: { mode: 'split-right' } }]
    ]);
  });

  it('opens a layout only when its dashboard has answered', async () => {
    const { commands, asked, enable } = daskCommands();
    const opened = new DaskLabextension(commands).openLayout('http://a/');
    await new Promise(resolve => setTimeout(resolve, 80));
    expect(asked.map(([id]) => id)).toEqual(['populate-dashboard-url']);
    enable();
    expect(await opened).toBe(true);
    expect(asked.map(([id]) => id)).toContain('launch-layout');
  });

  it('gives up on a dashboard that does not answer', async () => {
    const { commands, asked } = daskCommands();
    const bridge = new DaskLabextension(commands, 60);
    expect(await bridge.openLayout('http://a/')).toBe(false);
    expect(asked.map(([id]) => id)).toEqual(['populate-dashboard-url']);
  });
});
