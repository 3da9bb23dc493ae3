// Sample tasks in every status, and any number of ended ones behind them.
import type { BatchId, TaskId } from '../../../src-main/contract/ids.ts';
import type { NodeView } from '../../../src-main/contract/node.ts';
import type { TaskEventView, TaskStatus, TaskView } from '../../../src-main/contract/task.ts';
import { GiB, gpuUuid, nodeIdOf } from './fake-nodes.ts';

const epochBits = 4_194_304n;

/** A snowflake as the core would make it, for a moment and a number within it. */
export function fakeTaskId(at: number, index: number): TaskId {
  return String(BigInt(at) * epochBits + 1_257_472n + BigInt(index)) as TaskId;
}

export function sketchTask(at: number, index: number, over: Partial<TaskView> = {}): TaskView {
  const id = fakeTaskId(at, index);
  return {
    id,
    batchId: id as string as BatchId,
    name: null,
    type: 'command',
    status: 'PENDING',
    reason: null,
    held: false,
    phase: null,
    killRequested: false,
    exitCode: null,
    signal: null,
    node: null,
    nodeId: null,
    target: null,
    gpus: [],
    gpuRequest: null,
    cores: 4,
    memoryBytes: 16 * GiB,
    numa: null,
    runtime: 'docker',
    image: 'pytorch/pytorch:2.5.1-cuda12.4',
    imageDigest: null,
    container: null,
    work: { kind: 'command', argv: ['python', 'train.py', '--config', 'base.yaml'] },
    env: {},
    secretEnvNames: [],
    mounts: [],
    sync: [],
    fetch: [],
    workdir: null,
    user: null,
    privileged: false,
    exclusive: false,
    keepFailed: false,
    onNodeLabels: {},
    avoidNodes: [],
    priority: 0,
    labels: {},
    attempt: 0,
    owner: 'mio',
    after: [],
    blockedBy: [],
    arrayIndex: null,
    arrayMaxRunning: null,
    timeLimitSeconds: null,
    retries: null,
    notBefore: null,
    gang: false,
    isBackfilled: false,
    submittedAt: at,
    assignedAt: null,
    startedAt: null,
    finishedAt: null,
    stdoutBytes: 0,
    stderrBytes: 0,
    warnings: [],
    ...over,
  };
}

function on(node: string, index: number, gpus: number[]): Partial<TaskView> {
  return {
    node,
    nodeId: nodeIdOf(index),
    target: `${node}${gpus.length === 0 ? '' : `::${gpus.join(',')}`}`,
    gpus: gpus.map((gpu) => ({ uuid: gpuUuid(node, gpu), index: gpu })),
    attempt: 1,
  };
}

const minute = 60_000;

function running(now: number): TaskView[] {
  const begun = (ago: number) => ({
    assignedAt: now - ago,
    startedAt: now - ago + 2100,
    status: 'RUNNING' as const,
  });
  return [
    sketchTask(now - 190 * minute, 1, {
      name: 'llama-finetune-r3',
      ...on('alpha', 1, [0, 1, 2, 3]),
      ...begun(188 * minute),
      cores: 32,
      memoryBytes: 256 * GiB,
      stdoutBytes: 18_420_113,
      stderrBytes: 9120,
      labels: { team: 'nlp' },
      env: { HF_HOME: '/data/hf', OMP_NUM_THREADS: '8' },
      secretEnvNames: ['WANDB_API_KEY'],
      mounts: [{ source: '/srv/data', destination: '/data', readOnly: true }],
      sync: [{ from: '/home/mio/finetune', to: '/srv/finetune' }],
      fetch: [{ from: '/srv/finetune/checkpoints', to: '/home/mio/checkpoints' }],
      workdir: '/work',
      work: {
        kind: 'command',
        argv: [
          'torchrun',
          '--nproc-per-node=4',
          'finetune.py',
          '--lr',
          '2e-5',
          '--out',
          '/data/out run 3',
        ],
      },
      imageDigest: 'sha256:1f0e4c3a9b5d4f7788a1b2c3d4e5f60718293a4b5c6d7e8f901a2b3c4d5e6f70',
    }),
    sketchTask(now - 42 * minute, 2, {
      name: 'diffusion-sweep-07',
      ...on('alpha', 1, [6]),
      ...begun(40 * minute),
      owner: 'anna',
      priority: 10,
      cores: 8,
      memoryBytes: 64 * GiB,
      stdoutBytes: 402_113,
    }),
    sketchTask(now - 9 * minute, 3, {
      name: 'eval-mmlu',
      ...on('beta', 2, [2]),
      ...begun(8 * minute),
      owner: 'kenji',
      isBackfilled: true,
      timeLimitSeconds: 1500,
      stdoutBytes: 12_120,
    }),
    sketchTask(now - 95 * minute, 4, {
      ...on('gamma', 3, [0, 1]),
      ...begun(94 * minute),
      status: 'PAUSED',
      name: 'render-batch-12',
      reason: 'Paused by mio.',
    }),
    sketchTask(now - 30_000, 5, {
      ...on('desk', 0, [0]),
      status: 'ASSIGNING',
      assignedAt: now - 24_000,
      name: 'notebook-export',
      phase: 'pulling pytorch/pytorch:2.5.1-cuda12.4 (40 %)',
    }),
    sketchTask(now - 400 * minute, 6, {
      ...on('old-faithful', 5, [0]),
      ...begun(398 * minute),
      status: 'LOST',
      name: 'crawl-index',
      reason: 'old-faithful cannot be reached since 3 h. The task may still be running there.',
    }),
  ];
}

function waiting(now: number): TaskView[] {
  return [
    sketchTask(now - 36 * minute, 7, {
      name: 'llama-finetune-r4',
      gpuRequest: { count: 8, model: 'H100' },
      cores: 64,
      memoryBytes: 512 * GiB,
      priority: 5,
      reason: 'Waiting for 8 GPUs (H100) on one node; alpha has 3 free.',
    }),
    sketchTask(now - 21 * minute, 8, {
      name: 'whisper-batch',
      target: 'beta::0,1',
      cores: 8,
      reason:
        'Waiting for 2 GPUs on beta; 1 is free, 1 is used by anna (PID 3312) outside the queue.',
      owner: 'kenji',
    }),
    sketchTask(now - 12 * minute, 9, {
      name: 'nightly-report',
      held: true,
      reason: 'On hold by mio.',
      runtime: 'process',
      image: null,
      cores: 1,
      memoryBytes: null,
      work: {
        kind: 'script',
        text: 'set -eu\ncd /srv/reports\n./collect.sh | tee out.txt\nmail -s nightly team < out.txt\n',
      },
    }),
    sketchTask(now - 5 * minute, 10, {
      name: 'tokenizer-train',
      cores: 96,
      reason: 'Waiting for 96 cores; alpha has 88 free.',
      owner: 'anna',
    }),
    sketchTask(now - 2 * minute, 11, {
      status: 'PENDING_APPROVAL',
      name: 'privileged-bench',
      privileged: true,
      owner: 'guest',
    }),
  ];
}

interface Ending {
  status: TaskStatus;
  exitCode: number | null;
  reason: string | null;
  signal?: string;
}
const endings: readonly Ending[] = [
  { status: 'COMPLETED', exitCode: 0, reason: null },
  { status: 'COMPLETED', exitCode: 0, reason: null },
  { status: 'FAILED', exitCode: 1, reason: 'It ended with exit code 1.' },
  { status: 'COMPLETED', exitCode: 0, reason: null },
  { status: 'KILLED', exitCode: 143, reason: 'Killed by mio.', signal: 'SIGTERM' },
  { status: 'COMPLETED', exitCode: 0, reason: null },
  {
    status: 'KILLED_OOM',
    exitCode: 137,
    reason: 'It needed more than its 16 GiB of memory and was ended by the kernel.',
    signal: 'SIGKILL',
  },
  { status: 'FAILED', exitCode: 127, reason: 'The command «pyton» is not in the image.' },
  { status: 'COMPLETED', exitCode: 0, reason: null },
  {
    status: 'REJECTED',
    exitCode: null,
    reason: 'Rejected by root: no privileged containers, please.',
  },
];
const names = [
  'ablation',
  'eval-gsm8k',
  'prepare-data',
  'export-onnx',
  'sweep',
  'lint-corpus',
  'dedup',
  'benchmark',
];

const arrayBatch = '7320541234599999' as BatchId;

/** A dozen of the ended ones were an array. */
function inArray(i: number): Partial<TaskView> {
  if (i < 20 || i >= 32) return {};
  return { batchId: arrayBatch, arrayIndex: i - 20, arrayMaxRunning: 4 };
}

/** The i-th ended task, going back in time. */
export function endedTask(now: number, i: number): TaskView {
  const ending = endings[i % endings.length];
  if (ending === undefined) throw new RangeError('there are endings');
  const at = now - 60 * minute - i * 90_000;
  const took = 40_000 + ((i * 7919) % 3_000_000);
  const ran = ending.status !== 'REJECTED';
  return sketchTask(at, 100 + (i % 3000), {
    ...inArray(i),
    name: `${names[i % names.length] ?? ''}-${String(i).padStart(3, '0')}`,
    status: ending.status,
    exitCode: ending.exitCode,
    reason: ending.reason,
    signal: ending.signal ?? null,
    ...(ran ? on(i % 3 === 0 ? 'beta' : 'alpha', i % 3 === 0 ? 2 : 1, [i % 4]) : {}),
    owner: ['mio', 'anna', 'kenji'][i % 3] ?? 'mio',
    assignedAt: ran ? at + 1000 : null,
    startedAt: ran ? at + 3000 : null,
    finishedAt: at + took,
    stdoutBytes: ran ? 2048 * (i % 400) : 0,
  });
}

/** Live ones in every status, then `ended` finished ones. */
export function richTasks(now: number, ended: number): TaskView[] {
  const past = Array.from({ length: ended }, (_, i) => endedTask(now, i));
  return [...waiting(now), ...running(now), ...past];
}

/** Tasks that fill most of a large fleet. */
export function bigTasks(now: number, nodes: readonly NodeView[]): TaskView[] {
  return nodes.flatMap((node, index) => {
    if (node.state !== 'online' || node.drained || index % 5 === 4) return [];
    const gpus = index % 3 === 0 ? [0, 1, 2, 3, 4, 5, 6, 7] : [0, 1, 2, 3];
    const at = now - (index + 1) * 7 * minute;
    return [
      sketchTask(at, 200 + index, {
        name: `pretrain-shard-${String(index).padStart(2, '0')}`,
        ...on(node.name, index, gpus),
        status: 'RUNNING',
        assignedAt: at + 900,
        startedAt: at + 3000,
        cores: 64,
      }),
    ];
  });
}

/** The history a task in its state would have. */
export function eventsOf(task: TaskView): TaskEventView[] {
  const { submittedAt, assignedAt, startedAt, finishedAt, status, reason } = task;
  const steps: { at: number | null; to: TaskStatus; kind: string; why?: string | null }[] = [
    { at: submittedAt, to: 'PENDING', kind: 'submitted' },
    {
      at: assignedAt,
      to: 'ASSIGNING',
      kind: 'placed',
      why: `On ${task.node ?? ''} with ${task.gpus.length} GPUs.`,
    },
    { at: assignedAt, to: 'ASSIGNING', kind: 'pulling', why: task.image },
    { at: startedAt, to: 'RUNNING', kind: 'started' },
    {
      at: status === 'PAUSED' ? submittedAt + 3_000_000 : null,
      to: 'PAUSED',
      kind: 'paused',
      why: reason,
    },
    {
      at: status === 'LOST' ? submittedAt + 9_000_000 : null,
      to: 'LOST',
      kind: 'node-lost',
      why: reason,
    },
    { at: finishedAt, to: status, kind: 'ended', why: reason },
  ];
  const happened = steps.flatMap((step) => (step.at === null ? [] : [{ ...step, at: step.at }]));
  return happened.map(({ at, to, kind, why = null }, i) => ({
    seq: i + 1,
    at,
    from: happened[i - 1]?.to ?? null,
    to,
    kind,
    why,
    attempt: task.attempt,
    who: kind === 'submitted' ? task.owner : 'core',
  }));
}
