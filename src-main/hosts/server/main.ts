import { createServer } from 'node:net';
import { userInfo } from 'node:os';
import type { Core, CreateCore } from '../../api/core-door.ts';
import { ownCommand } from '../own-command.ts';
import { exposeCollector } from './expose-collector.ts';
import { openBrowser } from './open-browser.ts';
import { startServer, type RunningServer } from './start-server.ts';

export interface ServeOptions {
  dataDir: string;
  /** As given on the command line; without them the settings say. */
  host?: string | undefined;
  port?: number | undefined;
  /** Take any port where the one of the settings is taken, unless one was given. */
  anyPortIfTaken?: boolean;
  rendererDir: string;
  version: string;
  createCore: CreateCore;
  /** Print one JSON document instead of words. */
  json: boolean;
  /** Open the user's browser when ready. */
  open: boolean;
  token?: string | undefined;
  /** Aborting stops the server and the core; work on nodes goes on. */
  signal: AbortSignal;
  /** Where the address is printed: standard output. */
  print: (text: string) => void;
}

/**
 * `kohakuriver serve`: runs a core with its page until the signal is aborted or a client asks it to
 * stop. Resolves when all is closed; throws `store/locked` when another core owns the data directory.
 */
export async function runServe(options: ServeOptions): Promise<void> {
  const { createCore, dataDir, version, signal } = options;
  exposeCollector();
  const flags = given({ 'server.host': options.host, 'server.port': options.port });
  const core = await createCore({
    dataDir,
    host: 'server',
    version,
    flags,
    command: ownCommand(dataDir),
  });
  try {
    const host = core.setting('server.host');
    const usual = core.setting('server.port');
    const mayMove = options.anyPortIfTaken === true && options.port === undefined;
    const port = mayMove && !(await isFree(usual, host)) ? 0 : usual;
    const who = userInfo().username;
    const server = await startServer({ ...options, host, port, core, who, now: Date.now });
    try {
      await announce(server, options);
      await ended(core, signal);
      core.log.info({ dataDir }, 'the core stops; work on nodes goes on');
    } finally {
      await server.stop();
    }
  } finally {
    await core.stop();
  }
}

function given(flags: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined));
}

function isFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => {
      resolve(false);
    });
    probe.listen(port, host, () => {
      probe.close(() => {
        resolve(true);
      });
    });
  });
}

async function announce(server: RunningServer, options: ServeOptions): Promise<void> {
  const { url, token } = server;
  if (options.json) {
    options.print(
      `${JSON.stringify({ url, token, pid: process.pid, dataDir: options.dataDir })}\n`,
    );
  } else {
    options.print(
      `KohakuRiver is ready. Open this in a browser (the link works once):\n  ${server.newSignInUrl()}\n`,
    );
  }
  if (options.open && !(await openBrowser(server.newSignInUrl())) && !options.json) {
    options.print('No browser could be opened here; use the link above.\n');
  }
}

function ended(core: Core, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const listening = core.onDidRequestStop(done);
    function done(): void {
      listening[Symbol.dispose]();
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}
