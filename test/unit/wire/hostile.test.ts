import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { connect } from '../../../src-main/contract/client.ts';
import type { StreamName } from '../../../src-main/contract/procedures.ts';
import { encodeByteFrame } from '../../../src-main/contract/wire/byte-frames.ts';
import { memoryPorts } from '../../../src-main/contract/wire/memory-port.ts';
import type { WireMessage, WirePort } from '../../../src-main/contract/wire/port.ts';
import { SampleCore, sampleContract } from '../../contract/sample.ts';

/** A port that keeps what it hears. */
class Listener {
  readonly heard: WireMessage[] = [];
  isClosed = false;
  readonly #port: WirePort;

  constructor(port: WirePort) {
    this.#port = port;
    port.onMessage((message) => this.heard.push(message));
    port.onClose(() => (this.isClosed = true));
  }

  say(message: WireMessage | object): void {
    const isWire = typeof message === 'string' || message instanceof Uint8Array;
    this.#port.send(isWire ? message : JSON.stringify(message));
  }

  get texts(): unknown[] {
    return this.heard
      .filter((message) => typeof message === 'string')
      .map((text) => JSON.parse(text) as unknown);
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

function hostileClient(): { core: SampleCore; client: Listener } {
  const [left, right] = memoryPorts();
  const core = new SampleCore();
  core.serve(right);
  return { core, client: new Listener(left) };
}

describe('a core whose client breaks the protocol', () => {
  const data = (id: number) => encodeByteFrame({ kind: 'data', id, bytes: new Uint8Array(10) });
  const openSilent = encodeByteFrame({ kind: 'open', id: 5, name: 'silent', input: undefined });
  const violations: Record<string, (WireMessage | object)[]> = {
    'text that is not JSON': ['{'],
    'an unknown kind of request': [{ t: 'please' }],
    'a field too many': [{ t: 'ping', extra: 1 }],
    'an answer': [{ t: 'reply', id: 1, output: 1 }],
    'a call under a used number': [
      { t: 'call', id: 2, path: 'whoAmI' },
      { t: 'call', id: 2, path: 'whoAmI' },
    ],
    'a call without a number': [{ t: 'call', path: 'whoAmI' }],
    'bytes that are no frame': [new Uint8Array([99, 0, 0, 0, 1])],
    'a frame that is too short': [new Uint8Array([2])],
    'data for a stream that was never opened': [data(1)],
    'a stream opened under a used number': [openSilent, openSilent],
    'more data than was granted': [
      encodeByteFrame({ kind: 'open', id: 1, name: 'silent', input: undefined }),
      ...Array.from({ length: 5 }, () =>
        encodeByteFrame({ kind: 'data', id: 1, bytes: new Uint8Array(65_536) }),
      ),
    ],
    'credit for what was never sent': [
      openSilent,
      encodeByteFrame({ kind: 'credit', id: 5, bytes: 1 }),
    ],
    'an error that is none': [openSilent, new Uint8Array([5, 0, 0, 0, 5, 0x7b, 0x7d])],
  };

  test.each(Object.entries(violations))(
    'says so and closes the connection on %s',
    async (_name, messages) => {
      const { core, client } = hostileClient();
      for (const message of messages) client.say(message);
      await settled();
      expect(client.texts.at(-1)).toMatchObject({ t: 'bye', error: { code: 'core/protocol' } });
      expect(client.isClosed).toBe(true);
      expect(core.logged).toHaveLength(1);
    },
  );

  test('answers a call nobody knows, also by the name of something else', async () => {
    const { client } = hostileClient();
    const paths = [
      'nonsense',
      'math',
      '',
      '__proto__',
      'constructor',
      'math.double.handler',
      'toString',
    ];
    paths.forEach((path, index) => client.say({ t: 'call', id: index + 1, path }));
    await settled();
    expect(client.texts).toMatchObject(
      paths.map((_, index) => ({ t: 'fail', id: index + 1, error: { code: 'core/protocol' } })),
    );
    expect(client.isClosed).toBe(false);
  });

  test('ignores what is late: a cancel or credit for a call that is over, data for a closed stream', async () => {
    const { client } = hostileClient();
    client.say({ t: 'call', id: 1, path: 'whoAmI' });
    client.say(openSilent);
    client.say(encodeByteFrame({ kind: 'cancel', id: 5 }));
    await settled();
    client.say({ t: 'cancel', id: 1 });
    client.say({ t: 'more', id: 1, items: 3 });
    client.say(data(5));
    client.say({ t: 'call', id: 2, path: 'whoAmI' });
    await settled();
    expect(client.texts.at(-1)).toEqual({ t: 'reply', id: 2, output: 'tester' });
  });

  test('closes on more acknowledged items of a feed than were sent', async () => {
    const { client } = hostileClient();
    client.say({ t: 'call', id: 1, path: 'counter.watch' });
    await settled();
    client.say({ t: 'more', id: 1, items: 1_000_000 });
    await settled();
    expect(client.texts.at(-1)).toMatchObject({ t: 'bye', error: { code: 'core/protocol' } });
  });

  test('sends no more items of a feed than were asked for', async () => {
    const { client } = hostileClient();
    client.say({ t: 'call', id: 1, path: 'numbers', input: { upTo: 1_000_000 } });
    await settled();
    expect(client.texts.filter((frame) => (frame as { t: string }).t === 'item')).toHaveLength(16);
  });

  test('never crashes, whatever text or bytes come', async () => {
    const json = fc.json();
    const call = fc
      .record({
        t: fc.constant('call'),
        id: fc.integer(),
        path: fc.constantFrom('math.double', 'numbers', 'refuse'),
        input: fc.jsonValue(),
      })
      .map((value) => JSON.stringify(value));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(json, call, fc.string(), fc.uint8Array()), { maxLength: 8 }),
        async (messages) => {
          const { client } = hostileClient();
          for (const message of messages) client.say(message);
          await Promise.resolve();
        },
      ),
      { numRuns: 200 },
    );
    await settled();
  });
});

describe('a client whose core breaks the protocol', () => {
  function hostileCore() {
    const [left, right] = memoryPorts();
    return { client: connect(left, sampleContract), core: new Listener(right) };
  }

  test.each<[string, (WireMessage | object)[]]>([
    ['text that is not JSON', ['nonsense']],
    ['a request', [{ t: 'call', id: 1, path: 'x' }]],
    ['an answer to a call that was never made', [{ t: 'reply', id: 9, output: 1 }]],
    [
      'an error of an unknown code',
      [
        {
          t: 'fail',
          id: 1,
          error: { code: 'made/up', message: '', retry: 'never', details: {}, causes: [] },
        },
      ],
    ],
    [
      'more items than were asked for',
      [{ t: 'feed', id: 1 }, ...Array.from({ length: 17 }, () => ({ t: 'item', id: 1, item: 1 }))],
    ],
    ['bytes for no stream', [encodeByteFrame({ kind: 'data', id: 3, bytes: new Uint8Array(1) })]],
    ['a stream of its own', [encodeByteFrame({ kind: 'open', id: 1, name: 'x', input: 1 })]],
  ])('closes the connection on %s, and every call ends', async (_name, messages) => {
    const { client, core } = hostileCore();
    const closed = new Promise((resolve) => client.onDidClose(resolve));
    const call = client.api.counter.watch().catch((error: unknown) => error);
    await settled();
    for (const message of messages) core.say(message);
    expect(await closed).toMatchObject({ code: 'core/protocol' });
    await call;
    expect(core.isClosed).toBe(true);
  });

  test('refuses an answer that is not of the agreed form, and goes on', async () => {
    const { client, core } = hostileCore();
    const call = client.api.math.double({ value: 1 });
    await settled();
    core.say({ t: 'reply', id: 1, output: 'two' });
    await expect(call).rejects.toMatchObject({ code: 'core/protocol' });
    const next = client.api.whoAmI();
    await settled();
    core.say({ t: 'reply', id: 2, output: 'tester' });
    expect(await next).toBe('tester');
  });

  test('cancels a feed whose items are not of the agreed form', async () => {
    const { client, core } = hostileCore();
    const failed = new Promise((resolve) => {
      client.feed((api, signal) => api.counter.watch(undefined, { signal }), {
        onSnapshot: () => undefined,
        onChange: () => undefined,
        onError: resolve,
      });
    });
    await settled();
    core.say({ t: 'feed', id: 1 });
    core.say({ t: 'item', id: 1, item: { kind: 'snapshot', value: 'many' } });
    expect(await failed).toMatchObject({ code: 'core/protocol' });
    await settled();
    expect(core.texts.at(-1)).toEqual({ t: 'cancel', id: 1 });
  });

  test('does not open a stream before it is read, nor send a call that was aborted before', async () => {
    const { client, core } = hostileCore();
    client.openStream('fast' as StreamName, { task: '1' });
    await expect(
      client.api.whoAmI(undefined, { signal: AbortSignal.abort(new Error('no')) }),
    ).rejects.toThrow('no');
    await settled();
    expect(core.heard).toEqual([]);
  });
});
