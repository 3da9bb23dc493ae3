// Entry of the desktop app (dist/main/electron-main.js). All it does is name the parts.
import { userInfo } from 'node:os';
import { join } from 'node:path';
import * as electron from 'electron';
import { createCore } from '../../core.ts';
import { chooseDataDir } from '../data-dir.ts';
import { findPlaces } from '../places.ts';
import { runElectronHost } from './host.ts';

const { root, rendererDir, version } = findPlaces(import.meta.url);

// Not awaited: Electron is ready only once this module is through, and the host waits for that.
runElectronHost(electron, {
  dataDir: chooseDataDir(undefined),
  rendererDir,
  preloadFile: join(root, 'dist', 'main', 'preload.cjs'),
  iconDir: join(root, 'resources', 'icons'),
  version,
  who: userInfo().username,
  platform: process.platform,
  argv: process.argv,
  env: process.env,
  createCore,
  now: Date.now,
}).catch((error: unknown) => {
  electron.dialog.showErrorBox('KohakuRiver cannot start', String(error));
  electron.app.exit(1);
});
