// Whose work runs on a GPU: a process on one that no task of this core holds is not ours.
import type { GpuSample } from '../../contract/node.ts';
import type { RawGpu } from './parse-gpu-metrics.ts';

/** What is known of our own holdings when a GPU's processes are seen. */
export interface OurHoldings {
  /** GPUs held by active attempts of this core, by UUID. */
  readonly held: ReadonlySet<string>;
  /** GPUs given back so recently that the last process may still be ending. */
  readonly justReleased: ReadonlySet<string>;
}

/**
 * One GPU as it is shown. Processes on a GPU of ours are taken for ours: its holder may start what
 * it likes. Without a holder, any process is foreign, whatever container it is in.
 */
export function judgeGpu(uuid: string, raw: RawGpu, ours: OurHoldings): GpuSample {
  const isOurs = ours.held.has(uuid) || ours.justReleased.has(uuid);
  const strangers = isOurs ? [] : raw.processes;
  return {
    uuid,
    utilization: raw.utilization,
    memoryBytes: raw.memoryBytes,
    temperatureC: raw.temperatureC,
    powerW: raw.powerW,
    powerLimitW: raw.powerLimitW,
    fanPercent: raw.fanPercent,
    processes: strangers.map(({ pid, user, name, memoryBytes }) => ({
      pid,
      user,
      name,
      memoryBytes,
    })),
    foreign: strangers.length > 0,
  };
}

/** Who uses a foreign GPU, for a sentence: `anna (python)`; null where nobody does. */
export function foreignUser(sample: GpuSample | undefined): string | null {
  const [first] = sample?.processes ?? [];
  if (sample?.foreign !== true || first === undefined) return null;
  const program = first.name.split(/[\s/]/).findLast((part) => part !== '') ?? first.name;
  return first.user === null ? program : `${first.user} (${program})`;
}
