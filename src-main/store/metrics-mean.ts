import type { Instant } from '../contract/ids.ts';
import type { MetricsPoint } from '../contract/node.ts';

type GpuValues = MetricsPoint['gpus'][string];

/** The mean of what was measured; null when nothing was. */
function mean(values: readonly (number | null)[]): number | null {
  const measured = values.filter((value) => value !== null);
  if (measured.length === 0) return null;
  return measured.reduce((sum, value) => sum + value, 0) / measured.length;
}

/** One point for several: each value the mean of those that were measured. */
export function meanPoint(at: Instant, points: readonly MetricsPoint[]): MetricsPoint {
  const of = (value: (point: MetricsPoint) => number | null) => mean(points.map(value));
  const uuids = new Set(points.flatMap(({ gpus }) => Object.keys(gpus)));
  const gpus = [...uuids].map((uuid): [string, GpuValues] => {
    const gpu = (index: 0 | 1 | 2 | 3) => of((point) => point.gpus[uuid]?.[index] ?? null);
    return [uuid, [gpu(0), gpu(1), gpu(2), gpu(3)]];
  });
  return {
    at,
    cpu: of(({ cpu }) => cpu) ?? 0,
    memoryUsedBytes: of(({ memoryUsedBytes }) => memoryUsedBytes) ?? 0,
    diskReadBytesPerS: of((point) => point.diskReadBytesPerS),
    diskWriteBytesPerS: of((point) => point.diskWriteBytesPerS),
    netInBytesPerS: of((point) => point.netInBytesPerS),
    netOutBytesPerS: of((point) => point.netOutBytesPerS),
    gpus: Object.fromEntries(gpus),
  };
}
