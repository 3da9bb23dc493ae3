// Samples of a minute as one point of history.
import type { MetricsPoint, MetricsSample } from '../../contract/node.ts';
import type { Instant } from '../../contract/ids.ts';

/** Mean of the values that are there, rounded so that rows stay small; null when none is. */
function mean(values: readonly (number | null)[]): number | null {
  const present = values.filter((value) => value !== null);
  return present.length === 0
    ? null
    : present.reduce((sum, value) => sum + value, 0) / present.length;
}

function wholeMean(values: readonly (number | null)[]): number | null {
  const value = mean(values);
  return value === null ? null : Math.round(value);
}

/** The point that stands for these samples; undefined for none. `at` is the start of its interval. */
export function meanOf(samples: readonly MetricsSample[], at: Instant): MetricsPoint | undefined {
  if (samples.length === 0) return undefined;
  const readings = new Map<string, MetricsSample['gpus']>();
  for (const gpu of samples.flatMap((sample) => sample.gpus)) {
    const known = readings.get(gpu.uuid);
    if (known === undefined) readings.set(gpu.uuid, [gpu]);
    else known.push(gpu);
  }
  return {
    at,
    cpu: mean(samples.map((sample) => sample.cpu)) ?? 0,
    memoryUsedBytes: wholeMean(samples.map((sample) => sample.memoryUsedBytes)) ?? 0,
    diskReadBytesPerS: wholeMean(samples.map((sample) => sample.diskReadBytesPerS)),
    diskWriteBytesPerS: wholeMean(samples.map((sample) => sample.diskWriteBytesPerS)),
    netInBytesPerS: wholeMean(samples.map((sample) => sample.netInBytesPerS)),
    netOutBytesPerS: wholeMean(samples.map((sample) => sample.netOutBytesPerS)),
    gpus: Object.fromEntries(
      [...readings].map(([uuid, gpus]) => [
        uuid,
        [
          mean(gpus.map((gpu) => gpu.utilization)),
          wholeMean(gpus.map((gpu) => gpu.memoryBytes)),
          mean(gpus.map((gpu) => gpu.powerW)),
          mean(gpus.map((gpu) => gpu.temperatureC)),
        ],
      ]),
    ),
  };
}
