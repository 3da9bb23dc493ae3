// The present moment, a second at a time, for durations that count up on screen.

export class Ticker {
  #now = $state(Date.now());

  get now(): number {
    return this.#now;
  }

  /** Ticks until disposed. */
  start(): () => void {
    const timer = setInterval(() => (this.#now = Date.now()), 1000);
    return () => clearInterval(timer);
  }
}
