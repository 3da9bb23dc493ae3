// Two moments of a node make a sample: shares and rates between them.
import type { GpuFacts, GpuSample, MetricsSample } from '../../contract/node.ts';
import type { Instant } from '../../contract/ids.ts';
import type { RawGpu, RawGpus } from './parse-gpu-metrics.ts';
import type { ByteCounters, CpuTicks, RawSample } from './parse-metrics.ts';

/** Share of its time a CPU was busy, 0…1. Counters that step back (hot-plug, a reset) count as idle. */
function busyShare(before: CpuTicks | undefined, now: CpuTicks): number {
  if (before === undefined) return 0;
  const total = now.total - before.total;
  return total <= 0 ? 0 : Math.min(1, Math.max(0, (now.busy - before.busy) / total));
}

/** Bytes a second; null where there is nothing to compare with or a counter started anew. */
function rate(before: number, now: number, seconds: number): number | null {
  return seconds <= 0 || now < before ? null : (now - before) / seconds;
}

function rates(before: ByteCounters | undefined, now: ByteCounters, seconds: number) {
  if (before === undefined) return { in: null, out: null };
  return { in: rate(before.in, now.in, seconds), out: rate(before.out, now.out, seconds) };
}

export interface SampleInputs {
  readonly at: Instant;
  readonly now: RawSample;
  /** The moment before; undefined for the first one, or after a reboot. */
  readonly before: RawSample | undefined;
  readonly gpus: readonly GpuSample[];
  /** Free disk as it was last told. */
  readonly diskFreeBytes: number | null;
}

/** The sample of a moment. Rates and shares are means since the moment before. */
export function makeSample({
  at,
  now,
  before: earlier,
  gpus,
  diskFreeBytes,
}: SampleInputs): MetricsSample {
  const before = earlier !== undefined && earlier.uptimeS < now.uptimeS ? earlier : undefined;
  const seconds = before === undefined ? 0 : now.uptimeS - before.uptimeS;
  const disk = rates(before?.disk, now.disk, seconds);
  const net = rates(before?.net, now.net, seconds);
  return {
    at,
    cpu: busyShare(before?.cpu, now.cpu),
    cpuPerCore: now.cores.map((core, index) => busyShare(before?.cores[index], core)),
    load1: now.load1,
    memoryUsedBytes: now.memoryUsedBytes,
    memoryTotalBytes: now.memoryTotalBytes,
    swapUsedBytes: now.swapUsedBytes,
    diskReadBytesPerS: disk.in,
    diskWriteBytesPerS: disk.out,
    netInBytesPerS: net.in,
    netOutBytesPerS: net.out,
    diskFreeBytes: now.diskFreeBytes ?? diskFreeBytes,
    temperatureC: now.temperatureC,
    gpus: [...gpus],
  };
}

/** The readings of the GPUs that the facts know, in their order; one without readings is left out. */
export function readingsByUuid(
  facts: readonly GpuFacts[],
  raw: RawGpus,
): ReadonlyMap<string, RawGpu> {
  const readings = new Map<string, RawGpu>();
  for (const gpu of facts) {
    const reading = gpu.vendor === 'amd' ? raw.amd.get(gpu.pciBusId) : raw.nvidia.get(gpu.uuid);
    if (reading !== undefined) readings.set(gpu.uuid, reading);
  }
  return readings;
}
