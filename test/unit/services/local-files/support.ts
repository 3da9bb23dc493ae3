// Files of this computer for what its thread does with them.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { afterAll } from 'vitest';
import type { Item } from '../../../../src-main/domain/transfers/plan.ts';
import { digestFor } from '../../../../src-main/services/transfers/digests.ts';
import { packedHere } from '../../../../src-main/services/transfers/here/local-packing.ts';
import { LocalThread } from '../../../../src-main/services/transfers/here/local-thread.ts';
import type { Moving } from '../../../../src-main/services/transfers/small-files.ts';

export const dir = mkdtempSync(join(tmpdir(), 'kohakuriver-here-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

export const thread = new LocalThread();
afterAll(() => thread[Symbol.asyncDispose]());

let folders = 0;
/** A new one that is empty. */
export function folder(): string {
  folders += 1;
  const path = join(dir, String(folders));
  mkdirSync(path);
  return path;
}

const able = { digest: 'sha256sum', gmac: true };
export const gmac = digestFor(able, able);

/** Some files with bytes of their own, written below a folder where one is given. */
export function filesOf(sizes: readonly number[], where?: string): { item: Item; bytes: Buffer }[] {
  return sizes.map((size, at) => {
    const path = `tree/d${at % 3}/${at} f`;
    const bytes = Buffer.alloc(size, `${at} `);
    const item: Item = { path, kind: 'file', size, mode: 0o640, modifiedAt: 1_000_000_000 + at };
    if (where !== undefined) {
      mkdirSync(dirname(join(where, path)), { recursive: true });
      writeFileSync(join(where, path), bytes);
    }
    return { item, bytes };
  });
}

export interface Told {
  bytes: number;
  readonly done: Item[];
  readonly problems: { path: string; message: string }[];
}

/** From one folder of this computer to another, and what was told meanwhile. */
export function moving(more: Partial<Moving> = {}) {
  const told: Told = { bytes: 0, done: [], problems: [] };
  const target = folder();
  const parts = {
    from: { directory: dir },
    to: { directory: target },
    signal: new AbortController().signal,
    hashes: { source: new Map(), target: new Map() },
    together: undefined,
    onBytes: (bytes: number) => void (told.bytes += bytes),
    onFile: (item: Item) => void told.done.push(item),
    onProblem: (item: Item, error: unknown) =>
      void told.problems.push({ path: item.path, message: String(error) }),
    ...more,
  } as unknown as Moving;
  return { moving: parts, told, target };
}

/** What is packed of these. */
export async function archiveOf(
  items: readonly Item[],
  from: string,
  parts: Moving,
): Promise<Buffer> {
  const all: Buffer[] = [];
  const here = { ...parts, from: { ...parts.from, directory: from } };
  for await (const part of packedHere(thread, items, here)) all.push(Buffer.from(part));
  return Buffer.concat(all);
}

/** Of some files: around the blocks of an archive and the parts that it goes in. */
export const sizes = fc.array(
  fc.oneof(
    fc.integer({ min: 0, max: 2000 }),
    fc.constantFrom(511, 512, 513, 262_144 - 512, 262_143, 262_144, 300_000, 4 * 2 ** 20),
  ),
  { maxLength: 60 },
);

export function inPieces(bytes: Buffer, size: number): Readable {
  const count = Math.ceil(bytes.length / size);
  return Readable.from(
    Array.from({ length: count }, (_, at) => bytes.subarray(at * size, (at + 1) * size)),
  );
}
