import { randomBytes } from 'node:crypto';
import { readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  LogStore,
  type LogEntry,
  type LogQuery,
  type LogWriter,
} from '../../../src-main/store/logs/log-store.ts';
import { aDirectory, start, taskIdOf } from './support.ts';

const ref = { taskId: taskIdOf(1), attempt: 1 };
const all: LogQuery = { ...ref, stream: 'both' };
const timeNs = BigInt(start) * 1_000_000n;

async function aLogStore() {
  const directory = await aDirectory();
  const open = () => {
    const logs = new LogStore(directory);
    onTestFinished(() => logs[Symbol.asyncDispose]());
    return logs;
  };
  const file = (name: string) => join(directory, ref.taskId, name);
  return { logs: open(), open, file };
}

async function collect(entries: AsyncIterable<LogEntry>): Promise<LogEntry[]> {
  const found: LogEntry[] = [];
  for await (const entry of entries) found.push(entry);
  return found;
}

function bytesOf(entries: readonly LogEntry[]): Buffer {
  return Buffer.concat(entries.flatMap((entry) => (entry.kind === 'bytes' ? [entry.bytes] : [])));
}

async function textOf(logs: LogStore, query: Partial<LogQuery>): Promise<string> {
  return bytesOf(await collect(logs.read({ ...ref, stream: 'stdout', ...query }))).toString();
}

let printed = 0;
function print(
  writer: LogWriter,
  text: string,
  more: { stream?: 'stdout' | 'stderr'; at?: number } = {},
) {
  printed += 1;
  return writer.append({
    stream: more.stream ?? 'stdout',
    bytes: Buffer.from(text),
    timeNs: timeNs + BigInt(more.at ?? 0) * 1_000_000n,
    cursor: `c${printed}`,
  });
}

describe('a log', () => {
  test('comes back as it was printed, each stream with its offsets', async () => {
    const { logs } = await aLogStore();
    const writer = await logs.openWriter(ref.taskId, ref.attempt);
    await print(writer, 'one\n');
    await print(writer, 'oops\n', { stream: 'stderr', at: 1 });
    await writer.appendGap({
      reason: 'rotated away',
      stream: 'stdout',
      lostBytes: null,
      timeNs,
      cursor: null,
    });
    await print(writer, 'two', { at: 2 });
    expect(await collect(logs.read(all))).toEqual([
      { kind: 'bytes', stream: 'stdout', offset: 0, timeNs, bytes: Buffer.from('one\n') },
      {
        kind: 'bytes',
        stream: 'stderr',
        offset: 0,
        timeNs: timeNs + 1_000_000n,
        bytes: Buffer.from('oops\n'),
      },
      { kind: 'gap', timeNs, gap: { reason: 'rotated away', stream: 'stdout', lostBytes: null } },
      {
        kind: 'bytes',
        stream: 'stdout',
        offset: 4,
        timeNs: timeNs + 2_000_000n,
        bytes: Buffer.from('two'),
      },
    ]);
    expect(await logs.sizes(ref.taskId)).toEqual([
      { attempt: 1, stdoutBytes: 7, stderrBytes: 5, fileBytes: writer.fileBytes },
    ]);
    expect(await textOf(logs, { stream: 'stderr' })).toBe('oops\n');
  });

  test('that does not exist is empty', async () => {
    const { logs } = await aLogStore();
    expect(await collect(logs.read(all))).toEqual([]);
    expect(await logs.sizes(ref.taskId)).toEqual([]);
  });

  test('is gone with its task', async () => {
    const { logs, file } = await aLogStore();
    const writer = await logs.openWriter(ref.taskId, ref.attempt);
    await print(writer, 'x');
    await logs.remove(ref.taskId);
    await expect(stat(file('1.log'))).rejects.toThrow();
    await logs.remove(ref.taskId);
  });

  test('has one writer', async () => {
    const { logs } = await aLogStore();
    const writer = await logs.openWriter(ref.taskId, ref.attempt);
    await expect(logs.openWriter(ref.taskId, ref.attempt)).rejects.toMatchObject({
      code: 'conflict/state',
    });
    await writer.close();
    await (await logs.openWriter(ref.taskId, ref.attempt)).close();
  });

  test('holds any bytes, however they were cut', async () => {
    const piece = fc.tuple(
      fc.constantFrom('stdout' as const, 'stderr' as const),
      fc.uint8Array({ maxLength: 200 }),
      fc.boolean(),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 30 }), fc.nat(400), async (pieces, offset) => {
        const { logs, open } = await aLogStore();
        let writer = await logs.openWriter(ref.taskId, ref.attempt);
        const printedBytes = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };
        for (const [stream, bytes, isReopened] of pieces) {
          await writer.append({ stream, bytes, timeNs, cursor: 'c' });
          printedBytes[stream] = Buffer.concat([printedBytes[stream], bytes]);
          if (!isReopened) continue;
          await writer.close();
          writer = await logs.openWriter(ref.taskId, ref.attempt);
        }
        await writer.flush();
        for (const stream of ['stdout', 'stderr'] as const) {
          for (const reader of [logs, open()]) {
            const found = await collect(reader.read({ ...ref, stream, fromOffset: offset }));
            expect(bytesOf(found)).toEqual(printedBytes[stream].subarray(offset));
          }
        }
      }),
      { numRuns: 15 },
    );
  });
});

describe('a part of a log', () => {
  const lines = async () => {
    const { logs } = await aLogStore();
    const writer = await logs.openWriter(ref.taskId, ref.attempt);
    await print(writer, 'a\nb', { at: 0 });
    await print(writer, 'E1\n', { stream: 'stderr', at: 1 });
    await print(writer, 'b\nc\n', { at: 2 });
    await print(writer, 'd', { at: 3 });
    return logs;
  };

  test.each([
    [{ tailLines: 0 }, ''],
    [{ tailLines: 1 }, 'd'],
    [{ tailLines: 2 }, 'c\nd'],
    [{ tailLines: 3 }, 'bb\nc\nd'],
    [{ tailLines: 4 }, 'a\nbb\nc\nd'],
    [{ tailLines: 99 }, 'a\nbb\nc\nd'],
    [{ stream: 'stderr', tailLines: 1 }, 'E1\n'],
    [{ stream: 'both', tailLines: 3 }, 'b\nc\nd'],
    [{ fromOffset: 0 }, 'a\nbb\nc\nd'],
    [{ fromOffset: 3 }, 'b\nc\nd'],
    [{ fromOffset: 4 }, '\nc\nd'],
    [{ fromOffset: 99 }, ''],
    [{ since: start + 2 }, 'b\nc\nd'],
    [{ since: start + 4 }, ''],
  ] as const)('%j', async (range, text) => {
    expect(await textOf(await lines(), range)).toBe(text);
  });

  test('is found in a long log without reading what lies before', async () => {
    const { logs, open, file } = await aLogStore();
    const writer = await logs.openWriter(ref.taskId, ref.attempt);
    const line = (n: number) => `${String(n).padStart(15, '0')}\n`;
    for (let n = 0; n < 1_000_000; n += 2000) {
      const text = Array.from({ length: 2000 }, (_, i) => line(n + i)).join('');
      await print(writer, text, { at: n });
    }
    await writer.sync();
    await writer.close();
    // Damage near the beginning: whoever reads there fails.
    const bytes = await readFile(file('1.log'));
    bytes.fill(0xff, 100_000, 100_100);
    await writeFile(file('1.log'), bytes);
    for (const reader of [logs, open()]) {
      expect(await textOf(reader, { fromOffset: 16 * 999_999 })).toBe(line(999_999));
      expect(await textOf(reader, { tailLines: 3 })).toBe(
        line(999_997) + line(999_998) + line(999_999),
      );
      expect((await textOf(reader, { since: start + 998_000 })).slice(0, 16)).toBe(line(998_000));
      await expect(textOf(reader, {})).rejects.toMatchObject({ code: 'store/log-corrupt' });
    }
    const again = await logs.openWriter(ref.taskId, ref.attempt);
    expect(again.stdoutBytes).toBe(16_000_000);
  });
});

describe('after a crash', () => {
  test('a log goes on behind its last whole record, wherever it was torn', async () => {
    const { logs, open, file } = await aLogStore();
    const writer = await logs.openWriter(ref.taskId, ref.attempt);
    await writer.append({
      stream: 'stdout',
      bytes: Buffer.from('kept'),
      timeNs,
      cursor: 'after kept',
    });
    await writer.flush();
    const kept = writer.fileBytes;
    await writer.append({
      stream: 'stdout',
      bytes: Buffer.from('torn'),
      timeNs,
      cursor: 'after torn',
    });
    await writer.close();
    const size = (await stat(file('1.log'))).size;
    for (let length = size - 1; length >= kept; length -= 5) {
      await truncate(file('1.log'), length);
      const reader = open();
      expect(await textOf(reader, {})).toBe('kept');
      const next = await reader.openWriter(ref.taskId, ref.attempt);
      expect(next).toMatchObject({ lastCursor: 'after kept', stdoutBytes: 4, fileBytes: kept });
      await next.append({
        stream: 'stdout',
        bytes: Buffer.from('torn'),
        timeNs,
        cursor: 'after torn',
      });
      await next.close();
      expect(await textOf(reader, {})).toBe('kepttorn');
    }
  });

  test('a record that was cut into pieces counts with its last piece', async () => {
    const { logs, open, file } = await aLogStore();
    const writer = await logs.openWriter(ref.taskId, ref.attempt);
    await print(writer, 'first');
    const cursor = writer.lastCursor;
    const big = randomBytes(3_000_000);
    await writer.append({ stream: 'stderr', bytes: big, timeNs, cursor: 'big' });
    await writer.close();
    expect(bytesOf(await collect(logs.read({ ...ref, stream: 'stderr' }))).equals(big)).toBe(true);
    await truncate(file('1.log'), (await stat(file('1.log'))).size - 1);
    expect(await open().openWriter(ref.taskId, ref.attempt)).toMatchObject({
      lastCursor: cursor,
      stdoutBytes: 5,
      stderrBytes: 0,
    });
  });

  test('garbage at the end and a lost index change nothing', async () => {
    const { logs, open, file } = await aLogStore();
    const writer = await logs.openWriter(ref.taskId, ref.attempt);
    await print(writer, 'whole\n');
    await writer.close();
    await writeFile(file('1.log'), randomBytes(5000), { flag: 'a' });
    await writeFile(file('1.idx'), randomBytes(300));
    expect(await textOf(open(), {})).toBe('whole\n');
    const next = await open().openWriter(ref.taskId, ref.attempt);
    expect(next.stdoutBytes).toBe(6);
  });
});

describe('following', () => {
  test('gives what is there, then what comes, and ends when told', async () => {
    const { logs } = await aLogStore();
    const ended = new AbortController();
    const following = collect(logs.follow({ ...ref, stream: 'stdout' }, ended.signal));
    const writer = await logs.openWriter(ref.taskId, ref.attempt);
    for (let n = 0; n < 50; n += 1) {
      await print(writer, `${n}\n`);
      if (n % 7 === 0) await writer.flush();
    }
    void print(writer, 'last');
    ended.abort();
    const expected = Array.from({ length: 50 }, (_, n) => `${n}\n`).join('') + 'last';
    expect(bytesOf(await following).toString()).toBe(expected);
  });

  test('goes on from the last lines', async () => {
    const { logs } = await aLogStore();
    const writer = await logs.openWriter(ref.taskId, ref.attempt);
    await print(writer, 'a\nb\nc\n');
    const ended = new AbortController();
    const following = logs.follow({ ...ref, stream: 'stdout', tailLines: 1 }, ended.signal);
    const first = await following.next();
    expect(bytesOf([first.value as LogEntry]).toString()).toBe('c\n');
    await print(writer, 'd\n');
    ended.abort();
    expect(bytesOf(await collect(following)).toString()).toBe('d\n');
  });

  test('can be left at any time', async () => {
    const { logs } = await aLogStore();
    const writer = await logs.openWriter(ref.taskId, ref.attempt);
    await print(writer, 'a');
    for await (const entry of logs.follow(all, new AbortController().signal)) {
      expect(entry.kind).toBe('bytes');
      break;
    }
  });
});
