// The parts of the desktop host, constructed by hand: what is not Electron's and not the window's.
import { randomUUID } from 'node:crypto';
import { homedir } from 'node:os';
import { realLinks } from '../../core-links.ts';
import { systemClock as clock, systemTimers as timers } from '../../link/system-timers.ts';
import type { Logger } from '../../services/logger.ts';
import { dataPaths } from '../../store/data-dir.ts';
import { CoreAccess } from './core-access.ts';
import { Cores } from './cores.ts';
import { CoresFile } from './cores-file.ts';
import type { ElectronApi } from './electron-api.ts';
import type { ElectronHostOptions } from './host.ts';
import { systemKeychain } from './keychain.ts';
import { setStartAtLogin } from './login-item.ts';
import { Preferences } from './preferences.ts';
import { Troubles } from './troubles.ts';
import { hasUpdatePlace, loadUpdater, Updates } from './updates.ts';
import { Wishes } from './wishes.ts';

export interface HostHooks {
  report: (error: unknown) => void;
  log: Logger;
  /** A client asked our core to stop. */
  onStopRequested: () => void;
}

export function makeParts(
  electron: ElectronApi,
  options: ElectronHostOptions,
  { report, log, onStopRequested }: HostHooks,
) {
  const { dataDir, platform, version, now } = options;
  const keychain = () => systemKeychain(electron, platform);
  const troubles = new Troubles({ dataDir, version, now });
  const access = new CoreAccess({ ...options, keychain, onStopRequested });
  const { knownHosts: knownHostsFile } = dataPaths(dataDir);
  const file = new CoresFile(dataDir, keychain);
  const links = () => realLinks({ clock, timers, log, knownHostsFile });
  const cores = new Cores({ access, file, links, newId: randomUUID });
  const canUpdate = electron.app.isPackaged && hasUpdatePlace(process.resourcesPath);
  const updates = new Updates({ canUpdate, load: loadUpdater, timers, onError: report });
  return {
    access,
    cores,
    keychain,
    preferences: new Preferences(dataDir),
    troubles,
    updates,
    wishes: new Wishes(),
    startAtLogin: (isWanted: boolean) => {
      const { env, argv } = options;
      const script = electron.app.isPackaged ? [] : argv.slice(1, 2);
      // An AppImage is mounted anew at each start; its own file is what stays.
      const program = env['APPIMAGE'] ?? process.execPath;
      const command = [program, ...script];
      setStartAtLogin(electron.app, isWanted, { platform, env, homeDir: homedir(), command });
    },
  };
}

export type HostParts = ReturnType<typeof makeParts>;
