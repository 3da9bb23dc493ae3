// What of a log is kept: all of it, up to the limit. Whatever is missing leaves a mark: one where it
// begins, and one with all the rest, however many pieces that came in.
import type { LogChunk } from '../../runtimes/runtime.ts';
import type { LogWriter, StreamName } from '../../store/logs/log-store.ts';

const limitReason = 'The log reached its size limit here; what followed was not kept.';
const rotatedReason = 'The node itself kept only the newest output; what was here is lost.';

interface Dropped {
  bytes: number;
  timeNs: bigint;
}

/** Appends chunks to a log until it has its size. Throws StoreError. */
export class LogKeeper {
  readonly #writer: LogWriter;
  readonly #maxBytes: () => number;
  /** Dropped since the last mark, by stream; said once no more comes or something is kept again. */
  readonly #dropped = new Map<StreamName, Dropped>();
  #cursor: string | null = null;
  #hasTold = false;

  constructor(writer: LogWriter, maxBytes: () => number) {
    this.#writer = writer;
    this.#maxBytes = maxBytes;
  }

  async keep(chunk: LogChunk): Promise<void> {
    const { stream, timeNs, cursor, bytes } = chunk;
    const room = Math.max(
      0,
      this.#maxBytes() - this.#writer.stdoutBytes - this.#writer.stderrBytes,
    );
    const kept = bytes.subarray(0, room);
    const writes: Promise<void>[] = [];
    if (kept.byteLength > 0 || bytes.byteLength === 0) {
      writes.push(this.finish());
      if (chunk.isAfterGap === true) {
        // Where there is no room any more, it would not have been kept had the node kept it.
        const reason = room === 0 ? limitReason : rotatedReason;
        const gap = { reason, stream, lostBytes: null, timeNs, cursor: null };
        writes.push(this.#writer.appendGap(gap));
      }
      writes.push(this.#writer.append({ stream, bytes: kept, timeNs, cursor }));
    }
    // What is dropped is still read, so that the work is not held up by a full pipe.
    const lostBytes = bytes.byteLength - kept.byteLength;
    if (lostBytes > 0) {
      this.#drop(chunk, lostBytes);
      // Whoever reads along learns of it at once; how much it came to, in the end.
      if (!this.#hasTold) writes.push(this.finish());
      this.#hasTold = true;
    }
    await Promise.all(writes);
  }

  #drop({ stream, timeNs, cursor }: LogChunk, bytes: number): void {
    const before = this.#dropped.get(stream);
    this.#dropped.set(stream, {
      bytes: bytes + (before?.bytes ?? 0),
      timeNs: before?.timeNs ?? timeNs,
    });
    this.#cursor = cursor;
  }

  /** Says what was dropped and not said yet. */
  async finish(): Promise<void> {
    const dropped = [...this.#dropped];
    const cursor = this.#cursor;
    this.#dropped.clear();
    this.#cursor = null;
    await Promise.all(
      dropped.map(([stream, { bytes, timeNs }]) =>
        this.#writer.appendGap({ reason: limitReason, stream, lostBytes: bytes, timeNs, cursor }),
      ),
    );
  }
}
