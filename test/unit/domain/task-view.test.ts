import { expect, test } from 'vitest';
import { taskView } from '../../../src-main/contract/task.ts';
import { heldPlace, toTaskView } from '../../../src-main/domain/task-view.ts';
import {
  aNodeId,
  aPlace,
  aTask,
  ended,
  killed,
  lost,
  placed,
  started,
  t0,
  told,
} from './builders.ts';

const extras = { nodeName: () => 'gpu-1', phase: 'pulling', stdoutBytes: 7, stderrBytes: 0 };

test('shows what was asked for while it waits, and nothing that is not true yet', () => {
  const task = aTask({
    targets: ['gpu-1:0::1'],
    secretEnv: { TOKEN: 'hush', A: 'b' },
    hold: true,
    vessel: { kind: 'environment', name: 'torch' },
  });
  const view = toTaskView(task, extras);
  expect(taskView.parse(view)).toEqual(view);
  expect(view).toMatchObject({
    status: 'PENDING',
    held: true,
    phase: null,
    target: 'gpu-1:0::1',
    numa: 0,
    node: null,
    gpus: [],
    image: 'kohakuriver/torch:base',
    container: null,
    runtime: 'docker',
    secretEnvNames: ['A', 'TOKEN'],
    attempt: 0,
    submittedAt: t0,
    assignedAt: null,
    startedAt: null,
    finishedAt: null,
    stdoutBytes: 7,
  });
  expect(JSON.stringify(task)).not.toContain('hush');
});

test('shows place and times as they become true', () => {
  const assigning = told(aTask(), placed);
  expect(toTaskView(assigning, extras)).toMatchObject({
    phase: 'pulling',
    node: 'gpu-1',
    nodeId: aNodeId,
    gpus: aPlace.gpus,
    container: 'kohakuriver-task-1000',
    assignedAt: t0 + 1000,
    startedAt: null,
  });
  const lostRun = told(assigning, started, lost, killed);
  expect(toTaskView(lostRun, extras)).toMatchObject({
    status: 'LOST',
    reason: 'no answer for 30 s',
    killRequested: true,
    phase: null,
    startedAt: t0 + 1500,
    finishedAt: null,
    imageDigest: 'sha256:1',
  });
});

test('an ended task keeps where it was and how it ended', () => {
  const failed = told(
    aTask({ vessel: { kind: 'process' } }),
    { kind: 'placed', place: { ...aPlace, runtime: 'process' }, why: null },
    started,
    ended({ exitCode: 3 }),
  );
  const view = toTaskView(failed, { ...extras, nodeName: () => undefined });
  expect(taskView.parse(view)).toEqual(view);
  expect(view).toMatchObject({
    status: 'FAILED',
    reason: 'exit code 3',
    exitCode: 3,
    signal: null,
    node: null,
    nodeId: aNodeId,
    runtime: 'process',
    image: null,
    container: null,
    killRequested: false,
    finishedAt: t0 + 3000,
  });
});

test('holds its place from the assignment to the end, and nowhere else', () => {
  const running = told(aTask(), placed, started);
  expect(heldPlace(aTask())).toBeNull();
  expect(heldPlace(told(aTask(), placed))).toEqual(aPlace);
  expect(heldPlace(told(running, lost))).toEqual(aPlace);
  expect(heldPlace(told(running, ended({ exitCode: 0 })))).toBeNull();
});
