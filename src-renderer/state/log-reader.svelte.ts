// Reads a task's log into whatever shows it. Credit goes back to the core only when a piece has
// really been shown, so a fast log never floods the page.
import type { StreamInput } from '../../src-main/contract/procedures.ts';
import type { CoreClient } from '../lib/client.ts';
import { LogRecords } from '../lib/log-records.ts';
import { isAbort, toProblem, type Problem } from '../lib/problem.ts';

export type LogStream = 'both' | 'stdout' | 'stderr';

/** Where bytes go; calls back when they are taken in. */
export type LogSink = (bytes: Uint8Array, done: () => void) => void;

/** Enough to look back a good while; the whole is a click away. */
const tailLines = 5000;

export class LogReader {
  readonly #client: CoreClient;
  readonly #task: string;
  stream = $state<LogStream>('both');
  isTimed = $state(false);
  /** The whole log rather than its end. */
  isWhole = $state(false);
  /** Only what was printed at this instant or later; undefined for all of it. */
  since = $state<number | undefined>(undefined);
  #isReading = $state(false);
  #bytes = $state(0);
  #problem = $state.raw<Problem | undefined>(undefined);
  #abort: AbortController | undefined;

  constructor(client: CoreClient, task: string) {
    this.#client = client;
    this.#task = task;
  }

  get isReading(): boolean {
    return this.#isReading;
  }
  get bytes(): number {
    return this.#bytes;
  }
  get problem(): Problem | undefined {
    return this.#problem;
  }

  stop(): void {
    this.#abort?.abort();
  }

  /** Reads from the start of the choice that is made, until the log ends or something else is read. */
  async read(sink: LogSink): Promise<void> {
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    this.#bytes = 0;
    this.#problem = undefined;
    this.#isReading = true;
    try {
      await this.#pour(sink, abort.signal);
    } catch (error) {
      if (!isAbort(error) && !abort.signal.aborted) this.#problem = toProblem(error);
    } finally {
      if (this.#abort === abort) this.#isReading = false;
    }
  }

  async #pour(sink: LogSink, signal: AbortSignal): Promise<void> {
    const hasRecords = this.stream === 'both' || this.isTimed;
    const input: StreamInput<'tasks.readLog'> = {
      task: this.#task,
      stream: this.stream,
      follow: true,
      format: hasRecords ? 'records' : 'raw',
      ...this.#part(),
    };
    const records = hasRecords ? new LogRecords({ isTimed: this.isTimed }) : undefined;
    for await (const { bytes, release } of releasable(this.#client, input, signal)) {
      const pieces = records === undefined ? [bytes] : records.take(bytes);
      const last = pieces.pop();
      for (const piece of pieces) sink(piece, () => undefined);
      if (last === undefined) release();
      else sink(last, release);
      this.#bytes += bytes.byteLength;
      if (signal.aborted) return;
    }
  }

  /** Which part of the log: from a time, all of it, or its end. */
  #part(): Pick<StreamInput<'tasks.readLog'>, 'since' | 'tailLines'> {
    if (this.since !== undefined) return { since: this.since };
    return this.isWhole ? {} : { tailLines };
  }

  /** Saves one stream whole, straight to a file where the browser can, else through memory. */
  async download(stream: 'stdout' | 'stderr', name: string): Promise<void> {
    const abort = new AbortController();
    const source = this.#client.openStream(
      'tasks.readLog',
      { task: this.#task, stream },
      { signal: abort.signal },
    );
    const file = await pickFile(name);
    if (file === 'cancelled') return;
    if (file === 'unsupported') {
      saveBlob(await collect(source), name);
      return;
    }
    const writable = await file.createWritable();
    try {
      for await (const bytes of source) await writable.write(bytes as Uint8Array<ArrayBuffer>);
      await writable.close();
    } catch (error) {
      await writable.abort(error);
      throw error;
    }
  }
}

function releasable(client: CoreClient, input: StreamInput<'tasks.readLog'>, signal: AbortSignal) {
  const chunks = client.openStream('tasks.readLog', input, { signal }).chunks();
  return {
    async *[Symbol.asyncIterator]() {
      for await (const chunk of chunks)
        yield { bytes: chunk.bytes, release: () => chunk.release() };
    },
  };
}

interface SaveWindow {
  showSaveFilePicker?: (options: { suggestedName: string }) => Promise<FileSystemFileHandle>;
}

async function pickFile(name: string): Promise<FileSystemFileHandle | 'unsupported' | 'cancelled'> {
  const { showSaveFilePicker } = window as Window & SaveWindow;
  if (showSaveFilePicker === undefined) return 'unsupported';
  try {
    return await showSaveFilePicker.call(window, { suggestedName: name });
  } catch (error) {
    if (isAbort(error)) return 'cancelled';
    // Automated and embedded windows have the function but not the right to use it.
    if (error instanceof DOMException && error.name === 'SecurityError') return 'unsupported';
    throw error;
  }
}

/** More than this does not go through memory. */
const maxBlobBytes = 512 * 2 ** 20;

async function collect(source: AsyncIterable<Uint8Array>): Promise<Blob> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for await (const bytes of source) {
    size += bytes.byteLength;
    if (size > maxBlobBytes) {
      throw new RangeError(
        'This browser cannot save more than 512 MiB. Use `kohakuriver task logs` for it.',
      );
    }
    parts.push(bytes as Uint8Array<ArrayBuffer>);
  }
  return new Blob(parts, { type: 'application/octet-stream' });
}

function saveBlob(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser needs the address until it has begun to read.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
