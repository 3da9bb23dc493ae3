// Small files as one archive, for a tar program that takes it.
import type { Item } from '../../domain/transfers/plan.ts';
import type { SmallFile } from './small-files.ts';
import { tarEnd, tarHeader, tarPadding } from './tar.ts';

/** The archive in parts large enough to be worth sending. */
export async function* packed(
  source: AsyncIterable<SmallFile>,
  onSent: (item: Item) => void,
): AsyncGenerator<Buffer> {
  const gathering = new Packing();
  for await (const { item, bytes } of source) {
    const head = tarHeader({ ...item, name: item.path, size: bytes.length });
    onSent(item);
    for (const part of [head, bytes, tarPadding(bytes.length)]) {
      const full = gathering.add(part);
      if (full !== undefined) yield full;
    }
  }
  const last = gathering.add(tarEnd);
  if (last !== undefined) yield last;
  yield gathering.rest();
}

const packedBytes = 256 * 1024;

/** Gathers what is small into parts of a size; what is large goes on as it is. */
class Packing {
  #part = Buffer.allocUnsafe(packedBytes);
  #filled = 0;

  /** What is to be sent now. */
  add(bytes: Buffer): Buffer | undefined {
    if (this.#filled + bytes.length <= packedBytes) {
      this.#filled += bytes.copy(this.#part, this.#filled);
      return undefined;
    }
    const full = this.rest();
    if (bytes.length > packedBytes / 2) return Buffer.concat([full, bytes]);
    this.#filled = bytes.copy(this.#part, 0);
    return full;
  }

  rest(): Buffer {
    const part = this.#part.subarray(0, this.#filled);
    this.#part = Buffer.allocUnsafe(packedBytes);
    this.#filled = 0;
    return part;
  }
}
