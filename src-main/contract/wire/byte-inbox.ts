import { streamWindowBytes } from './limits.ts';
import { protocolError } from './protocol-error.ts';

/** Bytes of a stream with the right to give their credit back, once they have really been consumed. */
export interface Chunk {
  readonly bytes: Uint8Array;
  /** Lets the far side send as many bytes again. More than once does nothing. */
  release(): void;
}

/** A byte stream from the far side. It can be read once, in one of two ways; leaving the loop cancels it. */
export interface ByteReader extends AsyncIterable<Uint8Array> {
  /** Credit goes back when the next chunk is asked for. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined>;
  /** Credit goes back when a chunk is released; for readers that consume in their own time. */
  chunks(): AsyncIterable<Chunk>;
}

type Ending = { error: unknown } | 'ended';

/**
 * The receiving half of a byte stream: holds what has arrived and is not consumed yet, never more
 * than the window, and says how much credit may go back.
 */
export class ByteInbox implements ByteReader {
  readonly #returnCredit: (bytes: number) => void;
  readonly #onLeave: () => void;
  readonly #queue: Uint8Array[] = [];
  #granted = streamWindowBytes;
  #consumed = 0;
  #ending: Ending | undefined;
  #wake: (() => void) | undefined;
  #taken = false;

  constructor(options: { returnCredit: (bytes: number) => void; onLeave: () => void }) {
    this.#returnCredit = options.returnCredit;
    this.#onLeave = options.onLeave;
  }

  /** Takes in what arrived. Throws `core/protocol` when more was sent than was granted. */
  receive(bytes: Uint8Array): void {
    if (this.#ending !== undefined) return;
    if (bytes.byteLength > this.#granted) {
      throw protocolError('More bytes were sent on a stream than its reader had granted.');
    }
    this.#granted -= bytes.byteLength;
    this.#queue.push(bytes);
    this.#wake?.();
  }

  /** Nothing more will come. What has arrived can still be read, unless the end is a failure. */
  end(ending: Ending): void {
    if (this.#ending !== undefined) return;
    this.#ending = ending;
    if (ending !== 'ended') this.#queue.length = 0;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, undefined> {
    for await (const chunk of this.chunks()) {
      yield chunk.bytes;
      chunk.release();
    }
  }

  async *chunks(): AsyncGenerator<Chunk, undefined> {
    if (this.#taken) throw new Error('A byte stream can be read only once.');
    this.#taken = true;
    try {
      for (;;) {
        const bytes = this.#queue.shift();
        if (bytes !== undefined) yield this.#chunk(bytes);
        else if (this.#ending === undefined) await this.#arrival();
        else if (this.#ending === 'ended') return;
        else throw this.#ending.error;
      }
    } finally {
      this.#queue.length = 0;
      if (this.#ending === undefined) {
        this.#ending = 'ended';
        this.#onLeave();
      }
    }
  }

  #arrival(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }

  #chunk(bytes: Uint8Array): Chunk {
    let held = true;
    return {
      bytes,
      release: () => {
        if (held) this.#consume(bytes.byteLength);
        held = false;
      },
    };
  }

  // Credit goes back a quarter of the window at a time: one frame for many small chunks, and the
  // sender always keeps most of a window to go on with.
  #consume(bytes: number): void {
    this.#consumed += bytes;
    if (this.#ending !== undefined || this.#consumed < streamWindowBytes / 4) return;
    this.#granted += this.#consumed;
    this.#returnCredit(this.#consumed);
    this.#consumed = 0;
  }
}
