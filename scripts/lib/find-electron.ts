import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const packageDir = join(root, 'node_modules', 'electron');

export type FoundElectron = { binary: string } | { reason: string };

export interface Surroundings {
  platform: NodeJS.Platform;
  env: Readonly<Record<string, string | undefined>>;
  /** Numeric user; undefined on Windows. */
  uid: number | undefined;
}

/**
 * Electron's binary, fetched within the time limit if it is not there; or why there is none. The
 * package itself is never loaded: doing so in plain Node tries a download without any limit.
 */
export async function findElectron(around: Surroundings, limitMs: number): Promise<FoundElectron> {
  const obstacle = whyNotElectron(around);
  if (obstacle !== undefined) return { reason: obstacle };
  const installed = installedBinary(around.env);
  if (installed !== undefined) return { binary: installed };
  if (!existsSync(join(packageDir, 'install.js'))) return { reason: 'it is not installed' };
  process.stderr.write('Fetching Electron…\n');
  const outcome = await fetchBinary(limitMs);
  const fetched = installedBinary(around.env);
  return fetched === undefined ? { reason: outcome } : { binary: fetched };
}

/** What speaks against Electron before looking for it; undefined when nothing does. */
export function whyNotElectron({ platform, env, uid }: Surroundings): string | undefined {
  if ((env['KOHAKURIVER_NO_ELECTRON'] ?? '') !== '') return 'KOHAKURIVER_NO_ELECTRON is set';
  if (platform !== 'linux') return undefined;
  if ((env['DISPLAY'] ?? '') === '' && (env['WAYLAND_DISPLAY'] ?? '') === '')
    return 'there is no display';
  if (uid === 0)
    return 'its sandbox does not work for root, and without it a page could do anything; start it as another user';
  return undefined;
}

function installedBinary(env: Surroundings['env']): string | undefined {
  const pathFile = join(packageDir, 'path.txt');
  const name = existsSync(pathFile) ? readFileSync(pathFile, 'utf8') : undefined;
  const override = env['ELECTRON_OVERRIDE_DIST_PATH'];
  if (override !== undefined && override !== '')
    return existing(join(override, name ?? 'electron'));
  return name === undefined ? undefined : existing(join(packageDir, 'dist', name));
}

function existing(path: string): string | undefined {
  return existsSync(path) ? path : undefined;
}

/** Runs the package's own installer. Answers why there is still nothing, should that be so. */
function fetchBinary(limitMs: number): Promise<string> {
  return new Promise((resolve) => {
    const installer = spawn(process.execPath, [join(packageDir, 'install.js')], {
      stdio: 'ignore',
    });
    const timer = setTimeout(() => {
      installer.kill('SIGKILL');
      resolve(`its binary could not be downloaded within ${String(limitMs / 1000)} s`);
    }, limitMs);
    installer.once('error', () => {
      clearTimeout(timer);
      resolve('its installer could not be run');
    });
    installer.once('exit', () => {
      clearTimeout(timer);
      resolve('its binary could not be downloaded');
    });
  });
}
