/** Of one piece of memory. */
const defaultBytes = 512 * 1024;
/** Free pieces that are kept. */
const mostFree = 16;

/**
 * Memory for the parts of a stream, used again when whoever had a part gives it back: fresh memory for
 * every part costs more than to copy the part. What is not given back is left to the collector.
 */
export class PartMemory {
  readonly pieceBytes: number;
  readonly #free: Buffer[] = [];
  /** How many have some of it, by piece. */
  readonly #holders = new WeakMap<ArrayBufferLike, { piece: Buffer; count: number }>();

  constructor(pieceBytes = defaultBytes) {
    this.pieceBytes = pieceBytes;
  }

  take(): Buffer {
    const piece = this.#free.pop() ?? Buffer.allocUnsafeSlow(this.pieceBytes);
    this.#holders.set(piece.buffer, { piece, count: 1 });
    return piece;
  }

  /** One more has some of this piece, and will give it back. */
  share(part: Uint8Array): void {
    const held = this.#holders.get(part.buffer);
    if (held !== undefined) held.count += 1;
  }

  /** Nothing happens with memory of others, or that was given back already. */
  giveBack(part: Uint8Array): void {
    const held = this.#holders.get(part.buffer);
    if (held === undefined) return;
    held.count -= 1;
    if (held.count > 0) return;
    this.#holders.delete(part.buffer);
    if (this.#free.length < mostFree) this.#free.push(held.piece);
  }
}
