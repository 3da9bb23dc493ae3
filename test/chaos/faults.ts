// What is done to nodes and the core. Each heals by itself after a while.
import type { Dice } from '../support/random.ts';
import { pause, type ChaosStage } from './stage.ts';

interface Fault {
  readonly weight: number;
  /** What it is done to: one thing at a time to each. */
  readonly to: 'node' | 'core';
  readonly act: (stage: ChaosStage, node: string, dice: Dice) => Promise<void>;
}

export const faults = {
  'link cut': {
    weight: 3,
    to: 'node',
    act: async ({ bed }, node, dice) => {
      await bed.cutLink(node);
      await pause(dice.between(3000, 25_000));
      await bed.healLink(node);
    },
  },
  'link slow': {
    weight: 2,
    to: 'node',
    act: async ({ bed }, node, dice) => {
      await bed.slow(node, dice.oneOf(['64kbit', '256kbit', '1mbit']) ?? '1mbit');
      await pause(dice.between(5000, 20_000));
      await bed.fast(node);
    },
  },
  'power cut': {
    weight: 2,
    to: 'node',
    act: async ({ bed }, node, dice) => {
      await bed.powerCut(node);
      await pause(dice.between(1000, 15_000));
      await bed.boot(node);
    },
  },
  'dockerd killed': {
    weight: 2,
    to: 'node',
    act: async ({ bed }, node, dice) => {
      await bed.killDockerd(node);
      await pause(dice.between(500, 10_000));
      await bed.startDockerd(node);
    },
  },
  'sshd ended': {
    weight: 1,
    to: 'node',
    act: async ({ bed }, node, dice) => {
      await bed.stopSshd(node);
      await pause(dice.between(500, 12_000));
      await bed.startSshd(node);
    },
  },
  'node disk full': {
    weight: 2,
    to: 'node',
    act: async ({ bed }, node, dice) => {
      await bed.fillDisk(node, '/home');
      await pause(dice.between(3000, 12_000));
      await bed.freeDisk(node, '/home');
    },
  },
  'memory eaten': {
    weight: 1,
    to: 'node',
    // Somebody else's program takes all there is until the kernel ends it.
    act: async ({ bed }, node) => {
      await bed.memoryLimit(node, 2 ** 30);
      await bed.exec(node, ['tail', '/dev/zero']);
      await bed.memoryLimit(node, 'max');
    },
  },
  'core killed': {
    weight: 3,
    to: 'core',
    act: (stage, _node, dice) => stage.killCore(dice.between(200, 8000)),
  },
  'core disk full': {
    weight: 2,
    to: 'core',
    act: async (stage, _node, dice) => {
      await stage.fillCoreDisk();
      await pause(dice.between(2000, 10_000));
      await stage.freeCoreDisk();
    },
  },
} as const satisfies Readonly<Record<string, Fault>>;

const weights = Object.fromEntries(
  Object.entries(faults).map(([kind, { weight }]) => [kind, weight]),
) as Record<keyof typeof faults, number>;

/** Does one thing after the other, some at the same time, until told to end; then lets all of it heal. */
export class Chaos {
  readonly #stage: ChaosStage;
  readonly #dice: Dice;
  readonly #busy = new Map<string, Promise<void>>();
  #isOver = false;
  /** What could not be done, or undone. */
  #problem: Error | undefined;

  constructor(stage: ChaosStage, dice: Dice) {
    this.#stage = stage;
    this.#dice = dice;
  }

  async run(): Promise<void> {
    // Each kind once, in any order, then as chance will have it.
    const first = this.#shuffled();
    while (!this.#isOver && this.#problem === undefined) {
      const kind = first.pop() ?? this.#dice.weighted(weights);
      if (!this.#begin(kind)) first.unshift(kind);
      await pause(this.#dice.between(1500, 6000));
    }
    await Promise.all(this.#busy.values());
    if (this.#problem !== undefined) throw this.#problem;
  }

  end(): void {
    this.#isOver = true;
  }

  #shuffled(): (keyof typeof faults)[] {
    const kinds = Object.keys(faults) as (keyof typeof faults)[];
    return kinds
      .map((kind) => ({ kind, at: this.#dice.chance() }))
      .sort((a, b) => a.at - b.at)
      .map(({ kind }) => kind);
  }

  /** False: what it would be done to has something else to bear. */
  #begin(kind: keyof typeof faults): boolean {
    const fault: Fault = faults[kind];
    const node = `n${String(this.#dice.between(1, this.#stage.bed.nodes.length))}`;
    const key = fault.to === 'core' ? 'core' : node;
    if (this.#busy.has(key)) return false;
    const act = () => fault.act(this.#stage, node, this.#dice);
    const doing = this.#stage
      .while(kind, fault.to === 'core' ? null : node, act)
      .catch((error: unknown) => (this.#problem = error as Error))
      .then(() => void this.#busy.delete(key));
    this.#busy.set(key, doing);
    return true;
  }
}
