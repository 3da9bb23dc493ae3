/**
 * Output of one command on a stream that goes on: bytes up to a mark nobody else can know, then a
 * short trailer up to `;`. Keeps at most `limit` bytes and counts on.
 */
export class MarkedOutput {
  readonly #mark: Buffer;
  readonly #limit: number;
  readonly #kept: Buffer[] = [];
  #keptBytes = 0;
  /** Bytes that may be the start of the mark, or all from the mark on. */
  #tail: Buffer = Buffer.alloc(0);
  #isMarked = false;
  #trailer: string | undefined;
  #isTruncated = false;

  constructor(mark: string, limit: number) {
    this.#mark = Buffer.from(mark);
    this.#limit = limit;
  }

  /** The text between mark and `;`, once it came. */
  get trailer(): string | undefined {
    return this.#trailer;
  }

  get isTruncated(): boolean {
    return this.#isTruncated;
  }

  bytes(): Buffer {
    return Buffer.concat(this.#kept);
  }

  feed(chunk: Buffer): void {
    if (this.#trailer !== undefined) return;
    const data = this.#tail.length === 0 ? chunk : Buffer.concat([this.#tail, chunk]);
    if (!this.#isMarked) {
      const at = data.indexOf(this.#mark);
      const safe = at >= 0 ? at : Math.max(0, data.length - this.#mark.length + 1);
      this.#keep(data.subarray(0, safe));
      this.#isMarked = at >= 0;
      this.#tail = data.subarray(at >= 0 ? at + this.#mark.length : safe);
    } else {
      this.#tail = data;
    }
    const end = this.#isMarked ? this.#tail.indexOf(';') : -1;
    if (end >= 0) this.#trailer = this.#tail.toString('latin1', 0, end).trim();
  }

  #keep(bytes: Buffer): void {
    const room = this.#limit - this.#keptBytes;
    if (bytes.length > room) this.#isTruncated = true;
    const taken = bytes.subarray(0, Math.max(0, room));
    if (taken.length === 0) return;
    this.#kept.push(taken);
    this.#keptBytes += taken.length;
  }
}
