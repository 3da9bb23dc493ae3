// Use that fades: what was used a half-life ago counts half.

/** What is left of an amount after some time. */
export function decayed(amount: number, passedMs: number, halfLifeMs: number): number {
  return amount * 2 ** (-Math.max(0, passedMs) / halfLifeMs);
}

/** What using one unit for some time until now comes to, in faded seconds. */
export function accrued(durationMs: number, halfLifeMs: number): number {
  const seconds = (halfLifeMs / 1000) * (1 / Math.LN2);
  return seconds * (1 - 2 ** (-Math.max(0, durationMs) / halfLifeMs));
}
