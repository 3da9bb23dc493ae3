// Entry of the desktop app (dist/main/electron-main.js). All it does is name the parts.
import { userInfo } from 'node:os';
import { join } from 'node:path';
import * as electron from 'electron';
import { createCore } from '../../core.ts';
import { chooseDataDir } from '../data-dir.ts';
import { findPlaces } from '../places.ts';
import { runElectronHost } from './host.ts';

const { root, rendererDir, version } = findPlaces(import.meta.url);

await runElectronHost(electron, {
  dataDir: chooseDataDir(undefined),
  rendererDir,
  preloadFile: join(root, 'dist', 'main', 'preload.cjs'),
  version,
  who: userInfo().username,
  createCore,
  now: Date.now,
});
