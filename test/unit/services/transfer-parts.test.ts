import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';
import { afterAll, expect, test } from 'vitest';
import type { Timers } from '../../../src-main/domain/clock.ts';
import { endOnAbort } from '../../../src-main/link/end-on-abort.ts';
import type { RemoteProcess } from '../../../src-main/link/node-link.ts';
import { writeFrom } from '../../../src-main/services/files/file-bytes.ts';
import { sha256, startDigest, type Digest } from '../../../src-main/services/transfers/digests.ts';
import { wayTo } from '../../../src-main/services/transfers/direct.ts';
import { writeLarge } from '../../../src-main/services/transfers/large-writing.ts';
import { isHashedBeside } from '../../../src-main/services/transfers/hashing-beside.ts';
import type { Tools } from '../../../src-main/services/transfers/far-side.ts';
import { LocalHashes } from '../../../src-main/services/transfers/here/local-hashes.ts';
import { LocalThread } from '../../../src-main/services/transfers/here/local-thread.ts';
import { intoTar } from '../../../src-main/services/transfers/into-tar.ts';
import { SharedPace } from '../../../src-main/services/transfers/pace.ts';
import { PartMemory } from '../../../src-main/services/transfers/part-memory.ts';
import { inParts } from '../../../src-main/services/transfers/parts.ts';

const { signal } = new AbortController();

const dir = mkdtempSync(join(tmpdir(), 'kohakuriver-parts-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Bytes of which no two stretches are alike. */
function pattern(bytes: number): Buffer {
  const all = Buffer.alloc(bytes - (bytes % 4));
  for (let at = 0; at < all.length; at += 4) all.writeUInt32BE(Math.imul(at, 2654435761) >>> 0, at);
  return all;
}

const gmac = { kind: 'gmac', key: '0f'.repeat(16), iv: '1e'.repeat(12) } as const;

function sumOf(digest: Digest, bytes: Uint8Array): string {
  const sum = startDigest(digest);
  sum.update(bytes);
  return sum.finish();
}

async function collect(stream: Readable): Promise<Buffer[]> {
  const parts: Buffer[] = [];
  for await (const part of inParts(stream)) parts.push(part);
  return parts;
}

test('what comes fast comes in few parts, with every byte in its place', async () => {
  const whole = pattern(5_000_000);
  const packets = Array.from({ length: Math.ceil(whole.length / 7001) }, (_, index) =>
    whole.subarray(index * 7001, (index + 1) * 7001),
  );
  const parts = await collect(Readable.from(packets, { objectMode: false }));
  expect(Buffer.concat(parts).equals(whole)).toBe(true);
  expect(parts.length).toBeLessThan(packets.length / 2);
});

test('what comes slowly is handed on at once', async () => {
  const stream = new PassThrough();
  const parts = inParts(stream);
  for (const text of ['one', 'two']) {
    stream.write(text);
    expect(String((await parts.next()).value)).toBe(text);
  }
  stream.end();
  expect((await parts.next()).done).toBe(true);
});

test('memory is used again when nobody has any of it, and not before', async () => {
  const memory = new PartMemory(64 * 1024);
  const stream = new PassThrough();
  const parts = inParts(stream, memory);
  const next = async (text: string) => {
    stream.write(text);
    return (await parts.next()).value as Buffer;
  };
  const [one, two] = [await next('one'), await next('two')];
  expect(one.buffer).toBe(two.buffer);
  await parts.return(undefined);
  memory.giveBack(one);
  expect(memory.take().buffer).not.toBe(two.buffer);
  memory.giveBack(two);
  memory.giveBack(two);
  expect(memory.take().buffer).toBe(two.buffer);
  expect(memory.take().buffer).not.toBe(two.buffer);
});

test('a stream that breaks off is no stream that ends', async () => {
  const broken = new PassThrough();
  broken.write('some');
  setImmediate(() => broken.destroy(new Error('the link dropped')));
  await expect(collect(broken)).rejects.toThrow('the link dropped');
  const silent = new PassThrough();
  setImmediate(() => silent.destroy());
  await expect(collect(silent)).rejects.toThrow('before its end');
  const ended = Readable.from([Buffer.from('x')]);
  ended.resume();
  await new Promise((resolve) => ended.once('close', resolve));
  expect(await collect(ended)).toEqual([]);
});

test('nobody takes it: the stream waits', async () => {
  let given = 0;
  const endless = new Readable({
    read() {
      given += 65_536;
      this.push(Buffer.alloc(65_536));
    },
  });
  const parts = inParts(endless);
  await parts.next();
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  expect(given).toBeLessThan(8 * 1024 * 1024);
  await parts.return(undefined);
  expect(endless.isPaused()).toBe(true);
});

test.each([sha256, gmac])(
  'a file is hashed ($kind) behind whoever writes it, and by itself',
  async (digest) => {
    await using thread = new LocalThread();
    const { hashes } = thread;
    const path = join(dir, `growing ${digest.kind}`);
    const whole = pattern(20_000_000);
    const expected = sumOf(digest, whole);
    writeFileSync(path, '');
    using following = hashes.follow(path, digest, signal);
    for (let at = 0; at < whole.length; at += 4_000_000) {
      writeFileSync(path, whole.subarray(at, at + 4_000_000), { flag: 'a' });
      following.advance(at + 4_000_000);
    }
    expect(await following.finish(whole.length)).toBe(expected);
    expect(await hashes.of(path, { end: Infinity, digest: digest, signal })).toBe(expected);
    const start = sumOf(digest, whole.subarray(0, 12_345_678));
    expect(await hashes.of(path, { end: 12_345_678, digest: digest, signal })).toBe(start);
  },
);

test('small files are hashed together, each as it is, and what cannot be read is named', async () => {
  await using thread = new LocalThread();
  const { hashes } = thread;
  const files = Array.from({ length: 120 }, (_, index) => {
    const path = join(dir, `small ${index}`);
    const bytes = pattern(index === 7 ? 3_000_000 : index * 40);
    writeFileSync(path, bytes);
    return { path, size: bytes.length, sum: sumOf(sha256, bytes) };
  });
  expect(await hashes.ofEach(files, signal)).toEqual(files.map(({ sum }) => sum));
  expect(await hashes.ofEach([], signal)).toEqual([]);
  const all = Buffer.concat(files.map(({ path }) => readFileSync(path)));
  for (const digest of [sha256, gmac])
    expect(await hashes.ofAll(files, digest, signal)).toBe(sumOf(digest, all));
  // One that grew is not taken for what it was; a pipe is not waited for.
  const [, second] = files;
  writeFileSync(second!.path, 'more', { flag: 'a' });
  expect(await hashes.ofEach([second!], signal)).not.toEqual([second!.sum]);
  expect(await hashes.ofAll(files, sha256, signal)).not.toBe(sumOf(sha256, all));
  execFileSync('mkfifo', [join(dir, 'pipe')]);
  const pipe = { path: join(dir, 'pipe'), size: 5 };
  await expect(hashes.ofEach([second!, pipe], signal)).rejects.toThrow(/pipe/);
  const missing = { path: join(dir, 'gone'), size: 1 };
  await expect(hashes.ofEach([second!, missing], signal)).rejects.toThrow(/gone/);
  await expect(hashes.ofAll([second!, missing], sha256, signal)).rejects.toThrow(/gone/);
});

/** Writes 70 MiB to a disk of this computer that is asked to save them. */
function writeHere(sync: () => Promise<void>) {
  const part = Buffer.alloc(2 ** 20);
  const file = { write: async () => undefined, sync, [Symbol.asyncDispose]: async () => undefined };
  const to = {
    root: { nodeId: undefined, files: { open: async () => file } },
    tools: {},
    thread: {},
  } as unknown as Parameters<typeof writeLarge>[0];
  const target = { path: '/f', start: 0, size: 70 * 2 ** 20, mode: 0o600, isHashed: false, signal };
  return writeLarge(
    to,
    { ...target, memory: new PartMemory() },
    Readable.from(Array.from({ length: 70 }, () => part)) as AsyncIterable<Buffer>,
  );
}

test('what is written here goes to the disk on the way, and all of it before it is done', async () => {
  const told: (() => void)[] = [];
  const ended = writeHere(() => new Promise((resolve) => told.push(resolve)));
  let isDone = false;
  void ended.then(() => (isDone = true));
  await expect.poll(() => told.length).toBe(1);
  told[0]?.();
  await expect.poll(() => told.length).toBe(2);
  expect(isDone).toBe(false);
  told[1]?.();
  expect((await ended).end).toBe(70 * 2 ** 20);
});

test('a disk that fails once on the way has not taken the file, whatever it says later', async () => {
  let asked = 0;
  const sync = async () => {
    asked += 1;
    if (asked === 1) throw new Error('it could not be written');
  };
  await expect(writeHere(sync)).rejects.toThrow('it could not be written');
});

test.each([
  ['one core', 1, gmac, 2 ** 20, false],
  ['one core, more than its memory', 1, gmac, 2 ** 40, false],
  ['two cores', 2, gmac, 2 ** 30, false],
  ['two cores, more than stays in its memory', 2, gmac, 3 * 2 ** 30, true],
  ['two cores, a hash that takes long', 2, sha256, 2 ** 20, true],
  ['many cores', 8, gmac, 2 ** 20, true],
  ['nobody knows how many', 0, gmac, 2 ** 20, true],
])('a node with %s', (_what, cores, digest, size, isBeside) => {
  const tools = { cores, memoryBytes: 8 * 2 ** 30 } as Tools;
  expect(isHashedBeside({ tools, digest, thread: undefined }, size)).toBe(isBeside);
  // This computer reads no file of any size from its disk twice.
  const thread = {} as LocalThread;
  expect(isHashedBeside({ tools, digest, thread }, 2 ** 40)).toBe(true);
  const unknown = { cores, memoryBytes: 0 } as Tools;
  expect(isHashedBeside({ tools: unknown, digest, thread: undefined }, size)).toBe(cores !== 1);
});

test('one rate holds for all together, and another is taken up at once', async () => {
  const waits: number[] = [];
  let now = 0;
  const timers = {
    after: (ms: number, run: () => void) => {
      waits.push(ms);
      now += ms;
      queueMicrotask(run);
      return { [Symbol.dispose]: () => undefined };
    },
  } as unknown as Timers;
  const shared = new SharedPace({ clock: { monotonic: () => now }, timers });
  expect(shared.at(null)).toBeUndefined();
  await shared.at(1000)?.spend(500, signal);
  await shared.at(1000)?.spend(500, signal);
  expect(now).toBe(1000);
  await shared.at(100)?.spend(50, signal);
  expect(waits.at(-1)).toBe(500);
  expect(shared.at(null)).toBeUndefined();
});

test('what cannot be read is named; a thread that is gone leaves nobody waiting', async () => {
  const thread = new LocalThread();
  const { hashes } = thread;
  await expect(
    hashes.of(join(dir, 'nowhere'), { end: 1, digest: sha256, signal }),
  ).rejects.toMatchObject({
    code: 'transfer/item',
  });
  writeFileSync(join(dir, 'there'), 'x');
  const following = hashes.follow(join(dir, 'there'), sha256, signal);
  await thread[Symbol.asyncDispose]();
  await expect(following.finish(1)).rejects.toThrow('could not be read to be compared');
  following[Symbol.dispose]();
});

test('a receiver that tells its sender of a server cannot give it options or commands', () => {
  const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGx/+x=';
  for (const good of ['22222 root 10.0.0.7', '443 anna fe80::1%eth0', '1 a_b.c-d ::1'])
    expect(wayTo(`ready ${good} ${key}`)).toBe(`${good} ${key}`);
  for (const bad of [
    '22 root -oProxyCommand=reboot',
    '22 -oProxyCommand=reboot 10.0.0.7',
    '22 root gpu1.lab',
    '-p22 root 10.0.0.7',
    '222222 root 10.0.0.7',
    '22 root 10.0.0.7;reboot',
    '22 $(reboot) 10.0.0.7',
    '22 root 10.0.0.7\n-v',
    '22 root 10.0.0.7%-x',
  ])
    expect(wayTo(`ready ${bad} ${key}`)).toBeUndefined();
  expect(wayTo(`ready 22 root 10.0.0.7 ${key} -v`)).toBeUndefined();
  expect(wayTo(`ready 22 root 10.0.0.7 ssh-rsa AAAA`)).toBeUndefined();
});

test('small parts that lie one after the other are written together where they lie', async () => {
  const whole = pattern(2_000_000);
  const written: Uint8Array[] = [];
  const taken: Uint8Array[] = [];
  function* pieces() {
    let at = 0;
    for (let size = 5000; at < whole.length; size = (size * 7) % 70_001) {
      yield whole.subarray(at, at + size);
      at += size;
    }
    // Elsewhere in memory.
    yield Buffer.from('the end');
  }
  const write = (_position: number, part: Uint8Array) => {
    written.push(part);
    return Promise.resolve();
  };
  const options = { from: 0, onTaken: (part: Uint8Array) => void taken.push(part) };
  const end = await writeFrom({ write }, options, Readable.from(pieces()));
  expect(end).toBe(whole.length + 7);
  expect(Buffer.concat(written)).toEqual(Buffer.concat([whole, Buffer.from('the end')]));
  const large = written.filter(({ length }) => length > 64 * 1024);
  expect(large.every(({ buffer }) => buffer === whole.buffer)).toBe(true);
  expect(large.length).toBeGreaterThan(5);
  expect(written.length).toBeLessThan(large.length + 3);
  // Every part is told of, alone or for those it stands for.
  expect(taken.length).toBeGreaterThan(30);
});

test('hashing is not waited for once nobody wants it, whatever the thread hangs in', async () => {
  let givenUp = 0;
  const thread = {
    begin: () => ({ post: () => undefined, [Symbol.dispose]: () => void (givenUp += 1) }),
  };
  const silent = new LocalHashes(thread);
  const stopping = new AbortController();
  const file = { path: '/f', size: 1 };
  const asked = [
    silent.of('/f', { end: Infinity, digest: sha256, signal: stopping.signal }),
    silent.ofEach([file], stopping.signal),
    silent.ofAll([file], sha256, stopping.signal),
  ];
  stopping.abort(new Error('cancelled'));
  for (const one of asked) await expect(one).rejects.toThrow('cancelled');
  expect(givenUp).toBe(3);
  await expect(silent.ofEach([file], stopping.signal)).rejects.toThrow('cancelled');
  expect(givenUp).toBe(3);
});

/** A program on a node that takes nothing, says nothing and has no end, as one in a file system that hangs. */
function hanging(signal: AbortSignal) {
  const process = {
    stdin: new Writable({ write: () => undefined }),
    stdout: new PassThrough(),
    stderr: new PassThrough(),
    ended: new Promise<never>(() => undefined),
    end: async () => undefined,
    [Symbol.asyncDispose]: async () => void process.stderr.destroy(),
  };
  const timers = {
    after: (_ms: number, run: () => void) => {
      queueMicrotask(run);
      return { [Symbol.dispose]: () => undefined };
    },
  } as unknown as Timers;
  const onError = (error: unknown) => {
    throw error;
  };
  endOnAbort(process as unknown as RemoteProcess, signal, { timers, onError });
  return process;
}

test.each(['while it is given more', 'when it has all'])(
  'a program that takes nothing is not waited for once nobody wants it: %s',
  async (when) => {
    const size = when === 'when it has all' ? 10 : 2 ** 20;
    const parts = () => Readable.from([Buffer.alloc(size)]) as AsyncIterable<Buffer>;
    const stopping = new AbortController();
    const end = {
      root: { nodeId: 'n1', spawn: async () => hanging(stopping.signal) },
      tools: { shell: true },
      directory: '/d',
      digest: sha256,
      thread: undefined,
    } as unknown as Parameters<typeof writeLarge>[0];
    const target = { path: '/d/f', start: 0, size, mode: 0o600, isHashed: false };
    const { signal: stopped } = stopping;
    const memory = new PartMemory();
    const writing = [
      writeLarge(end, { ...target, signal: stopped, memory }, parts()),
      intoTar(parts(), { to: end, signal: stopped }),
    ];
    setTimeout(() => stopping.abort(new Error('cancelled')), 10);
    for (const one of writing) await expect(one).rejects.toThrow('cancelled');
  },
);
