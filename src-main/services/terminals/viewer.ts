import { encodeTerminalFrame, type TerminalFrame } from '../../contract/terminal-frames.ts';
import type { Snapshot } from './screen.ts';

/** What one who looks may have to fetch yet; the program waits when it is more. */
const windowBytes = 256 * 1024;
/** One who does not look is not waited for: past this they get a snapshot when they look again. */
const mostUnwatchedBytes = 1024 * 1024;

/** One who looks at a terminal: their frames, pulled as fast as they take them. */
export class Viewer {
  readonly answers: boolean;
  readonly #takeSnapshot: () => Promise<Snapshot>;
  readonly #onRoom: () => void;
  #queue: TerminalFrame[] = [];
  #queuedBytes = 0;
  #needsSnapshot = true;
  #isWatching = true;
  #isOver = false;
  #hasEnded = false;
  #wake: (() => void) | undefined;

  constructor(options: {
    answers: boolean;
    takeSnapshot: () => Promise<Snapshot>;
    /** They have taken something, or need not be waited for any more. */
    onRoom: () => void;
  }) {
    this.answers = options.answers;
    this.#takeSnapshot = options.takeSnapshot;
    this.#onRoom = options.onRoom;
  }

  /** Whether the program may go on as far as they are concerned. */
  get hasRoom(): boolean {
    return this.#isOver || !this.#isWatching || this.#queuedBytes < windowBytes;
  }

  push(frame: TerminalFrame): void {
    // The snapshot that is still to be taken will show it; the end it cannot show.
    if (this.#needsSnapshot && frame.kind !== 'ended') return;
    this.#queue.push(frame);
    if (frame.kind === 'data') this.#queuedBytes += frame.bytes.byteLength;
    if (!this.#isWatching && this.#queuedBytes > mostUnwatchedBytes) this.#fallBehind();
    this.#wake?.();
  }

  setWatching(isWatching: boolean): void {
    this.#isWatching = isWatching;
    this.#onRoom();
  }

  leave(): void {
    this.#isOver = true;
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#wake?.();
    this.#onRoom();
  }

  /** A snapshot, then everything after it. Ends after the end of the terminal, or when they leave. */
  async *frames(): AsyncGenerator<Uint8Array, void, undefined> {
    while (!this.#isOver && !this.#hasEnded) {
      if (this.#needsSnapshot) {
        this.#needsSnapshot = false;
        const snapshot = await this.#takeSnapshot();
        yield encodeTerminalFrame({ kind: 'snapshot', ...snapshot });
        continue;
      }
      const frame = this.#queue.shift();
      if (frame === undefined) await this.#arrival();
      else yield this.#taken(frame);
    }
  }

  #taken(frame: TerminalFrame): Uint8Array {
    if (frame.kind === 'data') {
      this.#queuedBytes -= frame.bytes.byteLength;
      this.#onRoom();
    }
    if (frame.kind === 'ended') this.#hasEnded = true;
    return encodeTerminalFrame(frame);
  }

  #fallBehind(): void {
    this.#queue = this.#queue.filter(({ kind }) => kind === 'ended');
    this.#queuedBytes = 0;
    this.#needsSnapshot = true;
  }

  #arrival(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }
}
