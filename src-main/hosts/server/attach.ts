import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { WebSocket } from 'ws';
import type { WirePort } from '../../contract/wire/port.ts';
import { unavailable } from '../../contract/wire/protocol-error.ts';
import { openWebSocketPort } from '../../contract/wire/websocket-port.ts';
import { readCoreFile } from '../core-file.ts';
import { signInPath } from './local-socket.ts';

// To import it would read everything it offers, Node's fetch among it: a tenth of a command's whole start.
const { request } = process.getBuiltinModule('node:http');

/** Connects to the core that runs for a data directory, over its local socket. Throws `core/unavailable`. */
export async function attachToLocalCore(dataDir: string): Promise<WirePort> {
  const address = await readCoreFile(dataDir);
  if (address === undefined) throw unavailable(`No core is running for ${dataDir}.`);
  try {
    return await openLocalSocket(address.socket);
  } catch (error) {
    throw unavailable(
      `The core for ${dataDir} (process ${String(address.pid)}) does not answer; it has probably ended.`,
      error,
    );
  }
}

/** A URL that signs a browser in to the core that runs for a data directory; undefined if it serves no page. */
export async function askForSignInUrl(dataDir: string): Promise<string | undefined> {
  const address = await readCoreFile(dataDir);
  if (address?.url == null) return undefined;
  return new Promise((resolve, reject) => {
    const asking = request({ socketPath: address.socket, path: signInPath }, (response) => {
      text(response).then((url) => {
        resolve(response.statusCode === 200 ? url : undefined);
      }, reject);
    });
    asking.once('error', reject);
    asking.end();
  });
}

/** Opens the wire over a local socket. Rejects when nobody listens there. */
export function openLocalSocket(path: string): Promise<WirePort> {
  return open(
    new WebSocket(`ws+unix:${path}:/wire`, { perMessageDeflate: false, handshakeTimeout: 10_000 }),
  );
}

/** Opens the wire over a stream that leads to a core's local socket, such as a channel of SSH. */
export function openWireOver(stream: Duplex): Promise<WirePort> {
  return open(
    new WebSocket('ws://core/wire', {
      createConnection: () => asSocket(stream),
      perMessageDeflate: false,
      handshakeTimeout: 20_000,
    }),
  );
}

/** Node's HTTP client sets what only a TCP socket has; on a channel these settings mean nothing. */
function asSocket(stream: Duplex): Socket {
  const nothing = (): Duplex => stream;
  const settings = { setTimeout: nothing, setNoDelay: nothing, setKeepAlive: nothing };
  return Object.assign(stream, settings, { ref: nothing, unref: nothing }) as unknown as Socket;
}

/** Opens the wire to a core served elsewhere, e.g. `http://box:8000` with its access token. */
export async function attachToUrl(url: string, token: string): Promise<WirePort> {
  const target = new URL('/wire', url);
  target.protocol = target.protocol === 'https:' ? 'wss:' : 'ws:';
  const headers = { authorization: `Bearer ${token}` };
  try {
    return await open(
      new WebSocket(target, { headers, perMessageDeflate: false, handshakeTimeout: 20_000 }),
    );
  } catch (error) {
    throw unavailable(
      `The core at ${new URL(url).origin} cannot be reached: ${error instanceof Error ? error.message : 'no answer'}.`,
      error,
    );
  }
}

function open(socket: WebSocket): Promise<WirePort> {
  return openWebSocketPort(socket);
}
