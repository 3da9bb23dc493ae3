/** Processor time a container has used up, and when that was read. */
export interface CpuReading {
  readonly cpuNs: number;
  /** Nanoseconds of the node's own clock. */
  readonly readAtNs: number;
}

/** How many cores were busy for it between two readings; null when that cannot be told, as after a restart. */
export function coresUsed(before: CpuReading | undefined, now: CpuReading): number | null {
  if (before === undefined) return null;
  const [used, passed] = [now.cpuNs - before.cpuNs, now.readAtNs - before.readAtNs];
  return used < 0 || passed <= 0 ? null : used / passed;
}
