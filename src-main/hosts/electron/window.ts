import type { AppWindow, ElectronApi, PageContents, SessionApi } from './electron-api.ts';
import { appOrigin } from './names.ts';
import { readWindowState, writeWindowState } from './window-state.ts';

export interface WindowOptions {
  electron: Pick<ElectronApi, 'BrowserWindow' | 'screen'>;
  dataDir: string;
  preloadFile: string;
  /** Where in the app it opens, such as `#/tasks/123`; empty for its first page. */
  place: string;
  onError: (error: unknown) => void;
}

/** Opens the app's window as it was left. Shown when it has something to show. */
export function openWindow(options: WindowOptions): AppWindow {
  const { electron, dataDir, preloadFile, place, onError } = options;
  const screens = electron.screen.getAllDisplays().map(({ workArea }) => workArea);
  const state = readWindowState(dataDir, screens);
  const window = new electron.BrowserWindow({
    ...(state?.bounds ?? { width: 1360, height: 860 }),
    minWidth: 720,
    minHeight: 480,
    show: false,
    title: 'KohakuRiver',
    webPreferences: {
      preload: preloadFile,
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      allowRunningInsecureContent: false,
      experimentalFeatures: false,
      webviewTag: false,
      navigateOnDragDrop: false,
      spellcheck: false,
    },
  });
  if (state?.isMaximized === true) window.maximize();
  window.once('ready-to-show', () => {
    window.show();
  });
  window.on('close', () => {
    const left = { bounds: window.getNormalBounds(), isMaximized: window.isMaximized() };
    writeWindowState(dataDir, left).catch(onError);
  });
  window.loadURL(pageUrl(place)).catch(onError);
  return window;
}

export function pageUrl(place: string): string {
  return `${appOrigin}/index.html${place}`;
}

/**
 * What no page of ours may do: leave the app, open windows, embed others, ask for devices. Links to
 * the web open in the user's browser. To be called for every web contents there is.
 */
export function confine(
  contents: PageContents,
  shell: ElectronApi['shell'],
  onError: (error: unknown) => void,
): void {
  contents.on('will-navigate', (event) => {
    event.preventDefault();
  });
  contents.on('will-frame-navigate', (event) => {
    event.preventDefault();
  });
  contents.on('will-redirect', (event) => {
    event.preventDefault();
  });
  contents.on('will-attach-webview', (event) => {
    event.preventDefault();
  });
  contents.setWindowOpenHandler(({ url }) => {
    if (mayLeave(url)) shell.openExternal(url).catch(onError);
    return { action: 'deny' };
  });
}

const loopback = new Set(['127.0.0.1', 'localhost', '[::1]']);

/** Whether a link of the page may be handed to the system: the web, what is forwarded to this computer, VS Code on one of our hosts. */
export function mayLeave(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname, pathname } = new URL(url);
  if (protocol === 'vscode:') {
    return hostname === 'vscode-remote' && /^\/ssh-remote\+kr-[\w.-]+\//.test(pathname);
  }
  return protocol === 'https:' || (protocol === 'http:' && loopback.has(hostname));
}

/** Denies every permission but writing plain text to the clipboard, which copy buttons need. */
export function denyPermissions(session: SessionApi): void {
  const allowed = 'clipboard-sanitized-write';
  session.setPermissionRequestHandler((_contents, permission, answer) => {
    answer(permission === allowed);
  });
  session.setPermissionCheckHandler((_contents, permission) => permission === allowed);
  session.setDevicePermissionHandler(() => false);
}
