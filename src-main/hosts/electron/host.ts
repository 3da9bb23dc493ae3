// The desktop host: a core in Electron's main process (or a connection to one that runs already),
// and a window whose page gets a MessagePort to it. Electron is handed in.
import { join } from 'node:path';
import type { BrowserWindow, IpcMainEvent } from 'electron';
import type { CreateCore } from '../../api/core-door.ts';
import type { CoreStatus } from '../../contract/procedures.ts';
import type { TaskStatus } from '../../contract/task.ts';
import { messagePort } from '../../contract/wire/message-port.ts';
import { handleAppScheme, registerAppScheme } from './app-protocol.ts';
import { CoreAccess } from './core-access.ts';
import type { ElectronApi } from './electron-api.ts';
import { systemKeychain } from './keychain.ts';
import { appOrigin, channels } from './names.ts';
import { confine, denyPermissions, openWindow } from './window.ts';

export interface ElectronHostOptions {
  dataDir: string;
  rendererDir: string;
  preloadFile: string;
  version: string;
  who: string;
  createCore: CreateCore;
  now: () => number;
}

/** Runs the app until it quits. Must be called before Electron is ready; resolves when the window is open. */
export async function runElectronHost(
  electron: ElectronApi,
  options: ElectronHostOptions,
): Promise<void> {
  const { app } = electron;
  registerAppScheme(electron);
  app.enableSandbox();
  // The lock and Chromium's files belong to the data directory: two of them are two apps.
  app.setPath('userData', join(options.dataDir, 'electron'));
  if (!app.requestSingleInstanceLock()) {
    app.quit();
    return;
  }
  const host = new ElectronHost(electron, options);
  host.listen();
  await app.whenReady();
  await host.open();
}

class ElectronHost {
  readonly #electron: ElectronApi;
  readonly #options: ElectronHostOptions;
  readonly #access: CoreAccess;
  #window: BrowserWindow | undefined;
  #quitting: 'no' | 'asked' | 'stopping' | 'stopped' = 'no';

  constructor(electron: ElectronApi, options: ElectronHostOptions) {
    this.#electron = electron;
    this.#options = options;
    this.#access = new CoreAccess({
      ...options,
      keychain: () => systemKeychain(electron, process.platform),
      onStopRequested: () => {
        this.#quitting = 'asked';
        electron.app.quit();
      },
    });
  }

  /** Everything that must be in place before there is a window. */
  listen(): void {
    const { app, ipcMain, shell } = this.#electron;
    app.on('web-contents-created', (_event, contents) => {
      confine(contents, shell, this.#report);
    });
    app.on('second-instance', () => {
      this.#showWindow();
    });
    app.on('activate', () => {
      this.#showWindow();
    });
    app.on('window-all-closed', () => {
      if (process.platform !== 'darwin') app.quit();
    });
    app.on('before-quit', (event) => {
      if (this.#quitting === 'stopped') return;
      event.preventDefault();
      this.#quit().catch(this.#report);
    });
    ipcMain.on(channels.wireWanted, (event) => {
      this.#givePort(event);
    });
  }

  async open(): Promise<void> {
    const { app, dialog, powerMonitor, session } = this.#electron;
    denyPermissions(session.defaultSession);
    handleAppScheme(this.#electron, this.#options.rendererDir);
    try {
      await this.#access.start();
    } catch (error) {
      dialog.showErrorBox(
        'KohakuRiver cannot start',
        error instanceof Error ? error.message : String(error),
      );
      app.exit(1);
      return;
    }
    // After sleep every link is dead, whatever it looks like.
    powerMonitor.on('resume', this.#wake);
    powerMonitor.on('unlock-screen', this.#wake);
    this.#showWindow();
  }

  #showWindow(): void {
    if (this.#window === undefined || this.#window.isDestroyed()) {
      const { dataDir, preloadFile } = this.#options;
      this.#window = openWindow({
        electron: this.#electron,
        dataDir,
        preloadFile,
        onError: this.#report,
      });
      return;
    }
    if (this.#window.isMinimized()) this.#window.restore();
    this.#window.focus();
  }

  /** Only the main frame of our own page gets a way to the core. */
  #givePort(event: IpcMainEvent): void {
    const frame = event.senderFrame;
    if (frame === null || frame !== event.sender.mainFrame || frame.origin !== appOrigin) return;
    const { port1, port2 } = new this.#electron.MessageChannelMain();
    const page = messagePort(port1);
    frame.postMessage(channels.wirePort, undefined, [port2]);
    this.#access.connect(page).catch((error: unknown) => {
      page.close();
      this.#report(error);
    });
  }

  async #quit(): Promise<void> {
    if (this.#quitting === 'stopping') return;
    if (this.#quitting === 'no' && !(await this.#agreesToQuit())) return;
    this.#quitting = 'stopping';
    try {
      await this.#access.stop();
    } finally {
      this.#quitting = 'stopped';
      this.#electron.app.quit();
    }
  }

  /** Says what quitting means where there is work; asks nothing where there is none. */
  async #agreesToQuit(): Promise<boolean> {
    const status = await this.#access.ownCore?.status();
    const told = status === undefined ? undefined : whatGoesOn(status);
    if (told === undefined) return true;
    const { response } = await this.#electron.dialog.showMessageBox({
      type: 'question',
      title: 'Quit KohakuRiver?',
      message: 'Work on the nodes goes on; nothing new starts.',
      detail: `${told} What runs keeps running on its node and is found again at the next start. Waiting tasks start only while KohakuRiver is open.`,
      buttons: ['Quit', 'Stay'],
      defaultId: 0,
      cancelId: 1,
    });
    return response === 0;
  }

  readonly #wake = (): void => {
    this.#access.ownCore?.wake();
  };

  readonly #report = (error: unknown): void => {
    const log = this.#access.ownCore?.log;
    if (log === undefined) process.stderr.write(`${String(error)}\n`);
    else log.error({ err: error }, 'the desktop host failed at something');
  };
}

const runningStatuses: readonly TaskStatus[] = ['ASSIGNING', 'RUNNING', 'PAUSED', 'LOST'];
const waitingStatuses: readonly TaskStatus[] = ['PENDING', 'PENDING_APPROVAL'];

/** What quitting would leave to itself, in words; undefined when there is nothing. */
export function whatGoesOn({ tasks }: Pick<CoreStatus, 'tasks'>): string | undefined {
  const count = (statuses: readonly TaskStatus[]): number =>
    statuses.reduce((sum, status) => sum + (tasks[status] ?? 0), 0);
  const running = count(runningStatuses);
  const waiting = count(waitingStatuses);
  if (running + waiting === 0) return undefined;
  return `${plural(running, 'task')} on nodes, ${String(waiting)} waiting.`;
}

function plural(count: number, word: string): string {
  return `${String(count)} ${word}${count === 1 ? '' : 's'}`;
}
