import { expect, test } from 'vitest';
import { mayBeLost, toldAsLost } from '../../../../src-main/runtimes/docker/lost-containers.ts';
import type { ObservedAttempt } from '../../../../src-main/runtimes/runtime.ts';
import type { CoreId, TaskId } from '../../../../src-main/contract/ids.ts';

/** A container that ran from second 100 to `finished` and ended with this code. */
function ended(exitCode: number, finished: number, startedAt: number | null = 100_000) {
  return {
    core: '7' as CoreId,
    taskId: '1' as TaskId,
    attempt: 1,
    runtime: 'docker',
    name: 'kohakuriver-task-1',
    condition: {
      kind: 'ended',
      end: { exitCode, signal: null, oomKilled: false },
      startedAt,
      finishedAt: finished * 1000,
      problem: null,
    },
    uses: { cores: 1, memoryBytes: 0, gpuUuids: [] },
    owner: null,
    imageDigest: null,
  } satisfies ObservedAttempt;
}

/** What is told of it on a node that is up since second `node`, with an Engine since `engine`. */
function told(attempt: ObservedAttempt, node: number | null, engine: number | null) {
  const life = {
    nodeSince: node === null ? null : node * 1000,
    engineSince: engine === null ? null : engine * 1000,
  };
  const { condition } = toldAsLost(attempt, life);
  if (condition.kind !== 'ended') throw new Error('it ended');
  return condition.end.lostWithNode === true ? condition.problem : condition.end.exitCode;
}

test.each([
  ['255 noted after the node came up again', ended(255, 205), 200, 203, /restarted while it ran/],
  ['255 in the second the node came up', ended(255, 199), 200, 203, /restarted while it ran/],
  ['255 by itself before the power cut', ended(255, 150), 200, 203, 255],
  ['255 by itself on a node that stayed up', ended(255, 150), 50, 60, 255],
  ['255 when Docker was restarted', ended(255, 151), 50, 150, /Docker was restarted/],
  ['255 long after Docker was restarted', ended(255, 500), 50, 150, 255],
  ['143 while the node was shut down', ended(143, 190), 200, 203, /shut down while it ran/],
  ['137 long before the node was shut down', ended(137, 190), 900, 903, 137],
  ['137 after Docker was restarted', ended(137, 151), 50, 150, 137],
  ['255 where nothing is known', ended(255, 205), null, null, 255],
  ['255 of what never started', ended(255, 205, null), 200, 203, 255],
] as const)('%s', (_what, attempt, node, engine, expected) => {
  const outcome = told(attempt, node, engine);
  if (typeof expected === 'number') expect(outcome).toBe(expected);
  else expect(outcome).toMatch(expected);
});

test('asks the node only about ends that may be its own', () => {
  expect([0, 1, 126, 127, 139].map((code) => mayBeLost(ended(code, 205)))).not.toContain(true);
  expect([137, 143, 255].map((code) => mayBeLost(ended(code, 205)))).not.toContain(false);
  expect(mayBeLost(ended(255, 205, null))).toBe(false);
});
