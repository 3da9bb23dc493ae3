// Every way to carry the wire, for the one suite that runs over all of them.
import { rm, mkdtemp } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import { WebSocket, WebSocketServer } from 'ws';
import { memoryPorts } from '../../src-main/contract/wire/memory-port.ts';
import { messagePort, type BrowserPortLike } from '../../src-main/contract/wire/message-port.ts';
import type { WirePort } from '../../src-main/contract/wire/port.ts';
import { openWebSocketPort, webSocketPort } from '../../src-main/contract/wire/websocket-port.ts';

export interface Pair {
  client: WirePort;
  server: WirePort;
  /** Breaks the connection without a word, as a crash or a cut would. */
  cut: () => void;
}

export interface Carrier {
  name: string;
  /** Makes a fresh connection. */
  pair: () => Promise<Pair>;
  close: () => Promise<void>;
}

export const carriers: readonly { name: string; make: () => Promise<Carrier> }[] = [
  { name: 'memory', make: memoryCarrier },
  { name: 'MessageChannel', make: messageChannelCarrier },
  { name: 'WebSocket over TCP', make: () => webSocketCarrier('tcp') },
  { name: 'WebSocket over a Unix socket', make: () => webSocketCarrier('unix') },
];

function memoryCarrier(): Promise<Carrier> {
  return Promise.resolve({
    name: 'memory',
    pair: () => {
      const [client, server] = memoryPorts();
      return Promise.resolve({
        client,
        server,
        cut: () => {
          server.close();
        },
      });
    },
    close: () => Promise.resolve(),
  });
}

function messageChannelCarrier(): Promise<Carrier> {
  return Promise.resolve({
    name: 'MessageChannel',
    pair: () => {
      const { port1, port2 } = new MessageChannel();
      return Promise.resolve({
        client: messagePort(port1 as unknown as BrowserPortLike),
        server: messagePort(port2 as unknown as BrowserPortLike),
        cut: () => {
          port2.close();
        },
      });
    },
    close: () => Promise.resolve(),
  });
}

async function webSocketCarrier(kind: 'tcp' | 'unix'): Promise<Carrier> {
  const dir = await mkdtemp(join(tmpdir(), 'wire-'));
  const socketPath = join(dir, 'core.sock');
  const http = createServer();
  const server = new WebSocketServer({ server: http, perMessageDeflate: false });
  await listen(http, kind === 'unix' ? socketPath : undefined);
  const url =
    kind === 'unix'
      ? `ws+unix:${socketPath}:/wire`
      : `ws://127.0.0.1:${String((http.address() as AddressInfo).port)}/wire`;
  return {
    name: kind,
    pair: async () => {
      const accepted = new Promise<WebSocket>((resolve) => {
        server.once('connection', resolve);
      });
      const client = openWebSocketPort(new WebSocket(url));
      const socket = await accepted;
      const port = webSocketPort(socket);
      return {
        client: await client,
        server: port,
        cut: () => {
          socket.terminate();
        },
      };
    },
    close: async () => {
      for (const socket of server.clients) socket.terminate();
      server.close();
      await new Promise((resolve) => {
        http.close(resolve);
      });
      await rm(dir, { recursive: true });
    },
  };
}

function listen(server: Server, path: string | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (path === undefined) server.listen(0, '127.0.0.1', resolve);
    else server.listen(path, resolve);
  });
}
