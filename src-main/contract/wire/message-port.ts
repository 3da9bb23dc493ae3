import { PortInbox } from './port-inbox.ts';
import type { WireMessage, WirePort } from './port.ts';

/** A MessagePort of a browser, a worker or Node. */
export interface BrowserPortLike {
  postMessage(message: unknown): void;
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
  addEventListener(type: 'close', listener: () => void): void;
  start(): void;
  close(): void;
}

/** Electron's MessagePortMain. */
export interface MainPortLike {
  postMessage(message: unknown): void;
  on(event: 'message', listener: (event: { data: unknown }) => void): unknown;
  on(event: 'close', listener: () => void): unknown;
  start(): void;
  close(): void;
}

/** Said before closing: not every MessagePort tells its far side that it is gone. */
const farewell = null;

/** Carries the wire over a MessagePort. A MessagePort cannot tell how much it holds: credit does. */
export function messagePort(port: BrowserPortLike | MainPortLike): WirePort {
  const inbox = new PortInbox();
  const onMessage = ({ data }: { data: unknown }): void => {
    const message = asWireMessage(data);
    if (message === undefined) close();
    else inbox.deliver(message);
  };
  const onClose = (): void => {
    inbox.close();
  };
  const close = (): void => {
    if (inbox.isClosed) return;
    port.postMessage(farewell);
    port.close();
    inbox.close();
  };
  if ('addEventListener' in port) {
    port.addEventListener('message', onMessage);
    port.addEventListener('close', onClose);
  } else {
    port.on('message', onMessage);
    port.on('close', onClose);
  }
  port.start();
  return {
    send(message) {
      if (!inbox.isClosed) port.postMessage(message);
    },
    onMessage(listener) {
      inbox.onMessage(listener);
    },
    onClose(listener) {
      inbox.onClose(listener);
    },
    bufferedBytes: 0,
    close,
  };
}

function asWireMessage(data: unknown): WireMessage | undefined {
  if (typeof data === 'string') return data;
  if (!ArrayBuffer.isView(data)) return undefined;
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
