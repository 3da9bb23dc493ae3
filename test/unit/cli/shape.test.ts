import { expect, test } from 'vitest';
import type { MetricsSample } from '../../../src-main/contract/node.ts';
import { fleetSummary } from '../../../src-main/hosts/cli/shape/fleet-summary.ts';
import { nodeJson } from '../../../src-main/hosts/cli/shape/node-json.ts';
import { taskJson } from '../../../src-main/hosts/cli/shape/task-json.ts';
import { nodesTable, nodeText } from '../../../src-main/hosts/cli/text/node-text.ts';
import {
  taskText,
  tasksTable,
  waitReasonText,
} from '../../../src-main/hosts/cli/text/task-text.ts';
import { sampleNode, sampleTask } from './samples.ts';

const plain = (_tone: unknown, text: string): string => text;
const look = { isTerminal: true, columns: 120, paint: plain };
const now = 1_772_366_462_000;

const gpuSample = (uuid: string, foreign: boolean) => ({
  uuid,
  utilization: 50,
  memoryBytes: 2 ** 30,
  temperatureC: 60,
  powerW: 200,
  powerLimitW: 400,
  fanPercent: null,
  processes: foreign ? [{ pid: 3312, user: 'anna', name: 'python', memoryBytes: null }] : [],
  foreign,
});

const sample: MetricsSample = {
  at: now,
  cpu: 0.5,
  cpuPerCore: [],
  load1: 1,
  memoryUsedBytes: 2 ** 34,
  memoryTotalBytes: 2 ** 36,
  swapUsedBytes: null,
  diskReadBytesPerS: null,
  diskWriteBytesPerS: null,
  netInBytesPerS: null,
  netOutBytesPerS: null,
  diskFreeBytes: null,
  temperatureC: null,
  gpus: [gpuSample('GPU-0', true), gpuSample('GPU-1', false)],
};

test('a task has exactly the agreed fields, in the agreed order', () => {
  expect(Object.keys(taskJson(sampleTask())).join(' ')).toBe(
    'id batchId name type status reason exitCode node target gpus cores memoryBytes numa image container runtime ' +
      'command env mounts workdir privileged priority labels attempt retries after submittedAt assignedAt startedAt ' +
      'finishedAt timeLimitSeconds stdoutBytes stderrBytes owner approver arrayIndex blockedBy notBefore gang backfilled ' +
      'sync fetch',
  );
});

test('a task as scripts read it', () => {
  expect(taskJson(sampleTask())).toMatchObject({
    gpus: [0, 1],
    command: ['python', 'train.py'],
    env: { LR: '0.1', WANDB_KEY: '********' },
    submittedAt: '2026-03-01T12:00:00.000Z',
    finishedAt: null,
    timeLimitSeconds: null,
  });
});

test('a script is shown as what runs it', () => {
  const task = sampleTask({ work: { kind: 'script', text: 'a && b' } });
  expect(taskJson(task).command).toEqual(['/bin/sh', '-c', 'a && b']);
});

test('a node as scripts read it', () => {
  expect(nodeJson(sampleNode(), sample)).toEqual({
    name: 'alpha',
    address: '10.0.0.1',
    user: 'ops',
    port: 22,
    state: 'online',
    reason: null,
    lastSeen: '2026-03-01T12:00:00.000Z',
    labels: { rack: '1' },
    facts: {
      os: 'Debian 12',
      kernel: '6.1',
      arch: 'x86_64',
      cores: 8,
      memoryBytes: 2 ** 36,
      numa: [{ id: 0, cores: [0, 1, 2, 3, 4, 5, 6, 7], memoryBytes: 2 ** 36 }],
      gpus: [0, 1].map((index) => ({
        index,
        uuid: `GPU-${String(index)}`,
        name: 'NVIDIA A100',
        vendor: 'nvidia',
        memoryBytes: 40 * 2 ** 30,
        numa: 0,
        pciBusId: `0000:0${String(index)}:00.0`,
      })),
      docker: { version: '27.0' },
      qemu: null,
    },
    usage: {
      cpu: 0.5,
      memoryBytes: 2 ** 34,
      gpus: [0, 1].map((index) => ({
        index,
        utilization: 50,
        memoryBytes: 2 ** 30,
        temperatureC: 60,
        powerW: 200,
        foreign: index === 0,
      })),
    },
    allocated: { cores: 4, memoryBytes: 8 * 2 ** 30, gpus: [1] },
    drained: false,
  });
});

test('a node that was never reached has no facts and no use', () => {
  const node = nodeJson(sampleNode({ facts: null, lastSeen: null }), undefined);
  expect(node).toMatchObject({ facts: null, usage: null, lastSeen: null, allocated: { gpus: [] } });
});

test('the summary counts what is online and tells held from foreign', () => {
  const offline = { node: sampleNode({ state: 'offline' }), sample: undefined };
  expect(fleetSummary([{ node: sampleNode(), sample }, offline])).toMatchObject({
    nodes: { online: 1, offline: 1 },
    cores: { total: 8, held: 4 },
    gpus: { total: 2, held: 1, foreign: 1 },
  });
});

test('people see who holds a GPU, and what is amiss', () => {
  const text = nodeText({ node: sampleNode({ drained: true }), sample }, { look, now });
  expect(text).toContain('online, drained');
  expect(text).toContain('others: anna (PID 3312)');
  expect(text).toContain('task 7530116428228452353');
});

test('what a node says about itself cannot steer the terminal', () => {
  const node = sampleNode({ state: 'offline', reason: 'gone\u001b[2J' });
  const shown = nodesTable([{ node, sample: undefined }], look);
  expect(shown).not.toContain('\u001b');
});

test('a task for people: names of secrets, not values; control characters gone', () => {
  const task = sampleTask({ name: 'x\u001b[31m', phase: null });
  const text = taskText(task, { paint: plain, now });
  expect(text).toContain('LR WANDB_KEY (secret)');
  expect(text).not.toContain('\u001b');
  expect(tasksTable([task], { look, now })).toContain('alpha::0,1');
});

test('why a task waits, node by node', () => {
  const text = waitReasonText(
    {
      summary: 'Waiting for 2 GPUs.',
      ahead: 3,
      expected: { at: null, isPromise: true, why: 'What it needs is kept for it on alpha.' },
      suggestions: [
        {
          words: 'Ask for 1 GPU',
          node: 'alpha',
          changes: { gpus: { count: 1, model: 'RTX 4090' }, target: null, memoryBytes: 2 ** 30 },
        },
      ],
      nodes: [
        {
          nodeId: sampleNode().id,
          node: 'alpha',
          fits: false,
          possible: true,
          lacks: ['1 GPU is free'],
        },
        {
          nodeId: sampleNode().id,
          node: 'b',
          fits: false,
          possible: false,
          lacks: ['it has no GPU'],
        },
      ],
    },
    { paint: plain, id: '77' },
  );
  expect(text).toBe(
    [
      'Waiting for 2 GPUs.',
      '3 tasks are before it in the queue.',
      'What it needs is kept for it on alpha.',
      '  alpha  not now: 1 GPU is free',
      '  b      never: it has no GPU',
      'To let it start now:',
      "  Ask for 1 GPU (on alpha): kohakuriver task amend 77 --gpus 1 --gpu-model 'RTX 4090' --memory 1024M --without target",
      '',
    ].join('\n'),
  );
});
