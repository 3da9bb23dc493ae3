// `electron` as the built host imports it.
import { EventEmitter } from 'node:events';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  watch,
  type FSWatcher,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type {
  BrowserWindowConstructorOptions,
  MenuItemConstructorOptions,
  MessageBoxOptions,
  NotificationConstructorOptions,
} from 'electron';
import type { AppWindow, ElectronApi } from '../../../src-main/hosts/electron/electron-api.ts';
import type { Rectangle } from '../../../src-main/hosts/electron/window-state.ts';
import { chrome } from './chrome.ts';
import { ipcListeners, StandInContents } from './contents.ts';
import { StandInPort } from './port.ts';
import { answers, recorded } from './record.ts';

const ready = Promise.withResolvers<undefined>();
/** Electron is ready once the app's main module is through, and not before. */
export function becomeReady(): void {
  ready.resolve(undefined);
}

function preventable() {
  const event = { isPrevented: false, preventDefault: () => void (event.isPrevented = true) };
  return event;
}

class StandInApp extends EventEmitter {
  readonly isPackaged = false;
  #userData = '';
  #lock: string | undefined;
  #ears: FSWatcher | undefined;

  enableSandbox = (): void => void (recorded.isSandboxed = true);
  getGPUFeatureStatus = () => ({ gpu_compositing: 'disabled_software' });
  getPath = (): string => join(this.#userData, 'Crashpad');
  setAppUserModelId = (): void => undefined;
  setAsDefaultProtocolClient = (): boolean => true;
  setLoginItemSettings = (settings: unknown): void => void recorded.loginItems.push(settings);
  setPath = (_name: 'userData', path: string): void => void (this.#userData = path);
  whenReady = (): Promise<void> => ready.promise;

  /** A folder is made by one process only; the others leave their arguments in it. */
  requestSingleInstanceLock = (): boolean => {
    mkdirSync(this.#userData, { recursive: true });
    const folder = join(this.#userData, 'stand-in-lock');
    try {
      mkdirSync(folder);
    } catch {
      writeFileSync(join(folder, `${String(process.pid)}.json`), JSON.stringify(process.argv));
      return false;
    }
    this.#lock = folder;
    this.#ears = watch(folder, () => this.#hearSecond(folder)).unref();
    return true;
  };

  #hearSecond(folder: string): void {
    for (const name of readdirSync(folder)) {
      const text = readFileSync(join(folder, name), 'utf8');
      if (text === '') continue;
      rmSync(join(folder, name));
      this.emit('second-instance', {}, JSON.parse(text));
    }
  }

  quit = (): void => {
    const event = preventable();
    this.emit('before-quit', event);
    if (event.isPrevented) return;
    for (const window of [...windows]) if (!window.closed()) return;
    this.exit(0);
  };

  exit = (exitCode: number): void => {
    this.#ears?.close();
    if (this.#lock !== undefined) rmSync(this.#lock, { recursive: true, force: true });
    // A page that hangs must not keep the app from ending.
    setTimeout(() => process.exit(exitCode), 5000);
    void chrome.close().finally(() => process.exit(exitCode));
  };
}

export const app = new StandInApp();
export const windows = new Set<StandInWindow>();

export class StandInWindow extends EventEmitter implements AppWindow {
  readonly webContents: StandInContents;
  #isDestroyed = false;
  #isMaximized = false;
  isShown = false;
  readonly #bounds: Rectangle;

  constructor(options: BrowserWindowConstructorOptions) {
    super();
    recorded.windowOptions.push(options);
    const { x = 0, y = 0, width = 800, height = 600, webPreferences } = options;
    this.#bounds = { x, y, width, height };
    this.webContents = new StandInContents(webPreferences?.preload ?? '');
    windows.add(this);
    app.emit('web-contents-created', {}, this.webContents);
  }

  async loadURL(url: string): Promise<void> {
    await this.webContents.load(url);
    this.emit('ready-to-show');
  }

  /** Closes unless that is refused; true when it is closed. */
  closed(): boolean {
    if (this.#isDestroyed) return true;
    const event = preventable();
    this.emit('close', event);
    if (event.isPrevented) return false;
    this.destroy();
    return true;
  }

  close = (): void => void this.closed();

  destroy(): void {
    this.#isDestroyed = true;
    windows.delete(this);
    void this.webContents.destroy();
    this.emit('closed');
    if (windows.size === 0) app.emit('window-all-closed');
  }

  focus = (): void => undefined;
  getNormalBounds = (): Rectangle => this.#bounds;
  isDestroyed = (): boolean => this.#isDestroyed;
  isMaximized = (): boolean => this.#isMaximized;
  isMinimized = (): boolean => false;
  maximize = (): void => void (this.#isMaximized = true);
  restore = (): void => undefined;
  show = (): void => void (this.isShown = true);
}
export const BrowserWindow = StandInWindow;

export class MessageChannelMain {
  readonly port1 = new StandInPort();
  readonly port2 = new StandInPort();
  constructor() {
    this.port1.peer = this.port2;
    this.port2.peer = this.port1;
  }
}

export const ipcMain = {
  on: (channel: string, listener: (event: never, ...args: unknown[]) => void) =>
    ipcListeners.set(channel, listener as (event: object, ...args: unknown[]) => void),
};

export const menus = {
  bar: [] as MenuItemConstructorOptions[],
  tray: [] as MenuItemConstructorOptions[],
};
export const Menu = {
  buildFromTemplate: (template: MenuItemConstructorOptions[]) => ({ template }),
  setApplicationMenu: (menu: object | null) =>
    void (menus.bar = (menu as { template: MenuItemConstructorOptions[] }).template),
};

export class Tray extends EventEmitter {
  constructor(image: string) {
    super();
    // As Electron does, an icon that is not there is an error.
    readFileSync(image);
    recorded.tray.icon = image;
  }
  destroy = (): void => undefined;
  setContextMenu = (menu: object | null): void =>
    void (menus.tray = (menu as { template: MenuItemConstructorOptions[] }).template);
  setToolTip = (text: string): void => void (recorded.tray.toolTip = text);
}

export const notifications: Notification[] = [];
export class Notification extends EventEmitter {
  static isSupported = (): boolean => true;
  readonly #options: NotificationConstructorOptions;
  constructor(options: NotificationConstructorOptions) {
    super();
    this.#options = options;
  }
  show(): void {
    const { title = '', body = '' } = this.#options;
    recorded.notifications.push({ title, body });
    notifications.push(this);
  }
}

export const dialog = {
  showErrorBox: (title: string, content: string) =>
    void recorded.errorBoxes.push({ title, content }),
  showMessageBox: ({ message, detail = '', buttons = [], cancelId = 0 }: MessageBoxOptions) => {
    recorded.dialogs.push({ message, detail, buttons });
    return Promise.resolve(answers.shift() ?? { response: cancelId, checkboxChecked: false });
  },
};

const store = process.env['STAND_IN_KEYCHAIN'] ?? 'gnome_libsecret';
export const safeStorage = {
  isEncryptionAvailable: () => true,
  getSelectedStorageBackend: () => store,
  encryptString: (text: string) => Buffer.from(`sealed ${Buffer.from(text).toString('base64')}`),
  decryptString: (sealed: Buffer) => Buffer.from(sealed.toString().slice(7), 'base64').toString(),
};

export const protocol = {
  registerSchemesAsPrivileged: (schemes: object[]) => void recorded.schemes.push(...schemes),
  handle: (_scheme: string, handler: (request: Request) => Promise<Response>) =>
    void (chrome.handler = handler),
};

export const session = {
  defaultSession: {
    setPermissionRequestHandler: (
      handler: (
        contents: unknown,
        permission: string,
        answer: (isGranted: boolean) => void,
      ) => void,
    ) => {
      chrome.isGranted = (permission) => {
        let isGranted = false;
        handler(null, permission, (answer) => (isGranted = answer));
        return isGranted;
      };
    },
    setPermissionCheckHandler: () => undefined,
    setDevicePermissionHandler: () => undefined,
  },
};

export const powerMonitor = new EventEmitter();
export const screen = {
  getAllDisplays: () => [{ workArea: { x: 0, y: 0, width: 1920, height: 1080 } }],
};
export const shell = {
  openExternal: (url: string) => Promise.resolve(void recorded.opened.push(url)),
};
export const crashReporter = {
  start: (options: object) => void (recorded.crashReporter = options),
};

/** Everything the host uses is here, with the types it has there. */
export const standIn: ElectronApi = {
  app,
  BrowserWindow,
  crashReporter,
  dialog,
  ipcMain,
  Menu,
  MessageChannelMain,
  Notification,
  powerMonitor,
  protocol,
  safeStorage,
  screen,
  session,
  shell,
  Tray,
};
