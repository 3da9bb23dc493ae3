import { describe, expect, test } from 'vitest';
import type { Instant } from '../../../src-main/contract/ids.ts';
import type { Clock, Timers } from '../../../src-main/domain/clock.ts';
import { Emitter } from '../../../src-main/domain/emitter.ts';
import { AuthError, UnreachableError } from '../../../src-main/link/errors.ts';
import type { NodeLink } from '../../../src-main/link/node-link.ts';
import { LinkSupervisor, type SupervisorState } from '../../../src-main/link/supervisor.ts';

/** Time that passes only when told. */
class Simulation implements Clock, Timers {
  time = 0;
  readonly #pending = new Set<{ at: number; callback: () => void }>();

  now(): Instant {
    return this.time;
  }
  monotonic(): number {
    return this.time;
  }
  after(delayMs: number, callback: () => void): Disposable {
    const timer = { at: this.time + delayMs, callback };
    this.#pending.add(timer);
    return { [Symbol.dispose]: () => void this.#pending.delete(timer) };
  }
  every(): Disposable {
    throw new Error('not used');
  }
  get pendingCount(): number {
    return this.#pending.size;
  }
  async pass(ms: number): Promise<void> {
    const end = this.time + ms;
    for (;;) {
      await settle();
      const next = [...this.#pending].sort((a, b) => a.at - b.at)[0];
      if (next === undefined || next.at > end) break;
      this.time = next.at;
      this.#pending.delete(next);
      next.callback();
    }
    this.time = end;
    await settle();
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

class FakeLink {
  readonly #closed = new Emitter<Error | undefined>();
  isOpen = true;
  answersPing = true;
  readonly onDidClose = this.#closed.event;
  drop(reason: Error | undefined = new Error('dropped')): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.#closed.emit(reason);
  }
  ping(): Promise<number> {
    return this.answersPing ? Promise.resolve(1) : Promise.reject(new Error('silence'));
  }
  close(): Promise<void> {
    this.drop(undefined);
    return Promise.resolve();
  }
}

const refused = () => new UnreachableError('link/refused', 'refused', { retry: 'later' });
const denied = () => new AuthError('link/auth', 'denied', { retry: 'after-user-action' });

function setUp() {
  const simulation = new Simulation();
  const links: FakeLink[] = [];
  const tries: number[] = [];
  const states: string[] = [];
  const world = { failure: undefined as Error | undefined };
  const supervisor = new LinkSupervisor({
    connect: () => {
      tries.push(simulation.time);
      if (world.failure !== undefined) return Promise.reject(world.failure);
      const link = new FakeLink();
      links.push(link);
      return Promise.resolve(link as unknown as NodeLink);
    },
    clock: simulation,
    timers: simulation,
    random: () => 1,
  });
  supervisor.onDidChange((state) => states.push(`${simulation.time} ${describeState(state)}`));
  const lastLink = () => links.at(-1)!;
  return { simulation, supervisor, world, tries, states, links, lastLink };
}

function describeState(state: SupervisorState): string {
  return state.kind === 'offline' ? `offline(${state.reasonKind})` : state.kind;
}

describe('LinkSupervisor', () => {
  test('connects, comes back after a drop, and stops', async () => {
    const { simulation, supervisor, states, lastLink, tries } = setUp();
    supervisor.start();
    supervisor.start();
    await simulation.pass(100_000);
    lastLink().drop();
    await simulation.pass(10_000);
    await supervisor.stop();
    expect(states).toEqual([
      '0 connecting',
      '0 online',
      '100000 connecting',
      '101000 online',
      '110000 stopped',
    ]);
    expect([tries, lastLink().isOpen, simulation.pendingCount]).toEqual([[0, 101_000], false, 0]);
  });

  test('a first try that fails is offline at once, with growing intervals up to a minute', async () => {
    const { simulation, supervisor, states, tries, world } = setUp();
    world.failure = refused();
    supervisor.start();
    await simulation.pass(200_000);
    expect(states[1]).toBe('0 offline(refused)');
    expect(tries).toEqual([0, 1_000, 3_000, 7_000, 15_000, 31_000, 63_000, 123_000, 183_000]);
    await supervisor.stop();
  });

  test('a dropped link counts as offline only after the grace, on time', async () => {
    const { simulation, supervisor, states, world, lastLink } = setUp();
    supervisor.start();
    await simulation.pass(50_000);
    world.failure = refused();
    lastLink().drop();
    await simulation.pass(29_999);
    expect(supervisor.state.kind).toBe('connecting');
    await simulation.pass(1);
    expect(states.at(-1)).toBe('80000 offline(refused)');
    world.failure = undefined;
    await simulation.pass(60_000);
    expect(supervisor.state.kind).toBe('online');
    await supervisor.stop();
  });

  test('what a person must mend is offline at once and tried rarely; wake tries now', async () => {
    const { simulation, supervisor, world, tries, states } = setUp();
    world.failure = denied();
    supervisor.start();
    await simulation.pass(700_000);
    expect(tries).toEqual([0, 300_000, 600_000]);
    world.failure = undefined;
    supervisor.wake();
    await simulation.pass(0);
    expect(states.at(-1)).toBe('700000 online');
    await supervisor.stop();
  });

  test('an auth error after a drop does not wait for the grace', async () => {
    const { simulation, supervisor, world, states, lastLink } = setUp();
    supervisor.start();
    await simulation.pass(1_000);
    world.failure = denied();
    lastLink().drop();
    await simulation.pass(2_000);
    expect(states.at(-1)).toBe('2000 offline(auth)');
    await supervisor.stop();
  });

  test('wake asks a link that is up for an answer and replaces one that is dead', async () => {
    const { simulation, supervisor, links, lastLink } = setUp();
    supervisor.start();
    await simulation.pass(1_000);
    supervisor.wake();
    await simulation.pass(1_000);
    expect(links).toHaveLength(1);
    lastLink().answersPing = false;
    supervisor.wake();
    await simulation.pass(0);
    expect(links.map((link) => link.isOpen)).toEqual([false, true]);
    expect(supervisor.state.kind).toBe('online');
    await supervisor.stop();
  });

  test('a link that drops again and again is not tried every second', async () => {
    const { simulation, supervisor, links, tries } = setUp();
    supervisor.start();
    for (let round = 0; round < 60; round++) {
      await simulation.pass(1_000);
      links.at(-1)?.drop();
    }
    expect(tries.length).toBeLessThan(10);
    await supervisor.stop();
  });

  test('a connection that arrives after stop is closed', async () => {
    const simulation = new Simulation();
    const arriving = Promise.withResolvers<NodeLink>();
    let isAborted = false;
    const supervisor = new LinkSupervisor({
      connect: (signal) => {
        signal.addEventListener('abort', () => (isAborted = true));
        return arriving.promise;
      },
      clock: simulation,
      timers: simulation,
      random: () => 0,
    });
    supervisor.start();
    await supervisor.stop();
    const link = new FakeLink();
    arriving.resolve(link as unknown as NodeLink);
    await settle();
    expect([isAborted, link.isOpen, supervisor.state.kind]).toEqual([true, false, 'stopped']);
  });

  test('reconnect replaces the link', async () => {
    const { simulation, supervisor, links, states } = setUp();
    supervisor.start();
    await simulation.pass(1_000);
    await supervisor.reconnect();
    await simulation.pass(0);
    expect(links.map((link) => link.isOpen)).toEqual([false, true]);
    expect(states.slice(2)).toEqual(['1000 connecting', '1000 online']);
    await supervisor.stop();
  });
});
