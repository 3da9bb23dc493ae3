import type { Wish } from '../../contract/desktop.ts';

/** Everything the menu and the tray can order. */
export type Command =
  | 'show'
  | 'new-task'
  | 'overview'
  | 'nodes'
  | 'tasks'
  | 'settings'
  | 'add-node'
  | 'palette'
  | 'cores'
  | 'close-window'
  | 'keep-in-background'
  | 'install-update'
  | 'quit';

const places: Partial<Record<Command, string[]>> = {
  'new-task': ['tasks', 'new'],
  overview: [],
  nodes: ['nodes'],
  tasks: ['tasks'],
  settings: ['settings'],
};

/** What a command asks of the page; undefined for what the host does itself. */
export function wishOf(command: Command): Wish | undefined {
  const path = places[command];
  if (path !== undefined) return { do: 'go', path };
  if (command === 'add-node' || command === 'palette' || command === 'cores')
    return { do: command };
  return undefined;
}
