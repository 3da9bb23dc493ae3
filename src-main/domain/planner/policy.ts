// The rules of the queue, as one object. Its fields are settings; under `plainPolicy` one person on a
// few nodes sees plain «first come, first served».

/** At most so many tasks with a label hold something at a time. */
export interface LabelCap {
  readonly key: string;
  readonly value: string;
  readonly most: number;
}

export interface PlannerPolicy {
  readonly useForeignGpus: boolean;
  /** At equal priority, owners who used less come first. */
  readonly fairShare: boolean;
  /** How many core-seconds a GPU-second counts as. */
  readonly gpuWeight: number;
  /** After so long at the head, what a task needs is kept for it as it frees up. */
  readonly waitMs: number;
  /** Waiting for so long counts as one step of priority. */
  readonly agingMs: number;
  /** Tasks and GPUs an owner may hold at a time; 0: no limit. */
  readonly maxRunningPerOwner: number;
  readonly maxGpusPerOwner: number;
  readonly labelCaps: readonly LabelCap[];
  /** How long a task without a time limit is taken to run, where a reservation is to begin. */
  readonly assumedRunMs: number;
}

const minuteMs = 60_000;

export const plainPolicy: PlannerPolicy = {
  useForeignGpus: false,
  fairShare: true,
  gpuWeight: 8,
  waitMs: 10 * minuteMs,
  agingMs: 24 * 60 * minuteMs,
  maxRunningPerOwner: 0,
  maxGpusPerOwner: 0,
  labelCaps: [],
  assumedRunMs: 4 * 60 * minuteMs,
};

/** Whether two policies plan the same. */
export function isSamePolicy(a: PlannerPolicy, b: PlannerPolicy): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
