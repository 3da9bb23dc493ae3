// The core's own log for whoever looks: its last lines, then what is written from now on. One who
// reads slowly misses lines, and is told so; the core never waits for a reader of its log.
import type { ReadCoreLogInput } from '../../contract/diagnostics.ts';
import type { Event } from '../../domain/emitter.ts';

export interface CoreLogParts {
  /** The last lines that match, oldest first. */
  readonly tail: (options: {
    limit: number;
    matches: (line: string) => boolean;
  }) => Promise<string[]>;
  /** Every line as it is written. */
  readonly onDidWrite: Event<string>;
}

/** What waits for a slow reader at most. */
const maxWaitingChars = 1024 * 1024;
const numbers: Readonly<Record<ReadCoreLogInput['level'], number>> = {
  full: 10,
  debug: 20,
  info: 30,
  warning: 40,
  error: 50,
};

export class CoreLogReader {
  readonly #parts: CoreLogParts;

  constructor(parts: CoreLogParts) {
    this.#parts = parts;
  }

  /** Lines of the log, a newline behind each. Ends when the signal aborts, or without `follow` at the end. */
  async *read(
    { level, tailLines, follow }: ReadCoreLogInput,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const least = numbers[level];
    const matches = (line: string): boolean => levelOf(line) >= least;
    using live = follow ? new LiveLines(this.#parts.onDidWrite, matches, signal) : undefined;
    const last = await this.#parts.tail({ limit: tailLines, matches });
    if (last.length > 0) yield bytesOf(last);
    if (live === undefined) return;
    // What was written while the tail was read may be in both.
    const seen = new Set(last.slice(-100));
    for await (const lines of live.batches()) {
      const fresh = lines.filter((line) => !seen.has(line));
      seen.clear();
      if (fresh.length > 0) yield bytesOf(fresh);
    }
  }
}

function bytesOf(lines: readonly string[]): Uint8Array {
  return Buffer.from(`${lines.join('\n')}\n`);
}

/** pino's number; what is no line of pino is always shown. */
function levelOf(line: string): number {
  const level = /^\{"level":(\d+),/.exec(line)?.[1];
  return level === undefined ? Number.POSITIVE_INFINITY : Number(level);
}

class LiveLines implements Disposable {
  readonly #listening: Disposable;
  readonly #signal: AbortSignal;
  #waiting: string[] = [];
  #chars = 0;
  #missed = 0;
  #wake: (() => void) | undefined;
  readonly #onAbort = (): void => this.#wake?.();

  constructor(onDidWrite: Event<string>, matches: (line: string) => boolean, signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', this.#onAbort, { once: true });
    this.#listening = onDidWrite((written) => {
      const line = written.trimEnd();
      if (matches(line)) this.#take(line);
    });
  }

  async *batches(): AsyncGenerator<string[], void, undefined> {
    while (!this.#signal.aborted) {
      if (this.#waiting.length === 0 && this.#missed === 0) {
        await new Promise<void>((resolve) => (this.#wake = resolve));
        this.#wake = undefined;
        continue;
      }
      const lines = this.#waiting;
      if (this.#missed > 0) lines.push(missedLine(this.#missed));
      this.#waiting = [];
      this.#chars = 0;
      this.#missed = 0;
      yield lines;
    }
  }

  [Symbol.dispose](): void {
    this.#listening[Symbol.dispose]();
    this.#signal.removeEventListener('abort', this.#onAbort);
  }

  #take(line: string): void {
    if (this.#chars + line.length > maxWaitingChars) {
      this.#missed += 1;
    } else {
      this.#waiting.push(line);
      this.#chars += line.length;
    }
    this.#wake?.();
  }
}

function missedLine(count: number): string {
  return JSON.stringify({ level: 40, msg: `${count} lines are left out here: they came too fast` });
}
