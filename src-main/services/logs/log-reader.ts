// Logs for whoever looks: stored bytes first, then what arrives, until the attempt has ended and its
// log is complete. Pulled, so a slow viewer slows only itself.
import { RequestError } from '../../contract/errors.ts';
import type { TaskId } from '../../contract/ids.ts';
import type { ReadLogInput } from '../../contract/procedures.ts';
import { isFinal } from '../../contract/task.ts';
import type { LogEntry, LogStore } from '../../store/logs/log-store.ts';
import type { TaskBook } from '../tasks/task-book.ts';

export interface LogReaderParts {
  readonly logs: LogStore;
  readonly book: TaskBook;
  readonly resolve: (reference: string) => TaskId;
}

export class LogReader {
  readonly #parts: LogReaderParts;

  constructor(parts: LogReaderParts) {
    this.#parts = parts;
  }

  /** Throws `not-found/task`, `ambiguous/id`, `input/invalid`. Ends early when the signal aborts. */
  async *read(
    input: ReadLogInput,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    if (input.stream === 'both' && input.fromOffset !== undefined) {
      throw new RequestError(
        'input/invalid',
        'fromOffset counts the bytes of one stream: ask for stdout or stderr, not both.',
        {
          details: { field: 'fromOffset' },
        },
      );
    }
    const { logs, resolve } = this.#parts;
    const taskId = resolve(input.task);
    const attempt =
      input.attempt ?? (await this.#newestAttempt(taskId, input.follow ? signal : undefined));
    if (attempt === 0) return;
    const { stream, fromOffset, tailLines, since } = input;
    const query = { taskId, attempt, stream, fromOffset, tailLines, since };
    const encode = input.format === 'raw' ? rawBytes : recordLine;
    using completion = this.#completion(taskId, attempt);
    const entries = input.follow
      ? logs.follow(query, AbortSignal.any([signal, completion.signal]))
      : logs.read(query);
    for await (const entry of entries) {
      if (signal.aborted) return;
      yield encode(entry);
    }
  }

  /** The number of the newest attempt; with a signal, waits for the first one of a task that waits. */
  async #newestAttempt(id: TaskId, waitUntil: AbortSignal | undefined): Promise<number> {
    const { book } = this.#parts;
    const now = () => book.find(id)?.task.attempt ?? 0;
    if (waitUntil === undefined || now() > 0 || book.active(id) === undefined) return now();
    const begun = Promise.withResolvers<undefined>();
    using _listening = book.onDidChange(({ before, after }) => {
      if ((after ?? before)?.id === id && (now() > 0 || book.active(id) === undefined))
        begun.resolve(undefined);
    });
    waitUntil.addEventListener('abort', () => begun.resolve(undefined), { once: true });
    await begun.promise;
    return now();
  }

  /** Aborts once an attempt is over: its log is complete before its task says so. */
  #completion(id: TaskId, attempt: number): { signal: AbortSignal } & Disposable {
    const { book } = this.#parts;
    const over = new AbortController();
    const check = () => {
      const task = book.active(id);
      if (
        task?.attempt !== attempt ||
        isFinal(task.state.status) ||
        task.state.status === 'PENDING'
      )
        over.abort();
    };
    const listening = book.onDidChange(({ before, after }) => {
      if ((after ?? before)?.id === id) check();
    });
    check();
    return { signal: over.signal, [Symbol.dispose]: () => listening[Symbol.dispose]() };
  }
}

/** The bytes as they were printed. What is missing is said in their place. */
function rawBytes(entry: LogEntry): Uint8Array {
  if (entry.kind === 'bytes') return entry.bytes;
  return Buffer.from(`\n[kohakuriver: ${gapWords(entry)}]\n`);
}

function recordLine(entry: LogEntry): Uint8Array {
  const time = new Date(Number(entry.timeNs / 1_000_000n)).toISOString();
  if (entry.kind === 'gap')
    return Buffer.from(`${JSON.stringify({ gap: gapWords(entry), time })}\n`);
  const { stream, offset, bytes } = entry;
  const base64 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
  return Buffer.from(`${JSON.stringify({ stream, offset, time, base64 })}\n`);
}

function gapWords({ gap }: Extract<LogEntry, { kind: 'gap' }>): string {
  const { reason, lostBytes, stream } = gap;
  const amount =
    lostBytes === null ? '' : ` (${lostBytes} bytes${stream === null ? '' : ` of ${stream}`})`;
  return `${reason}${amount}`;
}
