// Following a container's log, byte for byte, at the reader's pace.
import type { Readable } from 'node:stream';
import type Dockerode from 'dockerode';
import type { LogChunk } from '../runtime.ts';
import { fromDocker } from './errors.ts';
import { SeenFilter, type LogCursor } from './log-cursor.ts';
import { FrameReader, type LogMessage } from './log-frames.ts';
import { asReadable } from './reply-stream.ts';

/** Messages of one stream are handed on together up to this size and this much time apart. */
const chunkBytes = 64 * 1024;
const chunkSpanNs = 10_000_000n;
const lineEnd = Buffer.from('\n');

export interface ReadOptions {
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

/**
 * The chunks after `cursor`. With `follow` until the Engine ends the stream, which it does when the
 * container has ended. Reading slowly slows the Engine.
 */
export async function* readLog(
  container: Dockerode.Container,
  cursor: LogCursor,
  options: ReadOptions,
): AsyncGenerator<LogChunk, void, undefined> {
  const filter = new SeenFilter(cursor);
  const frames = new FrameReader();
  const chunks = new ChunkBuilder(cursor);
  const stream = await openLog(container, cursor, options);
  try {
    for await (const bytes of stream) {
      for (const message of frames.push(bytes as Buffer)) {
        const verdict = filter.judge(message);
        if (verdict === 'seen') continue;
        const full = chunks.add(message, verdict === 'gap');
        if (full !== undefined) yield full;
      }
      const last = chunks.take();
      if (last !== undefined) yield last;
    }
  } catch (error) {
    options.signal.throwIfAborted();
    throw fromDocker(error, { kind: 'other', container: container.id });
  } finally {
    stream.destroy();
  }
}

async function openLog(
  container: Dockerode.Container,
  cursor: LogCursor,
  options: ReadOptions,
): Promise<Readable> {
  const since = cursor.since();
  // dockerode hands out a stream only for `follow: true` and collects the log in memory otherwise.
  // What the Engine is asked is `_query`.
  const request = {
    follow: true as const,
    abortSignal: options.signal,
    _query: {
      stdout: '1',
      stderr: '1',
      timestamps: '1',
      follow: options.follow ? '1' : '0',
      ...(since === undefined ? {} : { since }),
    },
  };
  try {
    return asReadable(await container.logs(request));
  } catch (error) {
    options.signal.throwIfAborted();
    throw fromDocker(error, { kind: 'other', container: container.id });
  }
}

/** Puts small messages together, and keeps the cursor that belongs behind them. */
class ChunkBuilder {
  #cursor: LogCursor;
  #parts: Buffer[] = [];
  #size = 0;
  #stream: 'stdout' | 'stderr' = 'stdout';
  #timeNs = 0n;
  #isAfterGap = false;

  constructor(cursor: LogCursor) {
    this.#cursor = cursor;
  }

  /** Adds a message; returns the chunk before it if this one cannot join it. */
  add(message: LogMessage, isAfterGap: boolean): LogChunk | undefined {
    const full = isAfterGap || !this.#fits(message) ? this.take() : undefined;
    if (this.#size === 0) {
      this.#stream = message.stream;
      this.#timeNs = message.timeNs;
      this.#isAfterGap = isAfterGap;
    }
    // Engines before 23 leave out the line end of a line they have cut in pieces. Pieces share one
    // instant, so a message of another one tells that the line had ended.
    if (this.#cursor.hasOpenLineBefore(message)) this.#parts.push(lineEnd);
    this.#parts.push(message.bytes);
    // An empty message still moves the cursor, so it counts as something to hand on.
    this.#size += message.bytes.length + 1;
    this.#cursor = this.#cursor.after(message);
    return full;
  }

  take(): LogChunk | undefined {
    if (this.#size === 0) return undefined;
    const bytes = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#size = 0;
    return {
      stream: this.#stream,
      bytes,
      timeNs: this.#timeNs,
      cursor: this.#cursor.toString(),
      ...(this.#isAfterGap ? { isAfterGap: true } : {}),
    };
  }

  #fits(message: LogMessage): boolean {
    return (
      this.#size === 0 ||
      (message.stream === this.#stream &&
        this.#size + message.bytes.length <= chunkBytes &&
        message.timeNs - this.#timeNs <= chunkSpanNs)
    );
  }
}
