import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connect, type ConnectedClient } from '../../src-main/contract/client.ts';
import { RemoteError } from '../../src-main/contract/errors.ts';
import type { StreamName } from '../../src-main/contract/procedures.ts';
import { carriers, type Carrier, type Pair } from './carriers.ts';
import { SampleCore, sampleContract } from './sample.ts';

const mebibyte = 1024 * 1024;

describe.each(carriers)('the wire over $name', ({ make }) => {
  let carrier: Carrier;
  let pair: Pair;
  let core: SampleCore;
  let client: ConnectedClient<typeof sampleContract>;
  let served: Disposable;

  beforeAll(async () => {
    carrier = await make();
  });
  afterAll(() => carrier.close());
  beforeEach(async () => {
    pair = await carrier.pair();
    core = new SampleCore();
    served = core.serve(pair.server);
    client = connect(pair.client, sampleContract);
  });
  afterEach(() => {
    client.close();
  });

  function stream(
    name: string,
    input?: unknown,
    options?: { signal?: AbortSignal; upload?: AsyncIterable<Uint8Array> },
  ) {
    return client.openStream(name as StreamName, input as never, options);
  }

  test('answers a call, with the context of the door it came through', async () => {
    expect(await client.api.math.double({ value: 21 })).toBe(42);
    expect(await client.api.whoAmI()).toBe('tester');
  });

  test('answers many calls at once, each with its own answer', async () => {
    const values = Array.from({ length: 500 }, (_, value) => value);
    const answers = await Promise.all(values.map((value) => client.api.math.double({ value })));
    expect(answers).toEqual(values.map((value) => value * 2));
  });

  test('carries a large answer whole', async () => {
    expect(await client.api.large({ length: 3 * mebibyte })).toHaveLength(3 * mebibyte);
  });

  test('refuses to send or answer what is larger than a message may be, and goes on', async () => {
    await expect(client.api.large({ length: 33 * mebibyte })).rejects.toMatchObject({
      code: 'core/protocol',
    });
    await expect(
      client.api.math.double({ value: 1, secret: 'x'.repeat(33 * mebibyte) }),
    ).rejects.toMatchObject({ code: 'input/invalid' });
    expect(await client.api.whoAmI()).toBe('tester');
  });

  test('brings an error over with its code, hint, details and causes', async () => {
    const error = await client.api.refuse().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RemoteError);
    expect(error).toMatchObject({
      code: 'conflict/name-taken',
      message: 'There is a node named alpha already.',
      retry: 'after-user-action',
      details: { name: 'alpha' },
      causes: [{ code: 'not-found/node', message: 'No such node.' }],
    });
  });

  test('keeps the text of an unexpected error in the log, under the incident the client is given', async () => {
    const error = (await client.api.crash().catch((thrown: unknown) => thrown)) as RemoteError;
    expect(error.code).toBe('internal/unexpected');
    expect(JSON.stringify(error) + error.message).not.toContain('hunter2');
    expect(core.logged).toMatchObject([{ facts: { incident: error.incident, name: 'crash' } }]);
  });

  test('names the field and the rule of a wrong input, not its value', async () => {
    const wrong = client.api.math.double({ value: 5000, secret: 'hunter2' });
    const error = (await wrong.catch((thrown: unknown) => thrown)) as RemoteError;
    expect(error.code).toBe('input/invalid');
    expect(error.message).toContain('value: ');
    expect(error.details).toMatchObject({ field: 'value' });
    expect(error.message).not.toContain('hunter2');
    await expect(
      client.api.math.double({ value: 1, colour: 'red' } as never),
    ).rejects.toMatchObject({
      code: 'input/unknown-field',
      details: { field: 'colour' },
    });
  });

  test('does not let a wrong output out of the core', async () => {
    await expect(client.api.math.wrong()).rejects.toMatchObject({ code: 'internal/unexpected' });
    expect(JSON.stringify(core.logged)).not.toContain('not a number');
  });

  test('cancels a call on both sides', async () => {
    const abort = new AbortController();
    const hanging = client.api.hang(undefined, { signal: abort.signal });
    await client.api.whoAmI();
    abort.abort(new Error('changed my mind'));
    await expect(hanging).rejects.toThrow('changed my mind');
    await expect.poll(() => core.closed).toEqual(['hang']);
  });

  test('delivers a feed complete and in order, however long', async () => {
    const seen: number[] = [];
    await new Promise<void>((resolve, reject) => {
      client.feed((api, signal) => api.numbers({ upTo: 2000 }, { signal }), {
        onSnapshot: (value) => seen.push(value),
        onChange: (value) => seen.push(value),
        onError: reject,
        onEnd: resolve,
      });
    });
    expect(seen).toEqual(Array.from({ length: 2001 }, (_, value) => value));
  });

  test('follows what changes, until disposed, and then listens no longer', async () => {
    const seen: number[] = [];
    core.count = 10;
    const feed = client.feed((api, signal) => api.counter.watch(undefined, { signal }), {
      onSnapshot: (value) => seen.push(value),
      onChange: (value) => seen.push(value),
      onError: (error) => {
        throw error;
      },
    });
    await expect.poll(() => seen).toEqual([10]);
    for (const value of [11, 12, 13]) core.onDidCount.emit(value);
    await expect.poll(() => seen).toEqual([10, 11, 12, 13]);
    feed[Symbol.dispose]();
    await expect.poll(() => core.onDidCount.listenerCount).toBe(0);
    core.onDidCount.emit(14);
    await client.api.whoAmI();
    expect(seen).toEqual([10, 11, 12, 13]);
  });

  test('replaces what a slow reader of a feed has missed by a new snapshot', async () => {
    const items = await client.api.counter.watch();
    const iterator = items[Symbol.asyncIterator]();
    expect((await iterator.next()).value).toEqual({ kind: 'snapshot', value: 0 });
    for (let value = 1; value <= 50_000; value += 1) {
      core.count = value;
      core.onDidCount.emit(value);
    }
    core.count = 50_001;
    const read: unknown[] = [];
    for (;;) {
      const { value } = (await iterator.next()) as { value: { kind: string; value: number } };
      read.push(value);
      if (value.value === 50_001) break;
    }
    // A window under way, then the snapshot: nothing in between was kept for it.
    expect(read.length).toBeLessThan(40);
    expect(read.at(-1)).toEqual({ kind: 'snapshot', value: 50_001 });
    await iterator.return();
    await expect.poll(() => core.onDidCount.listenerCount).toBe(0);
  });

  test('carries an error in the middle of a feed', async () => {
    const error = await new Promise((resolve) => {
      client.feed((api, signal) => api.broken(undefined, { signal }), {
        onSnapshot: () => undefined,
        onChange: () => undefined,
        onError: resolve,
      });
    });
    expect(error).toMatchObject({ code: 'link/lost', retry: 'later' });
  });

  test('opens a feed with a gap again, and gives up on one that always has gaps', async () => {
    let snapshots = 0;
    const error = await new Promise((resolve) => {
      client.feed((api, signal) => api.gap(undefined, { signal }), {
        onSnapshot: () => (snapshots += 1),
        onChange: () => undefined,
        onError: resolve,
      });
    });
    expect(error).toMatchObject({ code: 'core/protocol' });
    expect(snapshots).toBe(6);
  });

  test('carries iterators that are not numbered feeds', async () => {
    const items: string[] = [];
    for await (const item of await client.api.plain()) items.push(item);
    expect(items).toEqual(['one', 'two']);
  });

  test('carries a byte stream whole and in order', async () => {
    let length = 0;
    for await (const bytes of stream('fast', { bytes: 10 * mebibyte + 17, fill: 9 })) {
      expect(Buffer.alloc(bytes.byteLength, 9).equals(bytes)).toBe(true);
      length += bytes.byteLength;
    }
    expect(length).toBe(10 * mebibyte + 17);
    expect(core.closed).toEqual(['fast']);
  });

  test('slows a source down to its reader: a window ahead of it, no more', async () => {
    const reader = stream('fast', { bytes: 1000 * mebibyte })[Symbol.asyncIterator]();
    let taken = 0;
    for (let i = 0; i < 20; i += 1) {
      const { value } = await reader.next();
      taken += value?.byteLength ?? 0;
      await client.api.whoAmI();
      expect(core.produced - taken).toBeLessThan(512 * 1024);
    }
    await reader.return?.();
    await expect.poll(() => core.sourcesOpen).toBe(0);
  });

  test('returns no credit for a chunk that is held', async () => {
    const held: { release(): void }[] = [];
    const chunks = stream('fast', { bytes: 2 * mebibyte }).chunks();
    const reader = chunks[Symbol.asyncIterator]();
    let length = 0;
    const pull = async (): Promise<void> => {
      const { value } = (await reader.next()) as { value?: { bytes: Uint8Array; release(): void } };
      if (value === undefined) return;
      length += value.bytes.byteLength;
      held.push(value);
    };
    while (length < 256 * 1024) await pull();
    const stuck = pull();
    await client.api.whoAmI();
    expect(length).toBe(256 * 1024);
    for (const chunk of held) chunk.release();
    await stuck;
    expect(length).toBeGreaterThan(256 * 1024);
    await reader.return?.();
  });

  test('carries an error in the middle of a byte stream, after what came before it', async () => {
    const read = async (): Promise<void> => {
      for await (const bytes of stream('failing')) expect([...bytes]).toEqual([1, 2, 3]);
    };
    await expect(read()).rejects.toMatchObject({ code: 'store/log-corrupt' });
  });

  test('refuses a stream nobody knows or with a wrong input, and goes on', async () => {
    await expect(readAll(stream('nonsense'))).rejects.toMatchObject({ code: 'core/protocol' });
    await expect(readAll(stream('__proto__'))).rejects.toMatchObject({ code: 'core/protocol' });
    await expect(readAll(stream('fast', { bytes: 'many' }))).rejects.toMatchObject({
      code: 'input/invalid',
      details: { field: 'bytes' },
    });
    expect(await client.api.whoAmI()).toBe('tester');
  });

  test('closes a source at once when its stream is cancelled, also a silent one', async () => {
    const abort = new AbortController();
    const reading = readAll(stream('silent', undefined, { signal: abort.signal }));
    await client.api.whoAmI();
    abort.abort(new Error('enough'));
    await expect(reading).rejects.toThrow('enough');
    await expect.poll(() => core.closed).toEqual(['silent']);
  });

  test('carries bytes both ways', async () => {
    const upload = (async function* () {
      await Promise.resolve();
      for (let i = 0; i < 64; i += 1) yield new Uint8Array(50_000).fill(i);
    })();
    const back = await readAll(stream('echo', undefined, { upload }));
    expect(back.byteLength).toBe(64 * 50_000);
    expect(back[50_000 * 33]).toBe(33);
  });

  test('serves a hundred streams side by side', async () => {
    const lengths = await Promise.all(
      Array.from({ length: 100 }, async (_, fill) => {
        const bytes = await readAll(stream('fast', { bytes: mebibyte / 2, fill }));
        expect(Buffer.alloc(bytes.byteLength, fill).equals(bytes)).toBe(true);
        return bytes.byteLength;
      }),
    );
    expect(lengths).toEqual(Array.from({ length: 100 }, () => mebibyte / 2));
    expect(core.sourcesOpen).toBe(0);
  });

  test('refuses more streams and calls than a connection may have, by name', async () => {
    const abort = new AbortController();
    const silent = Array.from({ length: 256 }, () =>
      readAll(stream('silent', undefined, { signal: abort.signal })),
    );
    await expect(readAll(stream('silent'))).rejects.toMatchObject({
      code: 'core/protocol',
      retry: 'later',
    });
    const hanging = Array.from({ length: 1024 }, () =>
      client.api.hang(undefined, { signal: abort.signal }),
    );
    await expect(client.api.hang()).rejects.toMatchObject({
      code: 'core/protocol',
      retry: 'later',
    });
    abort.abort(new Error('enough'));
    const outcomes = await Promise.allSettled([...silent, ...hanging]);
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
    expect(await client.api.whoAmI()).toBe('tester');
  });

  test('ends everything with core/unavailable when the connection is cut', async () => {
    const feedError = new Promise((resolve) => {
      client.feed((api, signal) => api.counter.watch(undefined, { signal }), {
        onSnapshot: () => undefined,
        onChange: () => undefined,
        onError: resolve,
      });
    });
    const call = client.api.hang().catch((error: unknown) => error);
    const bytes = readAll(stream('silent')).catch((error: unknown) => error);
    const slow = stream('fast', { bytes: 1000 * mebibyte })[Symbol.asyncIterator]();
    await slow.next();
    await expect.poll(() => core.onDidCount.listenerCount).toBe(1);
    const closed = new Promise((resolve) => client.onDidClose(resolve));
    pair.cut();
    for (const end of [feedError, call, bytes, closed]) {
      expect(await end).toMatchObject({ code: 'core/unavailable', retry: 'later' });
    }
    await expect(client.api.whoAmI()).rejects.toMatchObject({ code: 'core/unavailable' });
    await expect.poll(() => core.closed.toSorted()).toEqual(['fast', 'hang', 'silent']);
    expect(core.onDidCount.listenerCount).toBe(0);
  });

  test('says that the core is stopping', async () => {
    const call = client.api.hang().catch((error: unknown) => error);
    await client.api.whoAmI();
    served[Symbol.dispose]();
    expect(await call).toMatchObject({ code: 'core/stopping', retry: 'later' });
    await expect(client.api.whoAmI()).rejects.toMatchObject({ code: 'core/stopping' });
  });
});

async function readAll(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const bytes of source) chunks.push(bytes);
  return Buffer.concat(chunks);
}
