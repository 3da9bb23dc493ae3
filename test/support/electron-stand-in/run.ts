// Runs the built entry of the desktop app with the stand-in in Electron's place, and does what the
// test in the parent process says.
import { registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';
import type { MenuItemConstructorOptions } from 'electron';
import { chrome } from './chrome.ts';
import { ipcListeners } from './contents.ts';
import { app, becomeReady, menus, notifications, powerMonitor, windows } from './electron.ts';
import { answers, recorded } from './record.ts';

const place = new URL('./electron.ts', import.meta.url).href;
registerHooks({
  resolve: (name, context, next) =>
    name === 'electron' ? { url: place, shortCircuit: true } : next(name, context),
});

const firstWindow = () => [...windows][0];

function find(items: MenuItemConstructorOptions[], labels: string[]): MenuItemConstructorOptions {
  const [label, ...rest] = labels;
  const item = items.find((each) => each.label === label);
  if (item === undefined) throw new Error(`no menu entry called ${String(label)}`);
  return rest.length === 0 ? item : find(item.submenu as MenuItemConstructorOptions[], rest);
}
function click(items: MenuItemConstructorOptions[], labels: string[]): void {
  const { click: run } = find(items, labels) as { click?: () => void };
  run?.();
}
const labelsOf = (items: MenuItemConstructorOptions[]): unknown[] =>
  items.map(({ label, role, type, submenu }) =>
    Array.isArray(submenu) ? { [String(label)]: labelsOf(submenu) } : (label ?? role ?? type),
  );

const orders = {
  facts: () => ({
    ...recorded,
    debugUrl: chrome.debugUrl,
    windows: [...windows].map(({ isShown }) => ({ isShown })),
    menu: labelsOf(menus.bar),
    trayMenu: labelsOf(menus.tray),
  }),
  answer: (response: number, checkboxChecked = false) =>
    void answers.push({ response, checkboxChecked }),
  menu: (...labels: string[]) => click(menus.bar, labels),
  tray: (...labels: string[]) => click(menus.tray, labels),
  notification: (index: number) => void notifications[index]?.emit('click'),
  power: (event: string) => void powerMonitor.emit(event),
  appEvent: (event: string, ...args: unknown[]) =>
    void app.emit(event, { preventDefault: () => undefined }, ...args),
  closeWindow: () => firstWindow()?.close(),
  crash: () => firstWindow()?.webContents.crash(),
  drop: (...files: string[]) => firstWindow()?.webContents.drop(files),
  /** A message as a frame of another origin, or a frame inside our page, would send it. Says whether a port was given. */
  foreignMessage: (channel: string, origin: string, isMainFrame: boolean) => {
    let wasGiven = false;
    const frame = { origin, postMessage: () => (wasGiven = true) };
    const sender = { mainFrame: isMainFrame ? frame : { ...frame } };
    ipcListeners.get(channel)?.({ sender, senderFrame: frame }, 'core');
    return wasGiven;
  },
} as const;
export type Orders = typeof orders;

process.on('message', ({ id, name, args }: { id: number; name: keyof Orders; args: never[] }) => {
  const order = orders[name] as (...words: never[]) => unknown;
  Promise.resolve()
    .then(() => order(...args))
    .then(
      (result) => process.send?.({ id, result }),
      (error: unknown) => process.send?.({ id, error: String(error) }),
    );
});
process.on('disconnect', () => app.exit(1));

const [entry = ''] = process.argv.splice(2, 1);
await import(pathToFileURL(entry).href);
becomeReady();
