import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { writeFileAtomicallySync } from '../../store/atomic-file.ts';
import type { ElectronApi } from './electron-api.ts';
import { backgroundFlag } from './names.ts';

export interface LoginItemPlaces {
  platform: NodeJS.Platform;
  env: Readonly<Record<string, string | undefined>>;
  homeDir: string;
  /** The program, and what it is started with beside the flag. */
  command: readonly string[];
}

/**
 * Has the app started in the background at login, or no longer. Electron does so on macOS and
 * Windows; on Linux it is a file in the autostart folder (freedesktop.org's Desktop Application
 * Autostart Specification). Throws what the file system throws.
 */
export function setStartAtLogin(
  app: Pick<ElectronApi['app'], 'setLoginItemSettings'>,
  isWanted: boolean,
  places: LoginItemPlaces,
): void {
  if (places.platform !== 'linux') {
    app.setLoginItemSettings({ openAtLogin: isWanted, args: [backgroundFlag] });
    return;
  }
  const file = autostartFile(places);
  if (!isWanted) {
    rmSync(file, { force: true });
    return;
  }
  mkdirSync(dirname(file), { recursive: true });
  writeFileAtomicallySync(file, autostartEntry([...places.command, backgroundFlag]));
}

export function autostartFile({ env, homeDir }: Pick<LoginItemPlaces, 'env' | 'homeDir'>): string {
  const configHome = env['XDG_CONFIG_HOME'];
  const base =
    configHome === undefined || configHome === '' ? join(homeDir, '.config') : configHome;
  return join(base, 'autostart', 'kohakuriver-desktop.desktop');
}

export function autostartEntry(command: readonly string[]): string {
  const lines = [
    '[Desktop Entry]',
    'Type=Application',
    'Name=KohakuRiver',
    `Exec=${command.map(quoted).join(' ')}`,
    'X-GNOME-Autostart-enabled=true',
  ];
  return `${lines.join('\n')}\n`;
}

/** A word of `Exec`, by the Desktop Entry Specification: in quotes, with four characters escaped, `%` doubled. */
function quoted(word: string): string {
  return `"${word
    .replace(/["`$\\]/g, '\\$&')
    .replace(/\\/g, '\\\\')
    .replaceAll('%', '%%')}"`;
}
