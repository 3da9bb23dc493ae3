import { encodeTerminalFrame, type TerminalFrame } from './terminal-frames.ts';

/** Past this a sender should wait: see `room`. */
const windowBytes = 256 * 1024;

/** A terminal's frames to be sent, as the upload of its stream: it can be left at any moment. */
export class FrameSource implements AsyncIterable<Uint8Array> {
  readonly #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #isOver = false;
  #wake: (() => void) | undefined;
  #onRoom: (() => void) | undefined;

  send(frame: TerminalFrame): void {
    if (this.#isOver) return;
    const bytes = encodeTerminalFrame(frame);
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.byteLength;
    this.#wake?.();
  }

  /** Resolves when more may be sent. */
  async room(): Promise<void> {
    while (this.#queuedBytes >= windowBytes && !this.#isOver) {
      await new Promise<void>((resolve) => (this.#onRoom = resolve));
    }
  }

  /** Nothing more is sent. */
  end(): void {
    this.#isOver = true;
    this.#wake?.();
    this.#onRoom?.();
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    return {
      next: () => this.#next(),
      // Not a generator: leaving one waits for the next frame, leaving this works at once.
      return: () => {
        this.end();
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }

  async #next(): Promise<IteratorResult<Uint8Array, undefined>> {
    while (this.#queue.length === 0 && !this.#isOver) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    const value = this.#queue.shift();
    if (value === undefined) return { done: true, value: undefined };
    this.#queuedBytes -= value.byteLength;
    this.#onRoom?.();
    return { done: false, value };
  }
}
