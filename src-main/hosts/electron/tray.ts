import { join } from 'node:path';
import type { Command } from './commands.ts';
import type { ElectronApi, SystemTray } from './electron-api.ts';
import { toTemplate, trayMenu, trayWords, type TrayFacts } from './menu.ts';

export interface TrayOptions {
  electron: Pick<ElectronApi, 'Menu' | 'Tray'>;
  iconDir: string;
  platform: NodeJS.Platform;
  run: (command: Command) => void;
  onError: (error: unknown) => void;
}

/** The icon beside the clock: what runs and waits, and quick orders. A desktop without such a place has none. */
export class AppTray implements Disposable {
  readonly #options: TrayOptions;
  /** Must be held: an icon whose object is collected disappears. */
  readonly #tray: SystemTray | undefined;
  #words = '';

  constructor(options: TrayOptions) {
    this.#options = options;
    try {
      this.#tray = new options.electron.Tray(join(options.iconDir, trayIcon(options.platform)));
      this.#tray.on('click', () => {
        options.run('show');
      });
    } catch (error) {
      options.onError(error);
    }
  }

  show(facts: TrayFacts): void {
    const words = trayWords(facts);
    // Menus flicker when they are replaced: only for news.
    if (this.#tray === undefined || words === this.#words) return;
    this.#words = words;
    const { electron, run } = this.#options;
    this.#tray.setToolTip(`KohakuRiver\n${words}`);
    this.#tray.setContextMenu(electron.Menu.buildFromTemplate(toTemplate(trayMenu(facts), run)));
  }

  [Symbol.dispose](): void {
    this.#tray?.destroy();
  }
}

/** macOS colours a `Template` image for its menu bar; Windows wants an `.ico`. */
export function trayIcon(platform: NodeJS.Platform): string {
  if (platform === 'darwin') return 'trayTemplate.png';
  return platform === 'win32' ? 'tray.ico' : 'tray.png';
}
