// The desktop host: a core in Electron's main process (or a connection to one elsewhere), a window
// whose page gets MessagePorts, a tray, menus and notices. Electron is handed in.
import { join } from 'node:path';
import type { CreateCore } from '../../api/core-door.ts';
import { proceduresOf } from '../../api/wire/procedures.ts';
import { serve } from '../../api/wire/serve-wire.ts';
import type { DesktopPreferences, DesktopState } from '../../contract/desktop.ts';
import type { TaskView } from '../../contract/task.ts';
import type { PortEnd } from '../../contract/wire/page-words.ts';
import type { WirePort } from '../../contract/wire/port.ts';
import { Emitter } from '../../domain/emitter.ts';
import { handleAppScheme, registerAppScheme } from './app-protocol.ts';
import { wishOf, type Command } from './commands.ts';
import { CoreWatch } from './core-watch.ts';
import { linkAmong, placeOfLink } from './deep-link.ts';
import { makeParts, type HostParts } from './desktop-parts.ts';
import { desktopRouter } from './desktop-router.ts';
import { diagnosticsOf } from './diagnostics.ts';
import type { ElectronApi } from './electron-api.ts';
import { hostLog } from './host-log.ts';
import { Leaving } from './leaving.ts';
import { MainWindow } from './main-window.ts';
import { menuBar, toTemplate } from './menu.ts';
import { appUserModelId, backgroundFlag, linkScheme } from './names.ts';
import { noticesFor } from './notices.ts';
import { workAtHand } from './quitting.ts';
import { AppTray } from './tray.ts';
import { confine, denyPermissions } from './window.ts';

export interface ElectronHostOptions {
  dataDir: string;
  rendererDir: string;
  preloadFile: string;
  iconDir: string;
  version: string;
  who: string;
  platform: NodeJS.Platform;
  argv: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  createCore: CreateCore;
  now: () => number;
}

/** Runs the app until it quits. Must be called before Electron is ready; resolves when the app is up. */
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
  // Crash dumps stay on this computer.
  electron.crashReporter.start({ uploadToServer: false });
  if (options.platform === 'win32') app.setAppUserModelId(appUserModelId);
  const host = new ElectronHost(electron, options);
  host.listen();
  await app.whenReady();
  await host.open();
}

class ElectronHost {
  readonly #electron: ElectronApi;
  readonly #options: ElectronHostOptions;
  readonly #parts: HostParts;
  readonly #window: MainWindow;
  readonly #leaving: Leaving;
  readonly #changed = new Emitter<void>();
  readonly #desktop: ReturnType<typeof proceduresOf>;
  #tray: AppTray | undefined;
  #watch: CoreWatch | undefined;
  /** Of a link that came before there was a window. */
  #firstPlace: string[] | undefined;

  constructor(electron: ElectronApi, options: ElectronHostOptions) {
    const report = this.#report;
    this.#electron = electron;
    this.#options = options;
    this.#parts = makeParts(electron, options, {
      report,
      log: hostLog((facts, message) => {
        report(new Error(message, { cause: facts }));
      }),
      onStopRequested: () => {
        this.#leaving.quitUnasked();
      },
    });
    const { access, preferences } = this.#parts;
    this.#leaving = new Leaving({ electron, access, preferences, ...options, report });
    this.#window = new MainWindow({
      ...options,
      electron,
      connect: (to, port) => this.#connect(to, port),
      onClosing: (event) => {
        this.#leaving.onClosing(event, this.#window);
      },
      onClosed: () => {
        this.#leaving.onClosed();
      },
      onCrash: ({ reason, exitCode }) => {
        this.#parts.troubles.keep(
          'page-crash',
          `The window's process ended: ${reason}.`,
          `exit code ${String(exitCode)}`,
        );
      },
      onError: report,
    });
    this.#desktop = proceduresOf(this.#router(), this.#context);
  }

  get #context() {
    return { who: this.#options.who, host: 'electron', isOwner: true } as const;
  }

  /** Everything that must be in place before there is a window. */
  listen(): void {
    const { app, shell } = this.#electron;
    app.on('web-contents-created', (_event, contents) => {
      confine(contents, shell, this.#report);
    });
    app.on('second-instance', (_event, argv) => {
      this.#openLink(linkAmong(argv));
    });
    app.on('open-url', (event, url) => {
      event.preventDefault();
      this.#openLink(url);
    });
    app.on('activate', () => this.#window.show());
    // Without a listener the app would quit; what happens was decided when the window closed.
    app.on('window-all-closed', () => undefined);
    app.on('before-quit', (event) => {
      this.#leaving.onBeforeQuit(event, this.#window);
    });
    app.on('child-process-gone', (_event, { type, reason, exitCode }) => {
      if (reason === 'clean-exit') return;
      const message = `A helper process ended: ${type ?? 'unknown'}, ${reason}.`;
      this.#parts.troubles.keep('process-crash', message, `exit code ${String(exitCode)}`);
    });
    process.on('SIGTERM', this.#leaving.quitUnasked);
    process.on('unhandledRejection', this.#report);
    process.on('uncaughtException', this.#die);
  }

  async open(): Promise<void> {
    const { app, dialog, session } = this.#electron;
    const { argv, rendererDir } = this.#options;
    denyPermissions(session.defaultSession);
    handleAppScheme(this.#electron, rendererDir);
    try {
      await this.#parts.access.start();
    } catch (error) {
      this.#parts.troubles.keepError('main', error);
      dialog.showErrorBox(
        'KohakuRiver cannot start',
        error instanceof Error ? error.message : String(error),
      );
      app.exit(1);
      return;
    }
    this.#takeLinks();
    this.#listenToSystem();
    this.#listenToParts();
    this.#showMenus();
    this.#followCore();
    this.#parts.updates.follow(this.#parts.preferences.values.checkForUpdates);
    const link = linkAmong(argv);
    const place = this.#firstPlace ?? (link === undefined ? undefined : placeOfLink(link));
    if (place !== undefined || !argv.includes(backgroundFlag)) this.#window.show(place);
  }

  #takeLinks(): void {
    const { app } = this.#electron;
    if (app.isPackaged) app.setAsDefaultProtocolClient(linkScheme);
  }

  #listenToSystem(): void {
    const { powerMonitor } = this.#electron;
    // After sleep every link is dead, whatever it looks like.
    powerMonitor.on('resume', this.#wake);
    powerMonitor.on('unlock-screen', this.#wake);
    powerMonitor.on('shutdown', this.#leaving.quitUnasked);
  }

  #listenToParts(): void {
    const { cores, preferences, updates } = this.#parts;
    const changed = (): void => this.#changed.emit();
    preferences.onDidChange(changed);
    cores.onDidChange((what) => {
      if (what === 'current') {
        this.#followCore();
        this.#window.startAnew();
      }
      changed();
    });
    updates.onDidFind((version) => {
      this.#showMenus();
      changed();
      this.#tell({
        title: `KohakuRiver ${version} is there`,
        body: 'Install it when it suits you: Settings, This app.',
        place: ['settings'],
      });
    });
  }

  #showMenus(): void {
    const { Menu, app } = this.#electron;
    const { platform, iconDir } = this.#options;
    const { newVersion } = this.#parts.updates;
    const bar = menuBar({ platform, isPackaged: app.isPackaged, newVersion });
    Menu.setApplicationMenu(Menu.buildFromTemplate(toTemplate(bar, this.#run)));
    const electron = this.#electron;
    const run = this.#run;
    this.#tray ??= new AppTray({ electron, iconDir, platform, run, onError: this.#report });
  }

  /** Counts and ends of the core that is shown. */
  #followCore(): void {
    this.#watch?.[Symbol.dispose]();
    const watch = new CoreWatch(() => this.#parts.cores.openPort(), this.#report);
    this.#watch = watch;
    const show = (): void => {
      const { status } = watch;
      const work = status === undefined ? { running: 0, waiting: 0 } : workAtHand(status);
      const core = { name: this.#parts.cores.current.name, ...work };
      this.#tray?.show({ core, isReachable: status !== undefined });
    };
    watch.onDidChange(show);
    watch.onDidEnd((ended) => this.#tellOfEnds(ended));
    show();
  }

  #tellOfEnds(ended: readonly TaskView[]): void {
    for (const notice of noticesFor(ended, this.#parts.preferences.values.notifications))
      this.#tell(notice);
  }

  #tell(notice: { title: string; body: string; place: string[] }): void {
    const { Notification } = this.#electron;
    if (!Notification.isSupported()) return;
    const { title, body, place } = notice;
    const shown = new Notification({ title, body });
    shown.on('click', () => {
      this.#go(place);
    });
    shown.show();
  }

  readonly #run = (command: Command): void => {
    const wish = wishOf(command);
    if (wish?.do === 'go') this.#go(wish.path);
    else if (wish !== undefined) {
      this.#window.show();
      this.#parts.wishes.wish(wish);
    } else this.#order(command);
  };

  /** What the host does itself. */
  #order(command: Command): void {
    switch (command) {
      case 'quit':
        this.#electron.app.quit();
        break;
      case 'close-window':
        this.#window.close();
        break;
      case 'keep-in-background':
        this.#leaving.keepInBackground(this.#window);
        break;
      case 'install-update':
        this.#parts.updates.install().catch(this.#report);
        break;
      default:
        this.#window.show();
    }
  }

  #go(path: string[]): void {
    if (!this.#window.show(path)) this.#parts.wishes.wish({ do: 'go', path });
  }

  /** Brings the window to the front, at the place of the link where it names one. */
  #openLink(link: string | undefined): void {
    const place = link === undefined ? undefined : placeOfLink(link);
    // Before the app is up there is nothing to show yet.
    if (this.#watch === undefined) this.#firstPlace = place;
    else if (place === undefined) this.#window.show();
    else this.#go(place);
  }

  async #connect(to: PortEnd, port: WirePort): Promise<void> {
    if (to === 'core') {
      await this.#parts.cores.connect(port);
      return;
    }
    const log = hostLog((facts, message) => {
      this.#report(new Error(message, { cause: facts }));
    });
    const streams = { definitions: {}, handlers: {}, context: this.#context, log };
    serve(port, { procedures: this.#desktop, streams, log });
  }

  #router() {
    const { cores, wishes, troubles, updates } = this.#parts;
    return desktopRouter({
      cores,
      wishes,
      troubles,
      updates,
      state: () => this.#state(),
      onDidChange: this.#changed.event,
      setPreferences: (changes) => this.#setPreferences(changes),
      diagnostics: () => this.#diagnostics(),
      startDrag: (file) => {
        this.#window.startDrag(file, join(this.#options.iconDir, 'drag.png'));
      },
      keepInBackground: () => {
        this.#leaving.keepInBackground(this.#window);
      },
      quit: () => {
        this.#electron.app.quit();
      },
    });
  }

  #state(): DesktopState {
    const { cores, keychain, preferences, updates } = this.#parts;
    const { platform } = this.#options;
    return {
      platform:
        platform === 'linux' || platform === 'darwin' || platform === 'win32' ? platform : 'other',
      preferences: preferences.values,
      canUpdate: updates.canUpdate,
      newVersion: updates.newVersion,
      hasKeychain: keychain() !== undefined,
      cores: cores.list,
      current: cores.current.id,
      problem: cores.problem,
    };
  }

  #setPreferences(changes: Partial<DesktopPreferences>): DesktopPreferences {
    const { preferences, startAtLogin, updates } = this.#parts;
    if (changes.startAtLogin !== undefined) startAtLogin(changes.startAtLogin);
    const next = preferences.set(changes);
    if (changes.checkForUpdates !== undefined) updates.follow(next.checkForUpdates);
    return next;
  }

  #diagnostics(): { label: string; value: string }[] {
    const { cores, keychain } = this.#parts;
    return diagnosticsOf({
      ...this.#options,
      app: this.#electron.app,
      coreName: cores.current.name,
      status: this.#watch?.status,
      keychain:
        keychain() === undefined
          ? 'kept for this session only: the system has no keychain'
          : 'kept by the system’s keychain',
    });
  }

  readonly #wake = (): void => {
    this.#parts.access.ownCore?.wake();
    this.#parts.cores.reconnect().catch(this.#report);
    this.#watch?.hurry();
  };

  /** What went wrong where nobody waits for it: kept, logged, and the app goes on. */
  readonly #report = (error: unknown): void => {
    this.#parts.troubles.keepError('main', error);
    const log = this.#parts.access.ownCore?.log;
    if (log === undefined) process.stderr.write(`${String(error)}\n`);
    else log.error({ err: error }, 'the desktop host failed at something');
  };

  /** An exception nobody caught: nothing can be trusted any more. What was accepted is on disk. */
  readonly #die = (error: unknown): void => {
    this.#parts.troubles.keepError('main', error);
    process.stderr.write(
      `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    this.#electron.dialog.showErrorBox(
      'KohakuRiver has stopped',
      'Something went wrong inside it. Work on the nodes goes on. Start it again; Settings, This app has the details.',
    );
    this.#electron.app.exit(1);
  };
}
