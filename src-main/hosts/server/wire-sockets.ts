import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Core } from '../../api/core-door.ts';
import type { WireContext } from '../../api/context.ts';
import { serveWire } from '../../api/wire/serve-wire.ts';
import { webSocketPort } from '../../contract/wire/websocket-port.ts';
import { refusals } from './refusals.ts';
import type { Verdict } from './gate.ts';

/** Four bytes for each UTF-16 unit is the most a text message of the wire can take. */
const maxPayloadBytes = 128 * 1024 * 1024;
/** A client that does not answer for this long is gone (a laptop asleep, a cut link). */
const heartbeatMs = 30_000;

export interface WireSocketsOptions {
  core: Pick<Core, 'router' | 'streams' | 'log'>;
  context: WireContext;
  judge: (request: IncomingMessage) => Verdict;
}

export interface WireSockets {
  readonly clientCount: number;
  /** Says goodbye to every client and takes no more. */
  close(): void;
}

/** Serves the wire at `/wire` of an HTTP server, to whom the judge allows. */
export function serveWireSockets(server: Server, options: WireSocketsOptions): WireSockets {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: maxPayloadBytes,
    perMessageDeflate: false,
  });
  const served = new Set<Disposable>();
  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const refusal = refusalOf(request, options.judge);
    if (refusal !== undefined) {
      refuse(socket, refusal);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      serveOne(webSocket, { ...options, served });
    });
  };
  server.on('upgrade', onUpgrade);
  const heartbeat = setInterval(() => {
    for (const client of sockets.clients) checkPulse(client);
  }, heartbeatMs);
  heartbeat.unref();
  return {
    get clientCount() {
      return sockets.clients.size;
    },
    close() {
      clearInterval(heartbeat);
      server.off('upgrade', onUpgrade);
      for (const connection of [...served]) connection[Symbol.dispose]();
      sockets.close();
    },
  };
}

function serveOne(
  webSocket: WebSocket,
  options: WireSocketsOptions & { served: Set<Disposable> },
): void {
  const { core, context, served } = options;
  const { router, streams, log } = core;
  const connection = serveWire(webSocketPort(webSocket), {
    router,
    streams,
    context,
    log,
  });
  served.add(connection);
  webSocket.on('close', () => served.delete(connection));
  webSocket.on('pong', () => silent.delete(webSocket));
}

/** Clients that have not answered the last ping yet. */
const silent = new WeakSet<WebSocket>();

function checkPulse(client: WebSocket): void {
  if (silent.has(client)) {
    client.terminate();
    return;
  }
  silent.add(client);
  client.ping();
}

interface HttpRefusal {
  status: number;
  text: string;
}

function refusalOf(
  request: IncomingMessage,
  judge: (request: IncomingMessage) => Verdict,
): HttpRefusal | undefined {
  const path = (request.url ?? '').split('?', 1)[0];
  if (path !== '/wire')
    return { status: 404, text: 'There is nothing here; the wire is at /wire.' };
  const verdict = judge(request);
  return verdict === 'allowed' ? undefined : refusals[verdict];
}

function refuse(socket: Duplex, { status, text }: HttpRefusal): void {
  socket.on('error', () => {
    socket.destroy();
  });
  socket.end(
    `HTTP/1.1 ${String(status)} Refused\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n` +
      `Content-Length: ${String(Buffer.byteLength(text))}\r\n\r\n${text}`,
  );
}
