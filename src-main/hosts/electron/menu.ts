// The menus as data, for each platform; `toTemplate` turns them into what Electron takes.
import type { MenuItemConstructorOptions } from 'electron';
import type { Command } from './commands.ts';

type Role = NonNullable<MenuItemConstructorOptions['role']>;

export type MenuEntry =
  | 'separator'
  /** Said, not done. */
  | { readonly label: string }
  | { readonly role: Role; readonly label?: string }
  | { readonly label: string; readonly command: Command; readonly key?: string }
  | { readonly label: string; readonly role?: Role; readonly submenu: readonly MenuEntry[] };

export interface MenuFacts {
  readonly platform: NodeJS.Platform;
  /** Development tools are for a checkout. */
  readonly isPackaged: boolean;
  readonly newVersion: string | null;
}

const background: MenuEntry = {
  label: 'Keep Running in the Background',
  command: 'keep-in-background',
  key: 'CmdOrCtrl+Shift+W',
};
const settings: MenuEntry = { label: 'Settings…', command: 'settings', key: 'CmdOrCtrl+,' };

/** The menu bar. macOS has an app menu of its own; elsewhere its entries are in File and Help. */
export function menuBar(facts: MenuFacts): MenuEntry[] {
  const isMac = facts.platform === 'darwin';
  return [
    ...(isMac ? [macAppMenu(facts)] : []),
    fileMenu(isMac),
    { role: 'editMenu' },
    viewMenu(facts),
    isMac ? { role: 'windowMenu' } : helpMenu(facts),
  ];
}

function macAppMenu(facts: MenuFacts): MenuEntry {
  return {
    label: 'KohakuRiver',
    submenu: [
      { role: 'about', label: 'About KohakuRiver' },
      ...updateEntry(facts),
      'separator',
      settings,
      'separator',
      { role: 'services' },
      'separator',
      { role: 'hide', label: 'Hide KohakuRiver' },
      { role: 'hideOthers' },
      { role: 'unhide' },
      'separator',
      { label: 'Quit KohakuRiver', command: 'quit', key: 'Cmd+Q' },
    ],
  };
}

function fileMenu(isMac: boolean): MenuEntry {
  const ends: MenuEntry[] = isMac
    ? []
    : [settings, 'separator', { label: 'Quit', command: 'quit', key: 'Ctrl+Q' }];
  return {
    label: 'File',
    submenu: [
      { label: 'New Task…', command: 'new-task', key: 'CmdOrCtrl+N' },
      { label: 'Add a Node…', command: 'add-node' },
      { label: 'Cores…', command: 'cores', key: 'CmdOrCtrl+Shift+O' },
      'separator',
      { label: 'Close Window', command: 'close-window', key: 'CmdOrCtrl+W' },
      background,
      ...(ends.length === 0 ? [] : (['separator', ...ends] as const)),
    ],
  };
}

function viewMenu({ isPackaged }: MenuFacts): MenuEntry {
  return {
    label: 'View',
    submenu: [
      { label: 'Overview', command: 'overview', key: 'CmdOrCtrl+1' },
      { label: 'Nodes', command: 'nodes', key: 'CmdOrCtrl+2' },
      { label: 'Tasks', command: 'tasks', key: 'CmdOrCtrl+3' },
      { label: 'Find Anything…', command: 'palette', key: 'CmdOrCtrl+K' },
      'separator',
      { role: 'resetZoom' },
      { role: 'zoomIn' },
      { role: 'zoomOut' },
      { role: 'togglefullscreen' },
      'separator',
      { role: 'reload' },
      ...(isPackaged ? [] : [{ role: 'toggleDevTools' } as const]),
    ],
  };
}

function helpMenu(facts: MenuFacts): MenuEntry {
  return {
    label: 'Help',
    submenu: [...updateEntry(facts), { label: 'About and Diagnostics', command: 'settings' }],
  };
}

function updateEntry({ newVersion }: MenuFacts): MenuEntry[] {
  return newVersion === null
    ? []
    : [{ label: `Install ${newVersion} and Restart`, command: 'install-update' }];
}

export interface TrayFacts {
  /** The core that is shown; null while it is out of reach. */
  readonly core: { readonly name: string; readonly running: number; readonly waiting: number };
  readonly isReachable: boolean;
}

/** What the tray says and offers. */
export function trayMenu({ core, isReachable }: TrayFacts): MenuEntry[] {
  return [
    { label: trayWords({ core, isReachable }) },
    'separator',
    { label: 'Open KohakuRiver', command: 'show' },
    { label: 'New Task…', command: 'new-task' },
    { label: 'Tasks', command: 'tasks' },
    { label: 'Nodes', command: 'nodes' },
    'separator',
    { label: 'Quit', command: 'quit' },
  ];
}

/** One line: the tooltip of the tray, and the head of its menu. */
export function trayWords({ core, isReachable }: TrayFacts): string {
  if (!isReachable) return `${core.name}: not connected`;
  return `${core.name}: ${String(core.running)} running, ${String(core.waiting)} waiting`;
}

export function toTemplate(
  entries: readonly MenuEntry[],
  run: (command: Command) => void,
): MenuItemConstructorOptions[] {
  return entries.map((entry) => toItem(entry, run));
}

function toItem(entry: MenuEntry, run: (command: Command) => void): MenuItemConstructorOptions {
  if (entry === 'separator') return { type: 'separator' };
  if ('submenu' in entry) {
    const { submenu, ...rest } = entry;
    return { ...rest, submenu: toTemplate(submenu, run) };
  }
  if ('command' in entry) {
    const { label, command, key } = entry;
    const click = (): void => {
      run(command);
    };
    return { id: command, label, click, ...(key === undefined ? {} : { accelerator: key }) };
  }
  return 'role' in entry ? { ...entry } : { label: entry.label, enabled: false };
}
