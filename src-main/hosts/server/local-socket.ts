// The local socket: how the command line and a second window reach a running core. Whoever may open
// the file is the owner; no token is needed.
import { createHash } from 'node:crypto';
import { chmod, lstat, mkdir, rm } from 'node:fs/promises';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Core } from '../../api/core-door.ts';
import { ServerError } from './errors.ts';
import { serveWireSockets } from './wire-sockets.ts';

// To import it would read everything it offers, Node's fetch among it: a tenth of a command's whole start.
const { createServer } = process.getBuiltinModule('node:http');

/** The smallest `sun_path` there is (macOS: 104, Linux: 108), the ending NUL included. */
const longestPathBytes = 103;

/** Where the socket answers with a sign-in link. */
export const signInPath = '/sign-in-url';

export interface LocalSocketOptions {
  core: Pick<Core, 'router' | 'streams' | 'log'>;
  /** This process owns its lock, so that a socket left there is nobody's. */
  dataDir: string;
  who: string;
  /** Makes a URL that signs one browser in, where a web interface is served. */
  newSignInUrl?: () => string;
}

export interface LocalSocket {
  readonly path: string;
  stop(): Promise<void>;
}

/** Serves the wire on the data directory's socket. Throws `ServerError` when it cannot be made. */
export async function startLocalSocket(options: LocalSocketOptions): Promise<LocalSocket> {
  const path = localSocketPath(options.dataDir, process);
  const server = createServer((request, response) => {
    answer(request, response, options.newSignInUrl);
  });
  try {
    if (process.platform !== 'win32') await makeRoom(path);
    await listen(server, path);
    if (process.platform !== 'win32') await chmod(path, 0o600);
  } catch (error) {
    server.close();
    throw new ServerError(
      'core/unavailable',
      `The local socket ${path} cannot be made; the command line could not reach this core. Check who owns its folder.`,
      { cause: error, retry: 'after-user-action' },
    );
  }
  const wire = serveWireSockets(server, {
    core: options.core,
    context: { who: options.who, host: 'cli', isOwner: true },
    // No web page has business here.
    judge: (request) => (request.headers.origin === undefined ? 'allowed' : 'wrong-origin'),
  });
  return {
    path,
    async stop() {
      wire.close();
      const closed = new Promise((resolve) => {
        server.close(resolve);
      });
      server.closeAllConnections();
      await closed;
    },
  };
}

/** The owner may ask for a link that signs a browser in; all else goes over the wire. */
function answer(
  request: IncomingMessage,
  response: ServerResponse,
  newSignInUrl: (() => string) | undefined,
): void {
  const isAsked = request.method === 'GET' && request.url === signInPath;
  const mayAsk = request.headers.origin === undefined;
  if (isAsked && mayAsk && newSignInUrl !== undefined) response.end(newSignInUrl());
  else response.writeHead(404).end('There is nothing here; the wire is at /wire.');
}

/** Where a data directory's socket is: in it, or in a short place where its path would be too long. */
export function localSocketPath(
  dataDir: string,
  around: { platform: NodeJS.Platform; env: Readonly<Record<string, string | undefined>> },
): string {
  const digest = createHash('sha256').update(dataDir).digest('hex').slice(0, 16);
  if (around.platform === 'win32') return `\\\\.\\pipe\\kohakuriver-${digest}`;
  const inside = join(dataDir, 'core.sock');
  if (Buffer.byteLength(inside) <= longestPathBytes) return inside;
  const runtimeDir = around.env['XDG_RUNTIME_DIR'];
  const user = String(process.getuid?.() ?? 0);
  const base =
    runtimeDir !== undefined && runtimeDir !== ''
      ? join(runtimeDir, 'kohakuriver')
      : join(tmpdir(), `kohakuriver-${user}`);
  const short = join(base, `${digest}.sock`);
  return Buffer.byteLength(short) <= longestPathBytes
    ? short
    : join('/tmp', `kohakuriver-${user}`, `${digest}.sock`);
}

/** Makes the folder, ours alone, and removes a dead core's socket. */
async function makeRoom(path: string): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const found = await lstat(folder);
  // In /tmp anybody could have made it first.
  if (!found.isDirectory() || (found.mode & 0o077) !== 0 || found.uid !== process.getuid?.()) {
    throw new Error(`${folder} is not a folder that only this user can enter.`);
  }
  await rm(path, { force: true });
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      // One connection could not be taken (no more file descriptors): the next may be.
      server.on('error', () => undefined);
      resolve();
    });
  });
}
