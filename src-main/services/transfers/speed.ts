/** How fast something grows, over the last seconds. */
export class Speed {
  readonly #spanMs: number;
  readonly #seen: { at: number; bytes: number }[] = [];

  constructor(spanMs = 5000) {
    this.#spanMs = spanMs;
  }

  note(at: number, bytes: number): void {
    this.#seen.push({ at, bytes });
    while ((this.#seen[1]?.at ?? Infinity) < at - this.#spanMs) this.#seen.shift();
  }

  /** Null until two moments are known. */
  get bytesPerSecond(): number | null {
    const [first, last] = [this.#seen[0], this.#seen.at(-1)];
    if (first === undefined || last === undefined || last.at <= first.at) return null;
    return Math.round(((last.bytes - first.bytes) * 1000) / (last.at - first.at));
  }
}
