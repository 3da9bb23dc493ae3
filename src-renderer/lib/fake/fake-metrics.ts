// Samples that look like a machine at work: smooth, deterministic, and in keeping with what the
// tasks hold.
import type {
  GpuSample,
  MetricsPoint,
  MetricsSample,
  MetricsSpan,
  NodeView,
} from '../../../src-main/contract/node.ts';

/** Smooth noise in 0…1 from a seed and a moment. */
function wave(seed: number, at: number): number {
  const t = at / 1000;
  const sum =
    Math.sin(t / 17 + seed) +
    Math.sin(t / 5.3 + seed * 2.7) * 0.5 +
    Math.sin(t / 71 + seed * 0.3) * 1.4;
  return Math.min(1, Math.max(0, 0.5 + sum / 5.8));
}

/** Somebody's processes are on it outside of the queue. */
export function isForeign(node: string, index: number): boolean {
  return (node === 'beta' && index === 0) || (/^gpu-0?\d5$/.test(node) && index === 7);
}

function gpuSample(node: NodeView, index: number, at: number): GpuSample {
  const gpu = node.facts?.gpus[index];
  if (gpu === undefined) throw new RangeError('no such GPU');
  const held = node.allocated.gpus.some((entry) => entry.uuid === gpu.uuid);
  const foreign = isForeign(node.name, index);
  const busy = held || foreign;
  const use = busy ? 0.55 + wave(index + node.name.length, at) * 0.45 : 0;
  return {
    uuid: gpu.uuid,
    utilization: use,
    memoryBytes: Math.round(gpu.memoryBytes * (busy ? 0.4 + use * 0.5 : 0.004)),
    temperatureC: Math.round(34 + use * 42),
    powerW: Math.round(55 + use * 420),
    powerLimitW: 700,
    fanPercent: gpu.vendor === 'amd' ? null : Math.round(30 + use * 40),
    processes: foreign
      ? [{ pid: 3312, user: 'anna', name: 'python3', memoryBytes: 21_474_836_480 }]
      : [],
    foreign,
  };
}

/** One moment of a node. */
export function fakeSample(node: NodeView, at: number): MetricsSample {
  const facts = node.facts;
  const cores = facts?.cores ?? 1;
  const seed = node.name.length * 3 + node.name.charCodeAt(0);
  const load = Math.min(1, node.allocated.cores / cores);
  const cpuPerCore = Array.from({ length: cores }, (_, core) =>
    core / cores < load ? 0.5 + wave(seed + core, at) * 0.5 : wave(seed + core, at) * 0.12,
  );
  const memory = facts?.memoryBytes ?? 1;
  return {
    at,
    cpu: cpuPerCore.reduce((sum, use) => sum + use, 0) / cores,
    cpuPerCore,
    load1: load * cores + wave(seed, at) * 2,
    memoryUsedBytes: Math.round(memory * (0.08 + load * 0.5 + wave(seed + 1, at) * 0.05)),
    memoryTotalBytes: memory,
    swapUsedBytes: 0,
    diskReadBytesPerS: wave(seed + 2, at) ** 4 * 9e8,
    diskWriteBytesPerS: wave(seed + 3, at) ** 3 * 2.4e8,
    netInBytesPerS: wave(seed + 4, at) ** 2 * 1.1e9,
    netOutBytesPerS: wave(seed + 5, at) ** 2 * 3e8,
    diskFreeBytes: facts?.diskFreeBytes ?? null,
    temperatureC: 48 + load * 20,
    gpus: (facts?.gpus ?? [])
      .filter((gpu) => !(node.name === 'gamma' && gpu.index === 3))
      .map((gpu) => gpuSample(node, gpu.index, at)),
  };
}

const spans: Readonly<Record<MetricsSpan, { step: number; count: number }>> = {
  '1h': { step: 5000, count: 720 },
  '2d': { step: 60_000, count: 2880 },
  '90d': { step: 900_000, count: 8640 },
};

/** What the history of a node would answer. */
export function fakeHistory(node: NodeView, span: MetricsSpan, now: number): MetricsPoint[] {
  const { step, count } = spans[span];
  const from = Math.max(now - step * count, node.addedAt);
  const points: MetricsPoint[] = [];
  for (let at = from; at <= now; at += step) {
    // Slowed down, so that a day has a shape rather than noise.
    const sample = fakeSample(node, at / (step / 2000));
    points.push({
      at,
      cpu: sample.cpu,
      memoryUsedBytes: sample.memoryUsedBytes,
      diskReadBytesPerS: sample.diskReadBytesPerS,
      diskWriteBytesPerS: sample.diskWriteBytesPerS,
      netInBytesPerS: sample.netInBytesPerS,
      netOutBytesPerS: sample.netOutBytesPerS,
      gpus: Object.fromEntries(
        sample.gpus.map((gpu) => [
          gpu.uuid,
          [gpu.utilization, gpu.memoryBytes, gpu.powerW, gpu.temperatureC],
        ]),
      ),
    });
  }
  return points;
}
