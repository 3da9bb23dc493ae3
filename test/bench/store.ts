// How fast tasks become durable, and how fast windows into 100,000 of them are answered.
// Run: node test/bench/store.ts [directory]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BatchId, NodeId, TaskId } from '../../src-main/contract/ids.ts';
import { taskWindowQuery, type TaskFilter, type TaskSort } from '../../src-main/contract/task.ts';
import type { Task } from '../../src-main/domain/task.ts';
import { openStore } from '../../src-main/store/open.ts';

const total = 100_000;
const batch = 1000;
const singles = 2000;

const submittedAt = Date.UTC(2025, 0, 1);
const place = {
  nodeId: '7000000000000000001' as NodeId,
  runtime: 'docker' as const,
  gpus: [],
  cores: 1,
  memoryBytes: 0,
  numa: null,
  exclusive: false,
};

function taskOf(index: number, isEnded: boolean): Task {
  return {
    id: (7_100_000_000_000_000_001n + BigInt(index)).toString() as TaskId,
    batchId: '7050000000000000001' as BatchId,
    type: 'command',
    spec: {
      target: null,
      vessel: { kind: 'image', reference: 'pytorch/pytorch:2.5.1-cuda12.4-cudnn9-runtime' },
      secretEnvNames: [],
      cores: 4,
      memoryBytes: 2 ** 34,
      gpus: { count: 1 },
      work: { kind: 'command', argv: ['python', '-m', 'train', '--seed', String(index)] },
      env: { OMP_NUM_THREADS: '4', WANDB_MODE: 'offline' },
      mounts: [{ source: '/data/sets', destination: '/data', readOnly: true }],
      workdir: '/data',
      user: null,
      privileged: false,
      name: `sweep-${index}`,
      labels: { team: index % 3 === 0 ? 'vision' : 'text' },
      exclusive: false,
      onNodeLabels: {},
      avoidNodes: [],
      keepFailed: false,
      after: [],
      arrayIndex: null,
      arrayMaxRunning: null,
      timeLimitSeconds: null,
      retries: null,
      notBefore: null,
      gang: false,
      sync: [],
      fetch: [],
    },
    owner: index % 2 === 0 ? 'anna' : 'bob',
    priority: index % 5,
    submittedAt,
    attempt: isEnded ? 1 : 0,
    imageDigest: null,
    disk: null,
    warnings: [],
    state: isEnded
      ? {
          status: 'COMPLETED',
          since: submittedAt + index,
          reason: null,
          place,
          assignedAt: submittedAt,
          startedAt: submittedAt,
          end: { exitCode: 0, signal: null, oomKilled: false },
        }
      : {
          status: 'PENDING',
          since: submittedAt,
          held: false,
          reason: null,
          notBefore: null,
          blockedBy: [],
        },
  };
}

const record = { kind: 'submitted', why: null, who: 'anna' };
const dataDir = mkdtempSync(join(process.argv[2] ?? tmpdir(), 'kohakuriver-bench-'));
const store = await openStore({
  dataDir,
  clock: { now: () => Date.now(), monotonic: () => performance.now() },
  host: 'bench',
  log: { warn: (fields, message) => console.log(message, JSON.stringify(fields).slice(0, 200)) },
});

async function timed(what: string, count: number, action: () => Promise<void>): Promise<void> {
  const begin = performance.now();
  await action();
  const ms = performance.now() - begin;
  console.log(
    `${what}: ${((count / ms) * 1000).toFixed(0)}/s (${(ms / count).toFixed(3)} ms each)`,
  );
}

await timed(`durable in batches of ${batch}`, total, async () => {
  for (let from = 0; from < total; from += batch) {
    const tasks = Array.from({ length: batch }, (_, n) => taskOf(from + n, from < total / 2));
    store.tasks.insertMany(tasks.map((task) => ({ task, record })));
    await store.flushed();
  }
});
await timed('durable one by one', singles, async () => {
  for (let n = 0; n < singles; n += 1) {
    store.tasks.insertMany([{ task: taskOf(total + n, false), record }]);
    await store.flushed();
  }
});
await timed('transition, durable one by one', singles, async () => {
  for (let n = 0; n < singles; n += 1) {
    const from = taskOf(total + n, false);
    const task: Task = {
      ...from,
      attempt: 1,
      state: { status: 'ASSIGNING', since: 1, place, assignedAt: 1, kill: null },
    };
    const effects = [{ kind: 'start-attempt', nodeId: place.nodeId, attempt: 1 }] as const;
    store.tasks.save(
      { task, effects, record: { kind: 'placed', why: null, who: 'scheduler' } },
      from,
      1,
    );
    await store.flushed();
  }
});

const windows: [string, TaskFilter, TaskSort, number][] = [
  ['first page', {}, 'newest', 0],
  ['far page', {}, 'newest', 90_000],
  ['by name, far', {}, 'name', 50_000],
  ['queue', { statuses: ['PENDING'] }, 'queue', 40_000],
  ['finished', {}, 'finished', 10_000],
  ['text', { text: 'seed 7' }, 'newest', 0],
  ['text, queue', { text: 'seed 7' }, 'queue', 0],
  ['glob', { nameGlob: 'sweep-9*' }, 'newest', 0],
  ['label', { label: { key: 'team', value: 'vision' } }, 'newest', 20_000],
  ['owner', { owner: 'anna' }, 'oldest', 20_000],
  ['owner, rare status', { owner: 'anna', statuses: ['ASSIGNING'] }, 'newest', 0],
  ['node', { nodeId: place.nodeId }, 'newest', 30_000],
];
for (const [what, filter, sort, offset] of windows) {
  const query = taskWindowQuery.parse({ filter, sort, offset });
  await store.tasks.window(query);
  await timed(`window: ${what}`, 5, async () => {
    for (let n = 0; n < 5; n += 1) await store.tasks.window(query);
  });
}
const begin = performance.now();
console.log(
  'active:',
  store.tasks.active().tasks.length,
  `${(performance.now() - begin).toFixed(0)} ms`,
);
await store.close();
rmSync(dataDir, { recursive: true });
