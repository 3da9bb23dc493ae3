// One look at a terminal: its frames in order, keys back. Taken up again by itself when the
// connection to the core comes back; a snapshot then says how the terminal looks.
import type { Chunk } from '../../../src-main/contract/client.ts';
import { FrameSource } from '../../../src-main/contract/frame-source.ts';
import {
  TerminalFrames,
  type Cells,
  type TerminalEnd,
  type TerminalFrame,
} from '../../../src-main/contract/terminal-frames.ts';
import { isAppError } from '../../../src-main/contract/errors.ts';
import type { CoreClient } from '../client.ts';

/** What shows a terminal. */
export interface TerminalSink {
  /** Starts from an empty terminal of this size. */
  reset(size: Cells): void;
  resized(size: Cells): void;
  /** Draws; calls back when it was, so that more may come. */
  write(bytes: Uint8Array, done: () => void): void;
  ended(end: TerminalEnd): void;
  failed(error: unknown): void;
}

export class TerminalLink implements Disposable {
  readonly #client: CoreClient;
  readonly #terminal: string;
  readonly #sink: TerminalSink;
  readonly #abort = new AbortController();
  #source = new FrameSource();
  #size: Cells | undefined;
  #hasEnded = false;

  constructor(client: CoreClient, terminal: string, sink: TerminalSink) {
    this.#client = client;
    this.#terminal = terminal;
    this.#sink = sink;
    void this.#follow();
  }

  type(bytes: Uint8Array): void {
    this.#source.send({ kind: 'input', bytes });
  }

  resize(size: Cells): void {
    this.#size = size;
    this.#source.send({ kind: 'resize', ...size });
  }

  setWatching(isWatching: boolean): void {
    this.#source.send({ kind: 'watching', isWatching });
  }

  [Symbol.dispose](): void {
    this.#abort.abort(new DOMException('The terminal is not looked at any more.', 'AbortError'));
    this.#source.end();
  }

  async #follow(): Promise<void> {
    const { signal } = this.#abort;
    const isLeft = (): boolean => signal.aborted;
    while (!isLeft() && !this.#hasEnded) {
      try {
        await this.#read();
        return;
      } catch (error) {
        if (isLeft()) return;
        if (!isAppError(error) || error.code !== 'core/unavailable') {
          this.#sink.failed(error);
          return;
        }
        this.#source.end();
        this.#source = new FrameSource();
        if (this.#size !== undefined) this.resize(this.#size);
      }
    }
  }

  async #read(): Promise<void> {
    const frames = new TerminalFrames();
    const stream = this.#client.openStream(
      'terminals.attach',
      { terminal: this.#terminal },
      { signal: this.#abort.signal, upload: this.#source },
    );
    for await (const chunk of stream.chunks()) this.#take(chunk, frames.push(chunk.bytes));
  }

  /** Credit goes back when everything that was complete in the chunk is on the screen. */
  #take(chunk: Chunk, frames: readonly TerminalFrame[]): void {
    let left = 1;
    const done = (): void => {
      left -= 1;
      if (left === 0) chunk.release();
    };
    for (const frame of frames) {
      if (frame.kind === 'data' || frame.kind === 'snapshot') left += 1;
      this.#show(frame, done);
    }
    done();
  }

  #show(frame: TerminalFrame, done: () => void): void {
    switch (frame.kind) {
      case 'snapshot':
        this.#sink.reset(frame);
        this.#sink.write(frame.bytes, done);
        break;
      case 'data':
        this.#sink.write(frame.bytes, done);
        break;
      case 'resized':
        this.#sink.resized(frame);
        break;
      case 'ended':
        this.#hasEnded = true;
        this.#sink.ended(frame.end);
        break;
      default:
        break;
    }
  }
}
