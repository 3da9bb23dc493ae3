import { describe, expect, test } from 'vitest';
import { reconnect, type ConnectionState } from '../../../src-main/contract/reconnecting-client.ts';
import { memoryPorts } from '../../../src-main/contract/wire/memory-port.ts';
import type { WirePort } from '../../../src-main/contract/wire/port.ts';
import { SampleCore, sampleContract } from '../../contract/sample.ts';

/** Sleeps that end when the test says so; their lengths are kept. */
class Naps {
  readonly lengths: number[] = [];
  #sleepers = new Set<{ delayMs: number; wake: () => void }>();

  readonly timing = {
    random: () => 1,
    sleep: (delayMs: number, signal: AbortSignal) =>
      new Promise<void>((resolve) => {
        if (signal.aborted) {
          resolve();
          return;
        }
        this.lengths.push(delayMs);
        const sleeper = {
          delayMs,
          wake: () => {
            this.#sleepers.delete(sleeper);
            resolve();
          },
        };
        this.#sleepers.add(sleeper);
        signal.addEventListener('abort', sleeper.wake);
      }),
  };

  /** Ends the sleeps that are shorter than the heartbeat and patience, i.e. the pauses between attempts. */
  async wake(isOver: (delayMs: number) => boolean = (delayMs) => delayMs <= 10_000): Promise<void> {
    await settled();
    for (const sleeper of [...this.#sleepers]) if (isOver(sleeper.delayMs)) sleeper.wake();
    await settled();
  }
}

async function settled(): Promise<void> {
  for (let i = 0; i < 5; i += 1) await new Promise((resolve) => setImmediate(resolve));
}

function setUp({ answers = true } = {}) {
  const core = new SampleCore();
  const naps = new Naps();
  const servers: WirePort[] = [];
  const network = { isUp: true, attempts: 0, answers };
  const open = (): Promise<WirePort> => {
    network.attempts += 1;
    if (!network.isUp) return Promise.reject(new Error('refused'));
    const [left, right] = memoryPorts();
    servers.push(right);
    if (network.answers) core.serve(right);
    return Promise.resolve(left);
  };
  const client = reconnect(
    { open, timing: naps.timing, callPatienceMs: 50_000, heartbeatMs: 20_000 },
    sampleContract,
  );
  const states: ConnectionState[] = [];
  client.onDidChangeState((state) => states.push(state));
  return { core, naps, network, servers, client, states };
}

describe('a client that reconnects', () => {
  test('connects by itself, and calls made before wait for it', async () => {
    const { client, states } = setUp();
    expect(client.state).toBe('connecting');
    expect(await client.api.whoAmI()).toBe('tester');
    expect(states).toEqual(['connected']);
    client.close();
    expect(states).toEqual(['connected', 'closed']);
    await expect(client.api.whoAmI()).rejects.toMatchObject({ code: 'core/unavailable' });
  });

  test('tries again ever more slowly, up to ten seconds, and at once when told', async () => {
    const { client, naps, network, servers } = setUp();
    await client.api.whoAmI();
    network.isUp = false;
    servers[0]?.close();
    for (let i = 0; i < 9; i += 1) await naps.wake();
    const pauses = naps.lengths.filter((length) => length <= 10_000);
    expect(pauses.slice(0, 8)).toEqual([250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
    network.isUp = true;
    const before = network.attempts;
    client.reconnectNow();
    await settled();
    expect(network.attempts).toBe(before + 1);
    expect(client.state).toBe('connected');
    client.close();
  });

  test('goes on with its feeds after a loss, from a new snapshot, and fails the calls under way', async () => {
    const { client, core, naps, servers, states } = setUp();
    const seen: unknown[] = [];
    core.count = 1;
    const feed = client.feed((api, signal) => api.counter.watch(undefined, { signal }), {
      onSnapshot: (value) => seen.push({ snapshot: value }),
      onChange: (value) => seen.push(value),
      onError: (error) => seen.push(error),
    });
    await settled();
    core.onDidCount.emit(2);
    const call = client.api.hang().catch((error: unknown) => error);
    await settled();
    core.count = 7;
    servers[0]?.close();
    expect(await call).toMatchObject({ code: 'core/unavailable' });
    expect(client.state).toBe('connecting');
    await naps.wake();
    await settled();
    expect(states).toEqual(['connected', 'connecting', 'connected']);
    expect(seen).toEqual([{ snapshot: 1 }, 2, { snapshot: 7 }]);
    core.onDidCount.emit(8);
    await settled();
    expect(seen.at(-1)).toBe(8);
    feed[Symbol.dispose]();
    await settled();
    expect(core.onDidCount.listenerCount).toBe(0);
    client.close();
  });

  test('does not open a feed again that failed by itself', async () => {
    const { client } = setUp();
    const errors: unknown[] = [];
    client.feed((api, signal) => api.broken(undefined, { signal }), {
      onSnapshot: () => undefined,
      onChange: () => undefined,
      onError: (error) => errors.push(error),
    });
    await settled();
    expect(errors).toMatchObject([{ code: 'link/lost' }]);
    client.close();
  });

  test('gives up a connection on which nothing comes any more', async () => {
    const { client, naps, network } = setUp({ answers: false });
    await settled();
    expect(client.state).toBe('connected');
    await naps.wake((delayMs) => delayMs === 20_000);
    expect(client.state).toBe('connecting');
    network.answers = true;
    await naps.wake();
    expect(client.state).toBe('connected');
    await naps.wake((delayMs) => delayMs === 20_000);
    expect(client.state).toBe('connected');
    client.close();
  });

  test('does not hurry back to a core that hangs up at once', async () => {
    const { client, naps, servers } = setUp();
    for (let i = 0; i < 5; i += 1) {
      await settled();
      servers.at(-1)?.close();
      await naps.wake();
    }
    const pauses = naps.lengths.filter((length) => length <= 10_000);
    expect(pauses.slice(0, 4)).toEqual([250, 500, 1000, 2000]);
    client.close();
  });

  test('fails calls that waited too long, and lets go of one whose caller gave up', async () => {
    const { client, naps, network, servers } = setUp();
    await client.api.whoAmI();
    network.isUp = false;
    servers[0]?.close();
    await settled();
    const waiting = client.api.whoAmI().catch((error: unknown) => error);
    const abort = new AbortController();
    const aborted = client.api
      .whoAmI(undefined, { signal: abort.signal })
      .catch((error: unknown) => error);
    abort.abort(new Error('never mind'));
    expect(await aborted).toMatchObject({ message: 'never mind' });
    await naps.wake((delayMs) => delayMs === 50_000);
    expect(await waiting).toMatchObject({ code: 'core/unavailable', retry: 'later' });
    client.close();
  });
});
