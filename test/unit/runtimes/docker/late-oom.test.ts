// An Engine that hears of an OOM kill after the end cannot be brought about: its events are handed in.
import { Readable } from 'node:stream';
import type Dockerode from 'dockerode';
import { expect, test } from 'vitest';
import type { Timers } from '../../../../src-main/domain/clock.ts';
import { systemTimers } from '../../../../src-main/link/system-timers.ts';
import type { CoreId, TaskId } from '../../../../src-main/contract/ids.ts';
import { mayBeOom, toldAsOom } from '../../../../src-main/runtimes/docker/late-oom.ts';
import type { ObservedAttempt } from '../../../../src-main/runtimes/runtime.ts';

function ended(exitCode: number, { memoryBytes = 2 ** 25, oomKilled = false } = {}) {
  return {
    core: '7' as CoreId,
    taskId: '1' as TaskId,
    attempt: 1,
    runtime: 'docker',
    name: 'kohakuriver-task-1',
    condition: {
      kind: 'ended',
      end: { exitCode, signal: 'SIGKILL', oomKilled },
      startedAt: 100_400,
      finishedAt: 105_700,
      problem: null,
    },
    uses: { cores: 1, memoryBytes, gpuUuids: [] },
    owner: null,
    imageDigest: null,
  } satisfies ObservedAttempt;
}

test.each([
  ['killed, with a limit', ended(137), true],
  ['noted as OOM', ended(137, { oomKilled: true }), false],
  ['without a limit', ended(137, { memoryBytes: 0 }), false],
  ['another exit code', ended(1), false],
])('%s: asked for %s', (_what, attempt, isAsked) => {
  expect(mayBeOom(attempt)).toBe(isAsked);
});

const asking = (getEvents: unknown, timers: Timers = systemTimers) => ({
  docker: { getEvents } as unknown as Dockerode,
  timers,
});
const event = (action: string) => `${JSON.stringify({ Type: 'container', Action: action })}\n`;

test.each([
  ['oom', [event('oom')], true],
  ['oom in two pieces', [event('oom').slice(0, 20), event('oom').slice(20)], true],
  ['a kill that was ordered, and then oom', [event('kill'), event('oom')], false],
  ['nothing', [], false],
  ['nothing that can be read', ['{"Action":\n', 'no JSON\n', '{"Action":7}\n'], false],
])('of its events: %s', async (_what, chunks, isOom) => {
  const asked: unknown[] = [];
  const getEvents = (options: unknown) => {
    asked.push(options);
    return Promise.resolve(Readable.from(chunks));
  };
  const attempt = ended(137);
  const told = await toldAsOom(asking(getEvents), { id: 'a1', attempt });
  expect(told).toMatchObject({ condition: { end: { exitCode: 137, oomKilled: isOom } } });
  // Of its life and the two seconds after it, so that the Engine itself ends the answer.
  expect(asked).toMatchObject([{ since: 100, until: 108, filters: { container: ['a1'] } }]);
});

test('an Engine whose clock was set back says nothing more: the end is told as it was noted', async () => {
  const silent = new Readable({ read: () => undefined });
  const waits: number[] = [];
  const timers: Timers = {
    ...systemTimers,
    after: (ms, run) => {
      waits.push(ms);
      return systemTimers.after(0, run);
    },
  };
  const attempt = ended(137);
  expect(
    await toldAsOom(
      asking(async () => silent, timers),
      { id: 'a1', attempt },
    ),
  ).toBe(attempt);
  expect(waits).toEqual([10_000]);
  expect(silent.destroyed).toBe(true);
});

test('a link that drops while it answers is told as such, and no end is', async () => {
  const dropping = new Readable({ read: () => undefined });
  const told = toldAsOom(
    asking(async () => dropping),
    { id: 'a1', attempt: ended(137) },
  );
  setImmediate(() => dropping.destroy());
  await expect(told).rejects.toMatchObject({ code: 'docker/connection' });
});
