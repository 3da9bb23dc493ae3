// One terminal as it looks, without a display: runs in the worker thread, where parsing and drawing
// a snapshot hold nobody up.
import serialize from '@xterm/addon-serialize';
import headless from '@xterm/headless';
import { cleanTitle } from '../../domain/terminals/far-text.ts';
import { SequenceTail } from '../../domain/terminals/sequence-tail.ts';
import { drawBackgrounds } from './backgrounds.ts';
import { ModeMemory } from './mode-memory.ts';
import { placeCursor } from './place-cursor.ts';

export interface ScreenEvents {
  /** The program asked the terminal something (where the cursor is, what it can do). */
  answer(bytes: Uint8Array): void;
  title(title: string): void;
}

export interface Snapshot {
  readonly bytes: Uint8Array;
  readonly columns: number;
  readonly rows: number;
}

export interface ScreenOptions {
  readonly columns: number;
  readonly rows: number;
  readonly scrollbackLines: number;
  /** Characters a snapshot may have; of one that would be longer, the oldest lines are left out. */
  readonly longestSnapshot?: number;
}

/** A window that opens a terminal again waits for it, and a frame of the stream holds 64 MiB. */
const usualLongestSnapshot = 16 * 1024 * 1024;

/** Characters that a cell with both of its colours and all styles is told with, or a few more. */
const longestCell = 80;
const linesCounted = 16;

const encoder = new TextEncoder();

/** Everything is done in the order it was asked for. */
export class Screen {
  readonly #terminal: headless.Terminal;
  readonly #serializer = new serialize.SerializeAddon();
  readonly #modes: ModeMemory;
  readonly #tail = new SequenceTail();
  readonly #longestSnapshot: number;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: ScreenOptions, events: ScreenEvents) {
    const { columns, rows, scrollbackLines } = options;
    this.#longestSnapshot = options.longestSnapshot ?? usualLongestSnapshot;
    const terminal = new headless.Terminal({
      cols: columns,
      rows,
      scrollback: scrollbackLines,
      allowProposedApi: true,
      // It would write what a program prints wrongly to our standard error.
      logLevel: 'off',
    });
    this.#terminal = terminal;
    terminal.loadAddon(this.#serializer);
    this.#modes = new ModeMemory(terminal.parser);
    terminal.onData((text) => events.answer(encoder.encode(text)));
    terminal.onBinary((text) => events.answer(Buffer.from(text, 'latin1')));
    terminal.onTitleChange((title) => events.title(cleanTitle(title)));
  }

  /** Resolves when the bytes are on the screen. */
  write(bytes: Uint8Array): Promise<void> {
    return this.#next(
      () =>
        new Promise((resolve) => {
          this.#tail.feed(bytes);
          this.#terminal.write(bytes, resolve);
        }),
    );
  }

  resize(columns: number, rows: number): Promise<void> {
    return this.#next(() => {
      this.#terminal.resize(columns, rows);
    });
  }

  /** What draws this terminal on an empty one of the same size, so that its output can go on. */
  snapshot(): Promise<Snapshot> {
    return this.#next(() => {
      const terminal = this.#terminal;
      const screen = this.#drawn() + drawBackgrounds(terminal) + placeCursor(terminal);
      const drawn = encoder.encode(screen + this.#modes.restore());
      const bytes = Buffer.concat([drawn, this.#tail.bytes]);
      return { bytes, columns: this.#terminal.cols, rows: this.#terminal.rows };
    });
  }

  dispose(): void {
    this.#terminal.dispose();
  }

  /** Every cell may have colours of its own, forty characters each: then fewer lines are told. */
  #drawn(): string {
    return this.#serializer.serialize({ scrollback: this.#linesThatFit() });
  }

  /** Counted some at a time, from the newest back: all of them may be more than a string can hold. */
  #linesThatFit(): number {
    const { buffer, rows, cols } = this.#terminal;
    const history = buffer.normal.length - rows;
    if (history * cols * longestCell <= this.#longestSnapshot) return Math.max(0, history);
    let room = this.#longestSnapshot;
    let fitting = 0;
    while (fitting < history) {
      const end = history - 1 - fitting;
      const range = { start: Math.max(0, end - linesCounted + 1), end };
      const options = { range, excludeModes: true, excludeAltBuffer: true };
      room -= this.#serializer.serialize(options).length;
      if (room < 0) break;
      fitting = history - range.start;
    }
    return fitting;
  }

  #next<T>(work: () => T | Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }
}
