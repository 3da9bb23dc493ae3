// Chance that can be repeated.

/** Numbers 0 ≤ x < 1 that follow from a seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A number that follows from a text (FNV-1a). */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const character of text)
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  return hash >>> 0;
}

/** Choices by chance. */
export class Dice {
  readonly chance: () => number;

  constructor(seed: number) {
    this.chance = seeded(seed);
  }

  /** A whole number, both ends included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.chance() * (high - low + 1));
  }

  is(probability: number): boolean {
    return this.chance() < probability;
  }

  /** Undefined when there is nothing to choose from. */
  oneOf<T>(choices: readonly T[]): T | undefined {
    return choices[Math.floor(this.chance() * choices.length)];
  }

  /** A name by its weight. */
  weighted<T extends string>(weights: Readonly<Record<T, number>>): T {
    const entries = Object.entries(weights) as [T, number][];
    let rest = this.chance() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [name, weight] of entries) {
      rest -= weight;
      if (rest < 0) return name;
    }
    throw new Error('no weights');
  }
}
