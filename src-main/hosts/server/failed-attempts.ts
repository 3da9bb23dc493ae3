const windowMs = 60_000;
const mostFailures = 10;
/** Addresses remembered at once; an attacker with more addresses gains ten tries for each. */
const mostAddresses = 10_000;

/** Slows down guessing: an address that was wrong ten times within a minute is refused for the rest of it. */
export class FailedAttempts {
  readonly #now: () => number;
  readonly #byAddress = new Map<string, { count: number; until: number }>();

  constructor(now: () => number) {
    this.#now = now;
  }

  isBlocked(address: string): boolean {
    const entry = this.#current(address);
    return entry !== undefined && entry.count >= mostFailures;
  }

  add(address: string): void {
    const entry = this.#current(address) ?? { count: 0, until: this.#now() + windowMs };
    entry.count += 1;
    this.#byAddress.delete(address);
    this.#byAddress.set(address, entry);
    if (this.#byAddress.size <= mostAddresses) return;
    const [oldest] = this.#byAddress.keys();
    if (oldest !== undefined) this.#byAddress.delete(oldest);
  }

  #current(address: string): { count: number; until: number } | undefined {
    const entry = this.#byAddress.get(address);
    return entry !== undefined && entry.until > this.#now() ? entry : undefined;
  }
}
