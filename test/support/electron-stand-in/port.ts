import { EventEmitter } from 'node:events';

type FromPage =
  | { kind: 'ipc'; channel: string; args: unknown[] }
  | { kind: 'port'; id: string; data: Encoded }
  | { kind: 'close'; id: string };
export type { FromPage };
export type Encoded = { text: string } | { base64: string } | { nothing: true };

let lastId = 0;

/** One end of a MessageChannelMain. Messages are cloned; before `start` they wait. */
export class StandInPort extends EventEmitter {
  readonly id = String((lastId += 1));
  peer: StandInPort | undefined;
  /** Set when this end was handed to a page. */
  toPage: ((message: object) => void) | undefined;
  #waiting: unknown[] | undefined = [];
  #isClosed = false;

  postMessage(message: unknown): void {
    const { peer } = this;
    if (this.#isClosed || peer === undefined) return;
    if (peer.toPage === undefined) peer.deliver(structuredClone(message));
    else peer.toPage({ kind: 'port', id: peer.id, data: encode(message) });
  }

  deliver(data: unknown): void {
    if (this.#waiting === undefined) setImmediate(() => this.emit('message', { data, ports: [] }));
    else this.#waiting.push(data);
  }

  start(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const data of waiting) this.deliver(data);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const { peer } = this;
    setImmediate(() => this.emit('close'));
    if (peer?.toPage === undefined) peer?.close();
    else peer.toPage({ kind: 'close', id: peer.id });
  }

  /** The page's end is gone. */
  lost(): void {
    this.toPage = undefined;
    this.peer?.close();
  }
}

function encode(message: unknown): Encoded {
  if (message === null) return { nothing: true };
  if (typeof message === 'string') return { text: message };
  return { base64: Buffer.from(message as Uint8Array).toString('base64') };
}

export function decode(data: Encoded): unknown {
  if ('text' in data) return data.text;
  return 'nothing' in data ? null : Uint8Array.from(Buffer.from(data.base64, 'base64'));
}
