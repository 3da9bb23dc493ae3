import { PortInbox } from './port-inbox.ts';
import type { WireMessage, WirePort } from './port.ts';

/** What is needed of a WebSocket: the browser's and the `ws` package's both have it. */
export interface WebSocketLike {
  binaryType: string;
  readonly readyState: number;
  readonly bufferedAmount: number;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: 'open' | 'close', listener: () => void): void;
  addEventListener(type: 'error', listener: (event: { message?: string }) => void): void;
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
}

const open = 1;
const policyViolation = 1008;

/** Carries the wire over a WebSocket that is open. Text goes as text, bytes as binary messages. */
export function webSocketPort(socket: WebSocketLike): WirePort {
  const inbox = new PortInbox();
  socket.binaryType = 'arraybuffer';
  socket.addEventListener('message', ({ data }) => {
    const message = asWireMessage(data);
    if (message === undefined) socket.close(policyViolation, 'unknown kind of message');
    else inbox.deliver(message);
  });
  socket.addEventListener('close', () => {
    inbox.close();
  });
  // An error is always followed by close; without a listener `ws` would throw it.
  socket.addEventListener('error', () => {
    inbox.close();
  });
  return {
    send(message) {
      if (socket.readyState === open) socket.send(message as string | Uint8Array<ArrayBuffer>);
    },
    onMessage(listener) {
      inbox.onMessage(listener);
    },
    onClose(listener) {
      inbox.onClose(listener);
    },
    get bufferedBytes() {
      return socket.bufferedAmount;
    },
    close() {
      socket.close();
      inbox.close();
    },
  };
}

/** Waits until a WebSocket is open and makes a port of it. Rejects when it closes before. */
export function openWebSocketPort(socket: WebSocketLike): Promise<WirePort> {
  return new Promise((resolve, reject) => {
    if (socket.readyState === open) {
      resolve(webSocketPort(socket));
      return;
    }
    let reason = 'The connection was refused or closed.';
    socket.addEventListener('open', () => {
      resolve(webSocketPort(socket));
    });
    socket.addEventListener('error', (event) => {
      if (typeof event.message === 'string' && event.message !== '') reason = event.message;
    });
    socket.addEventListener('close', () => {
      reject(new Error(reason));
    });
  });
}

function asWireMessage(data: unknown): WireMessage | undefined {
  if (typeof data === 'string') return data;
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  if (ArrayBuffer.isView(data))
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return undefined;
}
