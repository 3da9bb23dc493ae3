// Three ways to leave, kept apart: close the window, keep the core running in the background, quit.
import type { CoreAccess } from './core-access.ts';
import { askToQuit, askWhenClosing, type QuitAnswer } from './dialogs.ts';
import type { ElectronApi, Preventable } from './electron-api.ts';
import type { MainWindow } from './main-window.ts';
import type { Preferences } from './preferences.ts';
import {
  mustAskToQuit,
  onLastWindowClosed,
  whatGoesOn,
  workAtHand,
  type WorkAtHand,
} from './quitting.ts';

export interface LeavingOptions {
  electron: Pick<ElectronApi, 'app' | 'dialog' | 'Notification'>;
  access: CoreAccess;
  preferences: Preferences;
  platform: NodeJS.Platform;
  report: (error: unknown) => void;
}

type ClosableWindow = Pick<MainWindow, 'close' | 'isOpen'>;

export class Leaving {
  readonly #options: LeavingOptions;
  #quitting: 'no' | 'asking' | 'agreed' | 'stopping' | 'stopped' = 'no';
  /** The window may close without a question. */
  #mayClose = false;
  #quitsWhenClosed = false;

  constructor(options: LeavingOptions) {
    this.#options = options;
  }

  /** The system ends, or a client asked the core to stop: there is nobody to ask. */
  readonly quitUnasked = (): void => {
    this.#quitting = this.#quitting === 'no' ? 'agreed' : this.#quitting;
    this.#options.electron.app.quit();
  };

  onBeforeQuit(event: Preventable, window: ClosableWindow): void {
    if (this.#quitting === 'stopped') return;
    event.preventDefault();
    this.#quit(window).catch(this.#options.report);
  }

  onClosing(event: Preventable, window: ClosableWindow): void {
    if (this.#mayClose || this.#quitting === 'stopped') return;
    event.preventDefault();
    this.#close(window).catch(this.#options.report);
  }

  onClosed(): void {
    this.#mayClose = false;
    if (this.#quitsWhenClosed) this.quitUnasked();
  }

  /** Closes the window; the core goes on, and the tray or a second start brings the window back. */
  keepInBackground(window: ClosableWindow): void {
    this.#mayClose = true;
    window.close();
  }

  async #close(window: ClosableWindow): Promise<void> {
    const { electron, platform, preferences } = this.#options;
    const work = await this.#work();
    const action = onLastWindowClosed(preferences.values.whenWindowCloses, work, platform);
    if (action === 'background') {
      this.keepInBackground(window);
    } else if (action === 'ask' && work !== undefined) {
      const answer = await askWhenClosing(electron.dialog, work);
      if (answer.isForGood && answer.action !== 'stay')
        preferences.set({ whenWindowCloses: answer.action });
      this.#follow(answer.action, window);
    } else if (mustAskToQuit(work)) {
      electron.app.quit();
    } else {
      this.#follow('quit', window);
    }
  }

  #follow(answer: QuitAnswer, window: ClosableWindow): void {
    if (answer === 'stay') return;
    this.#quitsWhenClosed = answer === 'quit';
    this.keepInBackground(window);
  }

  async #quit(window: ClosableWindow): Promise<void> {
    if (this.#quitting === 'asking' || this.#quitting === 'stopping') return;
    const work = await this.#work();
    if (this.#quitting === 'no' && work !== undefined && mustAskToQuit(work)) {
      this.#quitting = 'asking';
      const answer = await askToQuit(this.#options.electron.dialog, work);
      this.#quitting = 'no';
      if (answer === 'background') this.keepInBackground(window);
      if (answer !== 'quit') return;
    }
    this.#quitting = 'stopping';
    this.#sayGoodbye(work);
    try {
      await this.#options.access.stop();
    } finally {
      this.#quitting = 'stopped';
      this.#options.electron.app.quit();
    }
  }

  /** Nobody should wonder whether their training goes on. */
  #sayGoodbye(work: WorkAtHand | undefined): void {
    const { Notification } = this.#options.electron;
    const body = work === undefined ? undefined : whatGoesOn(work);
    if (body === undefined || !Notification.isSupported()) return;
    new Notification({ title: 'KohakuRiver has quit', body }).show();
  }

  /** Of the core in this process; undefined where it is another's. */
  async #work(): Promise<WorkAtHand | undefined> {
    const status = await this.#options.access.ownCore?.status();
    return status === undefined ? undefined : workAtHand(status);
  }
}
