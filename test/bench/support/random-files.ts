// Files of bytes that nothing can press together, the same for the same seed.
import { createCipheriv } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';

const chunkBytes = 4 * 2 ** 20;

/** Writes a file of so many bytes: the key stream of AES-CTR. */
export async function randomBytesOf(
  path: string,
  { bytes, seed }: { bytes: number; seed: number },
): Promise<void> {
  const key = Buffer.alloc(16);
  key.writeUInt32BE(seed);
  const stream = createCipheriv('aes-128-ctr', key, Buffer.alloc(16));
  const file = createWriteStream(path);
  const nothing = Buffer.alloc(Math.min(bytes, chunkBytes));
  for (let left = bytes; left > 0; left -= chunkBytes) {
    const part = stream.update(nothing.subarray(0, Math.min(left, chunkBytes)));
    if (!file.write(part)) await once(file, 'drain');
  }
  file.end();
  await once(file, 'close');
}
