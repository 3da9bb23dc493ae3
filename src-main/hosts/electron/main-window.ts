// The app's one window: opened when it is wanted, brought back where it was when its page crashes,
// and given ports to the core and to the app itself.
import type { PortEnd } from '../../contract/wire/page-words.ts';
import { isPortEnd } from '../../contract/wire/page-words.ts';
import { messagePort } from '../../contract/wire/message-port.ts';
import type { WirePort } from '../../contract/wire/port.ts';
import type {
  AppWindow,
  ElectronApi,
  PageMessage,
  Preventable,
  ProcessGone,
} from './electron-api.ts';
import { hashOf } from './deep-link.ts';
import { appOrigin, channels } from './names.ts';
import { openWindow, pageUrl } from './window.ts';

/** A page that crashes more often than this within the time is not loaded again by itself. */
const crashLimit = 3;
const crashSpanMs = 60_000;

export interface MainWindowOptions {
  electron: ElectronApi;
  dataDir: string;
  preloadFile: string;
  now: () => number;
  connect: (to: PortEnd, port: WirePort) => Promise<void>;
  /** Whether the person may be asked before it closes; then the window stays until `close`. */
  onClosing: (event: Preventable) => void;
  onClosed: () => void;
  onCrash: (gone: ProcessGone) => void;
  onError: (error: unknown) => void;
}

export class MainWindow {
  readonly #options: MainWindowOptions;
  #window: AppWindow | undefined;
  #crashes: number[] = [];

  constructor(options: MainWindowOptions) {
    this.#options = options;
    options.electron.ipcMain.on(channels.wireWanted, (event, to) => {
      if (isPortEnd(to)) this.#givePort(event, to);
    });
  }

  get isOpen(): boolean {
    return this.#window?.isDestroyed() === false;
  }

  /** Opens it, at a place if one is given, or brings it to the front. True when it was opened. */
  show(place?: readonly string[]): boolean {
    const window = this.#window;
    if (window === undefined || window.isDestroyed()) {
      this.#open(hashOf(place));
      return true;
    }
    if (window.isMinimized()) window.restore();
    window.show();
    window.focus();
    return false;
  }

  close(): void {
    if (this.isOpen) this.#window?.close();
  }

  /** From the beginning: another core has other tasks. */
  startAnew(): void {
    if (this.isOpen) this.#window?.loadURL(pageUrl('')).catch(this.#options.onError);
  }

  startDrag(file: string, icon: string): void {
    if (this.isOpen) this.#window?.webContents.startDrag({ file, icon });
  }

  #open(place: string): void {
    const { electron, dataDir, preloadFile, onError, onClosing, onClosed } = this.#options;
    const window = openWindow({ electron, dataDir, preloadFile, place, onError });
    window.on('close', onClosing);
    window.on('closed', () => {
      this.#window = undefined;
      onClosed();
    });
    window.on('unresponsive', () => {
      this.#offer('The window does not answer.', 'Wait').catch(onError);
    });
    window.webContents.on('render-process-gone', (_event, gone) => {
      this.#mend(gone);
    });
    this.#window = window;
  }

  /** Its address says where it was; the core has everything else. */
  #mend(gone: ProcessGone): void {
    if (gone.reason === 'clean-exit') return;
    const { now, onCrash, onError } = this.#options;
    onCrash(gone);
    this.#crashes = [...this.#crashes.filter((at) => now() - at < crashSpanMs), now()];
    if (this.#crashes.length < crashLimit) this.#window?.webContents.reload();
    else this.#offer('The window has stopped several times.', 'Leave it').catch(onError);
  }

  async #offer(message: string, otherwise: string): Promise<void> {
    const { response } = await this.#options.electron.dialog.showMessageBox({
      type: 'warning',
      message,
      detail: 'Tasks and their queue are not affected: the core goes on.',
      buttons: ['Load It Again', otherwise],
      defaultId: 0,
      cancelId: 1,
    });
    if (response === 0 && this.isOpen) this.#window?.webContents.reload();
  }

  /** Only the main frame of our own page gets a way in. */
  #givePort(event: PageMessage, to: PortEnd): void {
    const frame = event.senderFrame;
    if (frame === null || frame !== event.sender.mainFrame || frame.origin !== appOrigin) return;
    const { port1, port2 } = new this.#options.electron.MessageChannelMain();
    const page = messagePort(port1);
    frame.postMessage(channels.wirePort, to, [port2]);
    this.#options.connect(to, page).catch((error: unknown) => {
      page.close();
      this.#options.onError(error);
    });
  }
}
