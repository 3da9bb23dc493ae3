// How long planning takes: 100,000 queued tasks × 1,000 nodes × 8 GPUs; 20 distinct shapes, 50
// owners, nodes 80 % full (spec/tasks.md, «Numbers to reach»). Run: node test/bench/plan.ts
import { nodeId, taskId } from '../../src-main/contract/ids.ts';
import type { Holding, PlannerNode, QueuedTask } from '../../src-main/domain/planner/model.ts';
import { plainPolicy } from '../../src-main/domain/planner/policy.ts';
import { plannerOf, type PlanInput } from '../../src-main/domain/planner/plan.ts';
import { Planner } from '../../src-main/domain/planner/planner.ts';

const taskCount = 100_000;
const nodeCount = 1_000;
const shapeCount = 20;
const ownerCount = 50;
const fullness = 0.8;
const GiB = 2 ** 30;
/** The first have waited long enough to have room kept for them. */
const now = 1_700_000_000_000 + 11 * 60_000;
const policy = plainPolicy;

/** A small seeded generator (mulberry32), so that every run plans the same. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

function benchNode(index: number): PlannerNode {
  const model = index % 3 === 0 ? 'NVIDIA A100-SXM4-80GB' : 'NVIDIA GeForce RTX 4090';
  return {
    id: nodeId.parse(String(1000 + index)),
    name: `gpu-${String(index)}`,
    state: 'online',
    drained: false,
    labels: { rack: String(index % 10) },
    cores: 64,
    memoryBytes: 512 * GiB,
    numa: [0, 1].map((id) => ({ id, cores: 32, memoryBytes: 256 * GiB })),
    gpus: Array.from({ length: 8 }, (_, gpu) => ({
      uuid: `GPU-${String(index)}-${String(gpu)}`,
      index: gpu,
      model,
      memoryBytes: (index % 3 === 0 ? 80 : 24) * GiB,
      numa: gpu < 4 ? 0 : 1,
      foreign: null,
      healthy: true,
    })),
    runtimes: { docker: true, process: true },
    foreignUse: { cores: 0, memoryBytes: 0, gpuUuids: [] },
    load: 0.5,
    images: new Set(['debian:12']),
  };
}

/** One GPU, 8 cores and 60 GiB per holding; each GPU is held with the probability `fullness`. */
function benchHoldings(nodes: readonly PlannerNode[], random: () => number): Holding[] {
  let next = 1_000_000;
  return nodes.flatMap((node) =>
    node.gpus
      .filter(() => random() < fullness)
      .map(({ uuid, index }) => ({
        taskId: taskId.parse(String((next += 1))),
        attempt: 1,
        place: {
          nodeId: node.id,
          runtime: 'docker' as const,
          gpus: [{ uuid, index }],
          cores: 8,
          memoryBytes: 60 * GiB,
          numa: null,
          exclusive: false,
        },
        counted: { owner: `owner-${String(next % ownerCount)}`, labels: {} },
        endsAt: next % 3 === 0 ? now + (next % 7) * 600_000 : null,
      })),
  );
}

function benchTask(index: number, random: () => number): QueuedTask {
  const shape = index % shapeCount;
  const count = shape % 5;
  return {
    id: taskId.parse(String(7_000_000_000_000_000_000n + BigInt(index))),
    owner: `owner-${String(index % ownerCount)}`,
    priority: Math.floor(random() * 5) - 2,
    submittedAt: 1_700_000_000_000 + index,
    held: false,
    target: null,
    cores: 1 + shape,
    memoryBytes: (1 + shape) * GiB,
    gpus:
      count === 0 ? null : { count: 2 ** (count - 1), ...(shape > 14 ? { model: 'a100' } : {}) },
    vessel: { kind: 'image', reference: 'debian:12' },
    exclusive: false,
    onNodeLabels: shape === 7 ? { rack: '3' } : {},
    avoidNodes: [],
    labels: {},
    timeLimitMs: index % 3 === 0 ? 3_600_000 : null,
    waitingSince: 1_700_000_000_000 + index,
    gang: null,
  };
}

interface Timed<T> {
  readonly ms: number;
  /** Of this thread alone: what it takes on a machine that has nothing else to do. */
  readonly cpuMs: number;
  readonly value: T;
}

function time<T>(work: () => T): Timed<T> {
  const cpu = process.threadCpuUsage();
  const start = performance.now();
  const value = work();
  const ms = performance.now() - start;
  const { user, system } = process.threadCpuUsage(cpu);
  return { ms, cpuMs: (user + system) / 1000, value };
}

function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN;
}

function report(
  what: string,
  times: readonly Omit<Timed<unknown>, 'value'>[],
  target: string,
): void {
  const line = (of: (time: Omit<Timed<unknown>, 'value'>) => number) => {
    const values = times.map(of);
    return [0.5, 0.99, 1].map((q) => quantile(values, q).toFixed(2)).join(' / ');
  };
  process.stdout.write(
    `${what.padEnd(48)} ${line(({ ms }) => ms)} ms; CPU ${line(({ cpuMs }) => cpuMs)} ms; ${String(times.length)} times; target ${target}\n`,
  );
}

function makeInput(): PlanInput {
  const random = randomFrom(1);
  const nodes = Array.from({ length: nodeCount }, (_, index) => benchNode(index));
  const holdings = benchHoldings(nodes, random);
  const queue = Array.from({ length: taskCount }, (_, index) => benchTask(index, random));
  return { nodes, holdings, queue, policy, now };
}

const input = makeInput();
type Times = { readonly ms: number; readonly cpuMs: number }[];
const load: Times = [];
const first: Times = [];
const full: Times = [];
let placed = 0;
let planner = new Planner(policy);
for (let round = 0; round < 7; round += 1) {
  const loaded = time(() => plannerOf(input));
  const passed = time(() => loaded.value.pass(now));
  load.push(loaded);
  first.push(passed);
  full.push({ ms: loaded.ms + passed.ms, cpuMs: loaded.cpuMs + passed.cpuMs });
  placed = passed.value.length;
  planner = loaded.value;
}

const incremental: Times = [];
const idle: Times = [];
let replaced = 0;
for (const holding of input.holdings.slice(0, 2000)) {
  const passed = time(() => {
    planner.release(holding.taskId);
    return planner.pass(now);
  });
  incremental.push(passed);
  replaced += passed.value.length;
  idle.push(time(() => planner.pass(now)));
}

process.stdout.write(
  `${String(taskCount)} queued × ${String(nodeCount)} nodes × 8 GPUs, ${String(shapeCount)} shapes, ${String(ownerCount)} owners, nodes ${String(fullness * 100)} % full; one core\n` +
    'median / 99th percentile / worst\n',
);
report('mirror from scratch', load, '-');
report(`first pass of it (places ${String(placed)})`, first, '-');
report('full pass: both', full, '≤ 250 ms');
report(`one task ended, pass (places ${String(replaced)} in all)`, incremental, '≤ 5 ms');
report('nothing changed, pass', idle, '-');
