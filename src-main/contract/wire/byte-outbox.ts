import { maxPayloadBytes, streamWindowBytes } from './limits.ts';
import { protocolError } from './protocol-error.ts';

/** The sending half of a byte stream: pulls a source no faster than the far side consumes it. */
export class ByteOutbox {
  readonly #send: (bytes: Uint8Array) => void;
  #credit = streamWindowBytes;
  #stopped = false;
  #wake: (() => void) | undefined;

  constructor(send: (bytes: Uint8Array) => void) {
    this.#send = send;
  }

  /** The far side consumed something. Throws `core/protocol` when it was never sent. */
  grant(bytes: number): void {
    if (this.#credit + bytes > streamWindowBytes) {
      throw protocolError('More credit was returned on a stream than was used.');
    }
    this.#credit += bytes;
    this.#wake?.();
  }

  /** Nobody reads any more: `pump` closes its source and returns. */
  stop(): void {
    this.#stopped = true;
    this.#wake?.();
  }

  /**
   * Sends a source to its end. Whatever makes it leave early (stop, an error of the source) closes
   * the source, so that its `finally` runs. Throws what the source throws.
   */
  async pump(source: AsyncIterable<Uint8Array>): Promise<'ended' | 'stopped'> {
    const iterator = source[Symbol.asyncIterator]();
    let isFinished = false;
    try {
      for (;;) {
        const step = await this.#unlessStopped(iterator.next());
        if (step === undefined) return 'stopped';
        if (step.done === true) {
          isFinished = true;
          return 'ended';
        }
        if (!(await this.#sendAll(step.value))) return 'stopped';
      }
    } finally {
      if (!isFinished) await iterator.return?.();
    }
  }

  async #sendAll(bytes: Uint8Array): Promise<boolean> {
    let offset = 0;
    while (offset < bytes.byteLength) {
      while (this.#credit === 0 && !this.#stopped) await this.#change();
      if (this.#stopped) return false;
      const length = Math.min(this.#credit, maxPayloadBytes, bytes.byteLength - offset);
      this.#credit -= length;
      this.#send(bytes.subarray(offset, offset + length));
      offset += length;
    }
    return !this.#stopped;
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  // Promise.race would add a reaction to one long-lived promise for every chunk of the stream.
  #unlessStopped<T>(promise: Promise<T>): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      if (this.#stopped) resolve(undefined);
      this.#wake = () => {
        if (this.#stopped) resolve(undefined);
      };
      promise.then(resolve, reject);
    });
  }
}
