// The core's log as it is read and followed, and how it feels.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { NodeId } from '../../../src-main/contract/ids.ts';
import { Emitter } from '../../../src-main/domain/emitter.ts';
import type { NodeLink } from '../../../src-main/link/node-link.ts';
import { CoreLogReader } from '../../../src-main/services/diagnostics/core-log-reader.ts';
import { Diagnostics } from '../../../src-main/services/diagnostics/diagnostics.ts';
import type { LinkStory } from '../../../src-main/services/nodes/link-story.ts';
import { coreLogBytes, tailOfCoreLog } from '../../../src-main/store/core-log-files.ts';
import { FakeTime, settle } from '../../support/fake-time.ts';

const line = (level: number, msg: string) => JSON.stringify({ level, time: 1, msg });

describe('the core log on disk', () => {
  let dir: string;
  beforeEach(async () => (dir = await mkdtemp(join(tmpdir(), 'kr-core-log-'))));
  afterEach(() => rm(dir, { recursive: true, force: true }));

  const tail = (limit: number, matches = (_line: string) => true) =>
    tailOfCoreLog(dir, { limit, matches });

  test('the last lines come across files, the highest number last', async () => {
    await writeFile(join(dir, 'core.9.log'), 'a\nb\n');
    await writeFile(join(dir, 'core.10.log'), 'c\nd\n');
    await writeFile(join(dir, 'core.10.log.bak'), 'never\n');
    expect(await tail(3)).toEqual(['b', 'c', 'd']);
    expect(await tail(100)).toEqual(['a', 'b', 'c', 'd']);
    expect(await tail(0)).toEqual([]);
    expect(await coreLogBytes(dir)).toBe(8);
  });

  test('lines longer than a read, and letters cut by its edge, come whole', async () => {
    const long = 'ü'.repeat(50_000);
    await writeFile(join(dir, 'core.1.log'), `first\n${long}\nlast without an end`);
    expect(await tail(10)).toEqual(['first', long, 'last without an end']);
  });

  test('only those that match count', async () => {
    const lines = Array.from({ length: 5000 }, (_, n) => line(n % 1000 === 0 ? 50 : 30, String(n)));
    await writeFile(join(dir, 'core.1.log'), `${lines.join('\n')}\n`);
    const errors = await tail(3, (each) => each.includes('"level":50'));
    expect(errors.map((each) => (JSON.parse(each) as { msg: string }).msg)).toEqual([
      '2000',
      '3000',
      '4000',
    ]);
  });

  test('no file is no line', async () => {
    expect(await tail(10)).toEqual([]);
  });
});

describe('reading the core log', () => {
  function reader(old: readonly string[]) {
    const written = new Emitter<string>();
    const read = new CoreLogReader({
      tail: ({ limit, matches }) => Promise.resolve(old.filter(matches).slice(-limit)),
      onDidWrite: written.event,
    });
    return { read, written };
  }
  const text = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString();

  test('filters by level, the old lines and the new', async () => {
    const { read, written } = reader([line(20, 'quiet'), line(40, 'loud')]);
    const abort = new AbortController();
    const input = { level: 'warning', tailLines: 10, follow: true } as const;
    const lines = read.read(input, abort.signal);
    expect(text((await lines.next()).value as Uint8Array)).toBe(`${line(40, 'loud')}\n`);
    const next = lines.next();
    written.emit(`${line(30, 'small')}\n`);
    written.emit(`${line(50, 'worse')}\n`);
    expect(text((await next).value as Uint8Array)).toBe(`${line(50, 'worse')}\n`);
    const end = lines.next();
    abort.abort();
    expect((await end).done).toBe(true);
    expect(written.listenerCount).toBe(0);
  });

  test('a line written while the end of the file is read is there once', async () => {
    const written = new Emitter<string>();
    const both = line(30, 'both');
    const read = new CoreLogReader({
      tail: () => {
        written.emit(`${both}\n`);
        return Promise.resolve([both]);
      },
      onDidWrite: written.event,
    });
    const abort = new AbortController();
    const input = { level: 'full', tailLines: 10, follow: true } as const;
    const lines = read.read(input, abort.signal);
    expect(text((await lines.next()).value as Uint8Array)).toBe(`${both}\n`);
    const next = lines.next();
    written.emit(`${line(30, 'after')}\n`);
    expect(text((await next).value as Uint8Array)).toBe(`${line(30, 'after')}\n`);
    abort.abort();
    await lines.return();
  });

  test('one who reads slowly is told what was left out, and memory stays bounded', async () => {
    const { read, written } = reader([line(30, 'old')]);
    const abort = new AbortController();
    const input = { level: 'full', tailLines: 1, follow: true } as const;
    const lines = read.read(input, abort.signal);
    await lines.next();
    const big = line(30, 'x'.repeat(10_000));
    for (let n = 0; n < 500; n += 1) written.emit(`${big}\n`);
    const got = text((await lines.next()).value as Uint8Array);
    expect(got.length).toBeLessThan(1.1 * 1024 * 1024);
    const kept = got.trim().split('\n').length - 1;
    expect(got).toContain(`${500 - kept} lines are left out here`);
    abort.abort();
    await lines.return();
  });
});

describe('how the core feels', () => {
  const story = (link: Partial<NodeLink> | undefined): LinkStory => ({
    nodeId: '1' as NodeId,
    name: 'alpha',
    local: false,
    state: link === undefined ? 'offline' : 'online',
    since: 5,
    reason: link === undefined ? 'Nothing answered.' : null,
    drops: 2,
    link: link as NodeLink | undefined,
  });

  function make(links: () => LinkStory[]) {
    const time = new FakeTime();
    let cpu = 0;
    let sized = 0;
    const diagnostics = new Diagnostics({
      clock: time,
      timers: time,
      log: silent,
      runtime: { node: 'v24', platform: 'linux', arch: 'x64' },
      links,
      eventLoop: () => ({ medianMs: 0, p99Ms: 1, maxMs: 2 }),
      memory: () => ({ rssBytes: 1, heapUsedBytes: 1, heapTotalBytes: 1, externalBytes: 1 }),
      cpuMs: () => (cpu += 200),
      sizes: () => {
        sized += 1;
        return Promise.resolve({
          databaseBytes: sized,
          walBytes: 0,
          taskLogBytes: 0,
          coreLogBytes: 0,
        });
      },
    });
    return { time, diagnostics };
  }
  const nothing = () => undefined;
  const silent = {
    debug: nothing,
    info: nothing,
    warn: nothing,
    error: nothing,
    child: () => silent,
  };

  test('a link says its round trip and sessions; one that does not answer has no figure', async () => {
    const up = {
      authenticatedBy: 'agent',
      ping: () => Promise.resolve(3.2),
      channels: () => ({ connections: 2, sessions: 12, sessionLimit: 20 }),
    };
    const dead = { authenticatedBy: 'agent', ping: () => Promise.reject(new Error('late')) };
    const { diagnostics } = make(() => [story(up)]);
    expect((await diagnostics.report()).links[0]).toMatchObject({
      roundTripMs: 3.2,
      drops: 2,
      channels: { connections: 2, sessions: 12, sessionLimit: 20 },
    });
    const other = make(() => [story(dead)]);
    expect((await other.diagnostics.report()).links[0]).toMatchObject({
      roundTripMs: null,
      channels: null,
    });
    const gone = make(() => [story(undefined)]);
    expect((await gone.diagnostics.report()).links[0]).toMatchObject({
      state: 'offline',
      roundTripMs: null,
      authenticatedBy: null,
    });
  });

  test('is measured only while somebody listens, sizes and pings less often', async () => {
    let pings = 0;
    const link = { ping: () => Promise.resolve((pings += 1)) };
    const { time, diagnostics } = make(() => [story(link)]);
    const reports: (number | null)[] = [];
    const pass = async (ms: number) => {
      for (let at = 0; at < ms; at += 1000) {
        time.advance(1000);
        await settle();
      }
    };
    await pass(60_000);
    expect(pings).toBe(0);
    const first = diagnostics.onDidChange(({ cpuShare }) => reports.push(cpuShare));
    const second = diagnostics.onDidChange(nothing);
    await pass(20_000);
    expect(reports).toHaveLength(10);
    // 200 ms of each 2 s.
    expect(reports.slice(1)).toEqual(reports.slice(1).map(() => 0.1));
    expect(reports[0]).toBeNull();
    expect(pings).toBe(2);
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    second[Symbol.dispose]();
    await pass(60_000);
    expect(reports).toHaveLength(10);
  });
});
