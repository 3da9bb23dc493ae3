// The samples of the last hour, packed: as objects they would take hundreds of megabytes for 200 nodes.
import type { GpuSample, MetricsSample } from '../../contract/node.ts';

const scalars = [
  'at',
  'cpu',
  'load1',
  'memoryUsedBytes',
  'memoryTotalBytes',
  'swapUsedBytes',
  'diskReadBytesPerS',
  'diskWriteBytesPerS',
  'netInBytesPerS',
  'netOutBytesPerS',
  'diskFreeBytes',
  'temperatureC',
] as const;
const gpuScalars = [
  'utilization',
  'memoryBytes',
  'temperatureC',
  'powerW',
  'powerLimitW',
  'fanPercent',
] as const;
const gpuWidth = gpuScalars.length + 1;

interface Packed {
  readonly values: Float64Array;
  /** Shared by all samples of the same GPUs. */
  readonly uuids: readonly string[];
}

const nullAsNan = (value: number | null): number => value ?? NaN;
const nanAsNull = (value: number | undefined): number | null =>
  value === undefined || Number.isNaN(value) ? null : value;

/** Keeps samples for an hour. Cores one by one and processes on GPUs are only in the newest. */
export class SampleRing {
  readonly #keepMs: number;
  #packed: Packed[] = [];
  #uuids: readonly string[] = [];
  #newest: MetricsSample | undefined;

  constructor(keepMs = 3_600_000) {
    this.#keepMs = keepMs;
  }

  get newest(): MetricsSample | undefined {
    return this.#newest;
  }

  /** Adds a sample; one sooner than `spacingMs` after the last kept one replaces only the newest. */
  add(sample: MetricsSample, spacingMs: number): void {
    this.#newest = sample;
    const last = this.#packed.at(-1)?.values[0] ?? -Infinity;
    // Half a second of slack: a frame that comes a little early is still the next one.
    if (sample.at - last < spacingMs - 500 && sample.at >= last) return;
    this.#packed.push(this.#pack(sample));
    const oldest = sample.at - this.#keepMs;
    const first = this.#packed.findIndex(({ values }) => (values[0] ?? 0) >= oldest);
    // In steps, since moving a whole hour for each sample would be work for nothing.
    if (first > 60) this.#packed = this.#packed.slice(first);
  }

  /** Oldest first. */
  all(): MetricsSample[] {
    const newest = this.#newest;
    if (newest === undefined) return [];
    const oldest = newest.at - this.#keepMs;
    const kept = this.#packed.filter(
      ({ values }) => (values[0] ?? 0) >= oldest && (values[0] ?? 0) < newest.at,
    );
    return [...kept.map(unpack), newest];
  }

  #pack(sample: MetricsSample): Packed {
    const uuids = sample.gpus.map((gpu) => gpu.uuid);
    if (
      uuids.length !== this.#uuids.length ||
      uuids.some((uuid, index) => uuid !== this.#uuids[index])
    )
      this.#uuids = uuids;
    const values = new Float64Array(scalars.length + gpuWidth * uuids.length);
    scalars.forEach((name, index) => (values[index] = nullAsNan(sample[name])));
    sample.gpus.forEach((gpu, number) => {
      const start = scalars.length + number * gpuWidth;
      gpuScalars.forEach((name, index) => (values[start + index] = nullAsNan(gpu[name])));
      values[start + gpuScalars.length] = Number(gpu.foreign);
    });
    return { values, uuids: this.#uuids };
  }
}

function unpack({ values, uuids }: Packed): MetricsSample {
  const value = (name: (typeof scalars)[number]) => nanAsNull(values[scalars.indexOf(name)]);
  return {
    at: value('at') ?? 0,
    cpu: value('cpu') ?? 0,
    cpuPerCore: [],
    load1: value('load1'),
    memoryUsedBytes: value('memoryUsedBytes') ?? 0,
    memoryTotalBytes: value('memoryTotalBytes') ?? 0,
    swapUsedBytes: value('swapUsedBytes'),
    diskReadBytesPerS: value('diskReadBytesPerS'),
    diskWriteBytesPerS: value('diskWriteBytesPerS'),
    netInBytesPerS: value('netInBytesPerS'),
    netOutBytesPerS: value('netOutBytesPerS'),
    diskFreeBytes: value('diskFreeBytes'),
    temperatureC: value('temperatureC'),
    gpus: uuids.map((uuid, number) =>
      unpackGpu(uuid, values.subarray(scalars.length + number * gpuWidth)),
    ),
  };
}

function unpackGpu(uuid: string, values: Float64Array): GpuSample {
  const value = (name: (typeof gpuScalars)[number]) => nanAsNull(values[gpuScalars.indexOf(name)]);
  return {
    uuid,
    utilization: value('utilization'),
    memoryBytes: value('memoryBytes'),
    temperatureC: value('temperatureC'),
    powerW: value('powerW'),
    powerLimitW: value('powerLimitW'),
    fanPercent: value('fanPercent'),
    processes: [],
    foreign: values[gpuScalars.length] === 1,
  };
}
