// Electron as this host uses it: every member, and nothing else. The real one satisfies it (main.ts
// hands it in, so the compiler checks); tests hand in a stand-in for exactly this. docs/electron.md
// lists each member with the place in Electron's documentation it was checked against.
import type {
  BrowserWindowConstructorOptions,
  CrashReporterStartOptions,
  CustomScheme,
  Event,
  Item,
  MenuItemConstructorOptions,
  MessageBoxOptions,
  MessageBoxReturnValue,
  NotificationConstructorOptions,
  Settings,
  WindowOpenHandlerResponse,
} from 'electron';
import type { MainPortLike } from '../../contract/wire/message-port.ts';
import type { Rectangle } from './window-state.ts';

export interface ElectronApi {
  readonly app: AppApi;
  readonly BrowserWindow: new (options: BrowserWindowConstructorOptions) => AppWindow;
  readonly crashReporter: { start(options: CrashReporterStartOptions): void };
  readonly dialog: {
    showErrorBox(title: string, content: string): void;
    showMessageBox(options: MessageBoxOptions): Promise<MessageBoxReturnValue>;
  };
  readonly ipcMain: {
    on(channel: string, listener: (event: PageMessage, ...args: unknown[]) => void): unknown;
  };
  readonly Menu: {
    buildFromTemplate(template: MenuItemConstructorOptions[]): BuiltMenu;
    setApplicationMenu(menu: BuiltMenu | null): void;
  };
  readonly MessageChannelMain: new () => { port1: MainPortLike; port2: MainPortLike };
  readonly Notification: (new (options: NotificationConstructorOptions) => SystemNotification) & {
    isSupported(): boolean;
  };
  readonly powerMonitor: {
    on(event: 'resume' | 'unlock-screen' | 'shutdown', listener: () => void): unknown;
  };
  readonly protocol: {
    registerSchemesAsPrivileged(schemes: CustomScheme[]): void;
    handle(scheme: string, handler: (request: Request) => Promise<Response>): void;
  };
  readonly safeStorage: {
    isEncryptionAvailable(): boolean;
    getSelectedStorageBackend(): string;
    encryptString(text: string): Buffer;
    decryptString(sealed: Buffer): string;
  };
  readonly screen: { getAllDisplays(): { workArea: Rectangle }[] };
  readonly session: { readonly defaultSession: SessionApi };
  readonly shell: { openExternal(url: string): Promise<void> };
  readonly Tray: new (image: string) => SystemTray;
}

export interface AppApi {
  readonly isPackaged: boolean;
  enableSandbox(): void;
  exit(exitCode: number): void;
  getGPUFeatureStatus(): object;
  getPath(name: 'crashDumps'): string;
  quit(): void;
  requestSingleInstanceLock(): boolean;
  setAppUserModelId(id: string): void;
  setAsDefaultProtocolClient(protocol: string, path?: string, args?: string[]): boolean;
  setLoginItemSettings(settings: Settings): void;
  setPath(name: 'userData', path: string): void;
  whenReady(): Promise<void>;
  on(event: 'activate' | 'window-all-closed', listener: () => void): unknown;
  on(event: 'before-quit', listener: (event: Preventable) => void): unknown;
  on(event: 'child-process-gone', listener: (event: Event, gone: ProcessGone) => void): unknown;
  on(event: 'open-url', listener: (event: Preventable, url: string) => void): unknown;
  on(event: 'second-instance', listener: (event: Event, argv: string[]) => void): unknown;
  on(
    event: 'web-contents-created',
    listener: (event: Event, contents: PageContents) => void,
  ): unknown;
}

export interface Preventable {
  preventDefault(): void;
}

export interface ProcessGone {
  reason: string;
  exitCode: number;
  /** Of what kind; absent for pages. */
  type?: string;
}

export interface AppWindow {
  readonly webContents: PageContents;
  close(): void;
  destroy(): void;
  focus(): void;
  getNormalBounds(): Rectangle;
  isDestroyed(): boolean;
  isMaximized(): boolean;
  isMinimized(): boolean;
  loadURL(url: string): Promise<void>;
  maximize(): void;
  restore(): void;
  show(): void;
  on(event: 'close', listener: (event: Preventable) => void): unknown;
  on(event: 'closed' | 'unresponsive', listener: () => void): unknown;
  once(event: 'ready-to-show', listener: () => void): unknown;
}

export interface PageContents {
  readonly mainFrame: PageFrame;
  reload(): void;
  setWindowOpenHandler(handler: (details: { url: string }) => WindowOpenHandlerResponse): void;
  startDrag(item: Item): void;
  on(
    event: 'will-navigate' | 'will-frame-navigate' | 'will-redirect' | 'will-attach-webview',
    listener: (event: Preventable) => void,
  ): unknown;
  on(event: 'render-process-gone', listener: (event: Event, gone: ProcessGone) => void): unknown;
}

export interface PageFrame {
  readonly origin: string;
  postMessage(channel: string, message: unknown, transfer?: MainPortLike[]): void;
}

/** An IPC message as it arrives. */
export interface PageMessage {
  readonly sender: PageContents;
  readonly senderFrame: PageFrame | null;
}

export interface SessionApi {
  setPermissionRequestHandler(
    handler: (contents: unknown, permission: string, answer: (isGranted: boolean) => void) => void,
  ): void;
  setPermissionCheckHandler(handler: (contents: unknown, permission: string) => boolean): void;
  setDevicePermissionHandler(handler: () => boolean): void;
}

/** What `buildFromTemplate` made: handed back to Electron and never looked into. */
export type BuiltMenu = object;

export interface SystemNotification {
  show(): void;
  on(event: 'click', listener: () => void): unknown;
}

export interface SystemTray {
  destroy(): void;
  setContextMenu(menu: BuiltMenu | null): void;
  setToolTip(text: string): void;
  on(event: 'click', listener: () => void): unknown;
}
