import type { Schedule } from './group-commit.ts';

/** Between two commits at least, in milliseconds: a commit takes about one, whatever it holds. */
const leastPauseMs = 5;

/**
 * At the end of this turn of the loop; while one turn after another writes, of several together. What
 * waits for the disk then waits little longer, since that takes its time as well.
 */
export function pacedTurns(now: () => number): Schedule {
  let last = -Infinity;
  return (callback) => {
    const run = () => {
      last = now();
      callback();
    };
    const waitMs = last + leastPauseMs - now();
    if (waitMs > 0) setTimeout(run, waitMs);
    else setImmediate(run);
  };
}
