import { describe, expect, test, vi } from 'vitest';
import type { z } from 'zod';
import { readLogInput } from '../../../src-main/contract/procedures.ts';
import type { TaskId } from '../../../src-main/contract/ids.ts';
import { ProcessCreationError } from '../../../src-main/runtimes/process/errors.ts';
import { letGoBytes, type LogChunk, type Runtime } from '../../../src-main/runtimes/runtime.ts';
import { LogCollector } from '../../../src-main/services/logs/log-collector.ts';
import type { LogEntry } from '../../../src-main/store/logs/log-store.ts';
import type { TaskSide } from '../../support/task-side.ts';
import { World } from '../../support/world.ts';

vi.mock('node:fs/promises', () => import('../../support/immediate-disk.ts'));

const forever = new AbortController().signal;

/** Reads a log the way a client does; resolves when the stream ends. */
async function read(
  core: TaskSide,
  task: TaskId,
  more: Partial<z.input<typeof readLogInput>> = {},
): Promise<string> {
  const input = readLogInput.parse({ task, ...more });
  const chunks: Uint8Array[] = [];
  for await (const chunk of core.reader.read(input, forever)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe('reading', () => {
  test('follows from before the first attempt to the end, and then ends', async () => {
    await using world = await World.begin();
    const { core } = world;
    const id = await core.submit(['seconds=4', 'ticks=4', 'print=begin'], { hold: true });
    const reading = read(core, id, { follow: true });
    await world.pass(5000);
    await core.tasks.release([id], { who: 'anna' });
    await world.pass(10_000);
    const text = await reading;
    expect(text).toBe(`begin\ntick 0 of ${id}/1\ntick 2 of ${id}/1\n`);
    expect(await read(core, id)).toBe(text);
  });

  test('goes on through lost links and a crash without a gap or a repeat', async () => {
    await using world = await World.begin();
    const id = await world.core.submit(['seconds=20', 'ticks=20']);
    await world.pass(4500);
    world.core.fleet.disconnect(world.nodeId(), true);
    await world.pass(4000);
    world.core.connectAll();
    await world.pass(4000);
    expect(world.core.task(id).state.status).toBe('RUNNING');
    world.crash('power-cut', () => 0.5);
    await world.restart();
    await world.pass(3000);
    world.core.connectAll();
    await world.reaches(id, 'COMPLETED');
    const all = Array.from({ length: 10 }, (_, n) => `tick ${String(n * 2)} of ${id}/1\n`).join('');
    expect(await world.core.logOf(id)).toBe(all);
  });

  test('of both streams, a tail, from a byte, since an instant, as records', async () => {
    await using world = await World.begin();
    const { core } = world;
    const start = world.time.now();
    const id = await core.submit(['seconds=4', 'ticks=4']);
    await world.reaches(id, 'COMPLETED');
    const line = (n: number) => `tick ${String(n)} of ${id}/1\n`;
    expect(await read(core, id, { stream: 'both' })).toBe([0, 1, 2, 3].map(line).join(''));
    expect(await read(core, id, { stream: 'stderr' })).toBe(line(1) + line(3));
    expect(await read(core, id, { tailLines: 1 })).toBe(line(2));
    expect(await read(core, id, { fromOffset: line(0).length })).toBe(line(2));
    expect(await read(core, id, { stream: 'both', since: start + 2000 })).toBe(line(2) + line(3));
    const records = (await read(core, id, { format: 'records' })).trim().split('\n');
    expect(records.map((record) => JSON.parse(record) as unknown)).toEqual([
      {
        stream: 'stdout',
        offset: 0,
        time: new Date(start).toISOString(),
        base64: Buffer.from(line(0)).toString('base64'),
      },
      expect.objectContaining({ offset: line(0).length }),
    ]);
    await expect(read(core, id, { stream: 'both', fromOffset: 1 })).rejects.toMatchObject({
      code: 'input/invalid',
    });
  });

  test('ends when its reader goes', async () => {
    await using world = await World.begin();
    const { core } = world;
    const id = await core.submit(['seconds=400'], { hold: true });
    const abort = new AbortController();
    const input = readLogInput.parse({ task: id, follow: true });
    const reading = core.reader.read(input, abort.signal).next();
    await world.settle();
    abort.abort();
    expect(await reading).toMatchObject({ done: true });
  });

  test('of what never ran is empty', async () => {
    await using world = await World.begin();
    const { core } = world;
    const id = await core.submit(['seconds=400'], { hold: true });
    expect(await read(core, id)).toBe('');
    const reading = read(core, id, { follow: true });
    await core.tasks.kill([id], { who: 'anna', signal: 'SIGTERM' });
    expect(await reading).toBe('');
  });
});

describe('collecting', () => {
  /** What `logs` does when it is called for the n-th time (from 0) with a cursor. */
  type Source = (call: number, cursor: string | null) => readonly (LogChunk | Error)[];

  function chunk(number: number, text: string, more: Partial<LogChunk> = {}): LogChunk {
    const base = { stream: 'stdout' as const, timeNs: BigInt(number), cursor: String(number) };
    return { ...base, bytes: Buffer.from(text), ...more };
  }

  async function collected(source: Source, { maxBytes = 1e6, more = {} } = {}) {
    await using world = await World.begin();
    const { core } = world;
    const id = await core.submit(['seconds=1'], { hold: true });
    const collector = new LogCollector({
      logs: core.store.logs,
      clock: world.time,
      timers: world.time,
      maxBytesPerTask: () => maxBytes,
      setLogBytes: (task, bytes) => core.book.setLogBytes(task, bytes),
      log: core.log,
    });
    let calls = 0;
    const cursors: (string | null)[] = [];
    const logs = async function* (_ref: unknown, cursor: string | null) {
      cursors.push(cursor);
      for (const piece of source(calls++, cursor)) {
        await Promise.resolve();
        if (piece instanceof Error) throw piece;
        yield piece;
      }
    };
    const runtime = { logs, ...more } as unknown as Runtime;
    const collecting = collector.collect(runtime, { taskId: id, attempt: 1 }, forever);
    await world.pass(60_000);
    await collecting;
    const entries: LogEntry[] = [];
    for await (const entry of core.store.logs.read({ taskId: id, attempt: 1, stream: 'both' }))
      entries.push(entry);
    const told = entries.map((entry) =>
      entry.kind === 'bytes' ? Buffer.from(entry.bytes).toString() : entry.gap,
    );
    return { told, cursors, view: core.tasks.get(id), files: await core.store.logs.sizes(id) };
  }

  test('keeps exactly as much as the limit says, and marks the rest with few marks', async () => {
    const source = () => Array.from({ length: 100 }, (_, n) => chunk(n + 1, 'abcdefgh'));
    const { told, view } = await collected(source, { maxBytes: 20 });
    const reason = 'The log reached its size limit here; what followed was not kept.';
    expect(told).toEqual([
      'abcdefgh',
      'abcdefgh',
      'abcd',
      { reason, stream: 'stdout', lostBytes: 4 },
      { reason, stream: 'stdout', lostBytes: 97 * 8 },
    ]);
    expect(view).toMatchObject({ stdoutBytes: 20, stderrBytes: 0 });
  });

  test('marks what the node itself had rotated away', async () => {
    const { told } = await collected(() => [
      chunk(1, 'one'),
      chunk(2, 'nine', { isAfterGap: true }),
    ]);
    expect(told).toEqual(['one', expect.objectContaining({ stream: 'stdout' }), 'nine']);
  });

  test('says of what is over the limit that the limit is why, also where the node rotated it away', async () => {
    const source = () => [
      chunk(1, 'abcd'),
      chunk(2, 'ef'),
      chunk(3, '', { isAfterGap: true }),
      chunk(4, 'gh', { isAfterGap: true }),
    ];
    const { told } = await collected(source, { maxBytes: 4 });
    const [kept, ...gaps] = told;
    const reason = 'The log reached its size limit here; what followed was not kept.';
    expect(kept).toBe('abcd');
    expect(new Set(gaps.map((gap) => (typeof gap === 'object' ? gap.reason : gap)))).toEqual(
      new Set([reason]),
    );
  });

  test('asks again, from where it stopped, before it gives the rest up', async () => {
    const broken = new ProcessCreationError('The file cannot be read.');
    const twice = await collected((call) =>
      call < 2 ? [chunk(call + 1, `${String(call)} `), broken] : [chunk(9, 'end')],
    );
    expect(twice.told).toEqual(['0 ', '1 ', 'end']);
    expect(twice.cursors).toEqual([null, '1', '2']);
    const always = await collected((call) => (call === 0 ? [chunk(1, 'one'), broken] : [broken]));
    expect(always.told).toEqual([
      'one',
      { reason: 'The file cannot be read.', stream: null, lostBytes: null },
    ]);
    expect(always.cursors).toEqual([null, '1', '1', '1']);
  });

  test('lets the node go of what is stored or was dropped, and goes on where it does not', async () => {
    const gone: string[] = [];
    const letGoOfLog: Runtime['letGoOfLog'] = (_ref, cursor) => {
      gone.push(cursor);
      return Promise.reject(new ProcessCreationError('There is no fallocate.'));
    };
    const much = (n: number, bytes: number) => chunk(n, '', { bytes: Buffer.alloc(bytes) });
    const half = letGoBytes / 2;
    const source = () => [
      much(1, half),
      much(2, half),
      much(3, half),
      chunk(4, 'x'),
      much(5, half),
    ];
    const { view } = await collected(source, { maxBytes: 10, more: { letGoOfLog } });
    expect(gone).toEqual(['2', '5']);
    expect(view.stdoutBytes).toBe(10);
  });

  test('makes no file for a task that prints nothing', async () => {
    const { files, view } = await collected(() => []);
    expect(files).toEqual([]);
    expect(view).toMatchObject({ stdoutBytes: 0, stderrBytes: 0 });
  });
});
