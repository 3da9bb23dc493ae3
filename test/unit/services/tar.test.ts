import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  readTar,
  tarEnd,
  tarFolder,
  tarHeader,
  tarLink,
  tarPadding,
} from '../../../src-main/services/transfers/tar.ts';

interface Entry {
  name: string;
  bytes: Buffer;
}

function archive(entries: readonly Entry[]): Buffer {
  const parts = entries.flatMap(({ name, bytes }) => [
    tarHeader({ name, size: bytes.length, mode: 0o640, modifiedAt: 1_000_000_001 }),
    bytes,
    tarPadding(bytes.length),
  ]);
  return Buffer.concat([...parts, tarEnd]);
}

async function* cutInto(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) {
    await Promise.resolve();
    yield bytes.subarray(at, at + size);
  }
}

async function contents(source: AsyncIterable<Buffer>): Promise<Entry[]> {
  const found: Entry[] = [];
  for await (const { name, bytes } of readTar(source)) {
    const parts: Buffer[] = [];
    for await (const part of bytes) parts.push(Buffer.from(part));
    found.push({ name, bytes: Buffer.concat(parts) });
  }
  return found;
}

describe('tar', () => {
  test('has folders, links and sizes beyond eight gibibytes as GNU tar reads them', () => {
    const facts = { mode: 0o750, modifiedAt: 1_000_000_001 };
    const long = `${'deep/'.repeat(30)}end`;
    const bytes = Buffer.concat([
      tarFolder({ ...facts, name: 'folder' }),
      tarLink({ ...facts, name: `folder/${long}` }, `../${long}`),
      tarHeader({ ...facts, name: 'huge', size: 10 * 2 ** 30 }),
    ]);
    const listed = execFileSync('sh', ['-c', 'tar -tvf - 2>&1 || true'], {
      input: bytes,
      encoding: 'utf8',
      env: { ...process.env, TZ: 'UTC', LC_ALL: 'C' },
    });
    expect(listed).toMatch(/^drwxr-x--- .* 2001-09-09 01:46 folder\/$/m);
    expect(listed).toContain(`folder/${long} -> ../${long}`);
    expect(listed).toMatch(/^-rwxr-x--- .* 10737418240 .* huge$/m);
  });

  test('any names and bytes go through, however they arrive', async () => {
    const entry = fc.record({
      name: fc.stringMatching(/^[^/\0]{1,200}$/).filter((name) => name.isWellFormed()),
      bytes: fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes)),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(entry, { maxLength: 5 }),
        fc.integer({ min: 1, max: 3000 }),
        async (entries, size) => {
          expect(await contents(cutInto(archive(entries), size))).toEqual(entries);
        },
      ),
      { numRuns: 40 },
    );
  });

  test('GNU tar reads what is written, long and raw names too', () => {
    const dir = mkdtempSync(join(tmpdir(), 'kohakuriver-tar-'));
    const long = `d/${'x'.repeat(200)}/${'y'.repeat(200)}`;
    execFileSync('tar', ['-x', '-p', '-f', '-', '-C', dir], {
      input: archive([
        { name: long, bytes: Buffer.from('long') },
        { name: 'raw\udcff\udcfe', bytes: Buffer.from('raw') },
      ]),
    });
    expect(readFileSync(join(dir, long), 'utf8')).toBe('long');
    const raw = Buffer.concat([Buffer.from(`${dir}/raw`), Buffer.from([0xff, 0xfe])]);
    expect(readFileSync(raw, 'utf8')).toBe('raw');
    rmSync(dir, { recursive: true });
  });

  test('what GNU tar writes is read, in its own form and in pax', async () => {
    for (const format of ['gnu', 'pax', 'ustar']) {
      const bytes = execFileSync('sh', [
        '-c',
        `cd "$(mktemp -d)" && mkdir d && echo hi > 'd/ünï' && ln -s x d/l && tar -c --format=${format} -f - ./d`,
      ]);
      const found = await contents(cutInto(bytes, 777));
      expect(found).toEqual([{ name: './d/ünï', bytes: Buffer.from('hi\n') }]);
    }
  });

  test('what is no archive, or ends in the middle, is refused', async () => {
    const good = archive([{ name: 'a', bytes: Buffer.alloc(1000, 1) }]);
    await expect(contents(cutInto(good.subarray(0, 900), 100))).rejects.toMatchObject({
      code: 'transfer/hostile',
    });
    await expect(contents(cutInto(Buffer.alloc(2048, 'x'), 512))).rejects.toMatchObject({
      code: 'transfer/hostile',
    });
    const greedy = tarHeader({ name: 'y'.repeat(300), size: 0, mode: 0, modifiedAt: 0 });
    greedy.write('77777777777', 124, 'latin1');
    await expect(contents(cutInto(greedy, 512))).rejects.toMatchObject({
      code: 'transfer/hostile',
    });
  });
});
