// The core's own log on disk, read from its end: `core.<n>.log`, one JSON object a line, the highest
// number the newest.
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, toStoreError } from './errors.ts';

const chunkBytes = 64 * 1024;
/** A line longer than this is no line of ours; it is cut. */
const maxLineBytes = 1024 * 1024;
const newline = 0x0a;

/** The files, newest first. */
export async function coreLogFiles(dataDir: string): Promise<string[]> {
  const numbered = (await readdir(dataDir)).flatMap((name) => {
    const number = /^core\.(\d+)\.log$/.exec(name)?.[1];
    return number === undefined ? [] : [{ name, number: Number(number) }];
  });
  numbered.sort((a, b) => b.number - a.number);
  return numbered.map(({ name }) => join(dataDir, name));
}

/** Bytes of all of them. */
export async function coreLogBytes(dataDir: string): Promise<number> {
  const sizes = await Promise.all((await coreLogFiles(dataDir)).map(sizeOf));
  return sizes.reduce((sum, each) => sum + each, 0);
}

/** The size of a file; 0 where there is none (any more). */
export async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 0;
    throw toStoreError(error, `look at ${file}`);
  }
}

/**
 * The last `limit` lines that `matches` accepts, oldest first, whichever files they are in. Reads
 * backwards and no further than it must.
 */
export async function tailOfCoreLog(
  dataDir: string,
  { limit, matches }: { limit: number; matches: (line: string) => boolean },
): Promise<string[]> {
  const found: string[] = [];
  for (const file of await coreLogFiles(dataDir)) {
    for await (const line of linesBackwards(file)) {
      if (found.length >= limit) return found.reverse();
      if (matches(line)) found.push(line);
    }
  }
  return found.reverse();
}

async function* linesBackwards(file: string): AsyncGenerator<string, void, undefined> {
  let handle;
  try {
    handle = await open(file, 'r');
  } catch (error) {
    // Rotated away between listing and opening.
    if (codeOf(error) === 'ENOENT') return;
    throw toStoreError(error, `read ${file}`);
  }
  try {
    let position = (await handle.stat()).size;
    let rest: Buffer = Buffer.alloc(0);
    while (position > 0) {
      const length = Math.min(chunkBytes, position);
      position -= length;
      const chunk = Buffer.alloc(length);
      const { bytesRead } = await handle.read(chunk, 0, length, position);
      rest = Buffer.concat([chunk.subarray(0, bytesRead), rest]);
      for (let at = rest.lastIndexOf(newline); at >= 0; at = rest.lastIndexOf(newline)) {
        const line = rest.toString('utf8', at + 1);
        rest = rest.subarray(0, at);
        if (line !== '') yield line;
      }
      if (rest.length > maxLineBytes) rest = rest.subarray(0, maxLineBytes);
    }
    if (rest.length > 0) yield rest.toString('utf8');
  } finally {
    await handle.close();
  }
}
