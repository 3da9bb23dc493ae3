// A core in a process of its own, as `kohakuriver serve` runs it: it can be killed without warning.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createClient } from '../../src-main/contract/client.ts';
import { attachToLocalCore } from '../../src-main/hosts/server/attach.ts';
import { builtCli, ensureBuilt } from './built.ts';
import { coreClient, type CoreClient } from './core-client.ts';

export interface CoreProcess extends CoreClient {
  readonly pid: number;
  readonly url: string;
  readonly token: string;
  /** SIGKILL: no goodbye, nothing flushed. */
  kill(): Promise<void>;
  /** SIGTERM: a clean stop. */
  stop(): Promise<void>;
}

/** A data directory of its own for a core that is started more than once. */
export async function temporaryDataDir(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'kohakuriver-core-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** Starts `serve` on a data directory, on any port unless told, and connects by its local socket. */
export async function startCoreProcess(
  dataDir: string,
  env: Record<string, string> = {},
  port = 0,
): Promise<CoreProcess> {
  await ensureBuilt();
  const args = [builtCli, '--json', '--data-dir', dataDir, 'serve', '--port', String(port)];
  const child = spawn(process.execPath, args, {
    // Processes on this computer live under the home directory: not the one of whoever runs the tests.
    env: { ...process.env, HOME: dataDir, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const errors: string[] = [];
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk.toString()));
  const address = await firstLine(child, errors);
  const client = createClient(await attachToLocalCore(dataDir));
  let isEnding = false;
  child.once('exit', (code, signal) => {
    if (isEnding) return;
    const last = errors.join('').slice(-4000);
    process.stderr.write(
      `The core ended by itself (${String(code ?? signal)}). It said:\n${last}\n`,
    );
  });
  const end = async (signal: NodeJS.Signals) => {
    isEnding = true;
    client.close();
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  };
  return {
    ...coreClient(client),
    ...address,
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
  };
}

async function firstLine(
  child: ChildProcess,
  errors: string[],
): Promise<{ pid: number; url: string; token: string }> {
  const lines = createInterface({ input: child.stdout! });
  const exited = once(child, 'exit').then(() => {
    throw new Error(`the core did not start: ${errors.join('')}`);
  });
  const [line] = (await Promise.race([once(lines, 'line'), exited])) as [string];
  exited.catch(() => undefined);
  return JSON.parse(line) as { pid: number; url: string; token: string };
}
