import { spawn, type ChildProcess } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../contract/errors.ts';
import type { WirePort } from '../../contract/wire/port.ts';
import { makeDataDir } from '../../store/data-dir.ts';
import { attachToLocalCore } from '../server/attach.ts';
import { NoCoreError } from './errors.ts';
import { sleep } from './sleep.ts';

/** What a background core says goes here, in the data directory; begun anew with each core. */
export const backgroundLogName = 'background.log';

/** A core has this long to answer: its database may have to be brought up to date. */
const startPatienceMs = 30_000;
/** Another command may have started the core that made ours end. */
const patienceAfterExitMs = 3_000;
const retryEveryMs = 50;

/**
 * Starts a core in the background, which outlives this command, and connects to it. Throws
 * NoCoreError with what the core said when it does not come up.
 */
export async function spawnCore(dataDir: string): Promise<WirePort> {
  await makeDataDir(dataDir);
  const logFile = join(dataDir, backgroundLogName);
  const child = await startDetached(dataDir, logFile);
  let patienceMs = startPatienceMs;
  let waitedMs = 0;
  const onEnd = (): void => {
    patienceMs = Math.min(patienceMs, waitedMs + patienceAfterExitMs);
  };
  child.once('error', onEnd);
  child.once('exit', onEnd);
  let lastFailure: unknown;
  for (; waitedMs < patienceMs; waitedMs += retryEveryMs) {
    await sleep(retryEveryMs);
    try {
      const port = await attachToLocalCore(dataDir);
      child.unref();
      return port;
    } catch (error) {
      if (!(error instanceof AppError && error.code === 'core/unavailable')) throw error;
      lastFailure = error;
    }
  }
  child.unref();
  throw new NoCoreError(await whyNot(logFile), lastFailure);
}

async function startDetached(dataDir: string, logFile: string): Promise<ChildProcess> {
  const script = process.argv[1];
  if (script === undefined) throw new NoCoreError('A background core cannot be started from here.');
  const log = await open(logFile, 'w', 0o600);
  try {
    return spawn(
      process.execPath,
      [...process.execArgv, script, 'serve', '--port', '0', '--data-dir', dataDir],
      // Its output would hold the link that signs a browser in: that does not belong into a file.
      { detached: true, stdio: ['ignore', 'ignore', log.fd], cwd: dataDir, windowsHide: true },
    );
  } finally {
    await log.close();
  }
}

async function whyNot(logFile: string): Promise<string> {
  const said = (await readFile(logFile, 'utf8')).trim().split('\n').slice(-5).join('\n');
  return said === ''
    ? `The core in the background did not come up in time. Try "kohakuriver serve" to see why.`
    : `The core in the background did not come up. It said (${logFile}):\n${said}`;
}
