import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { coreId } from '../../../src-main/contract/ids.ts';
import {
  endEvents,
  eventsFor,
  reconcile,
  type ObservedSummary,
} from '../../../src-main/domain/reconcile.ts';
import type { Task } from '../../../src-main/domain/task.ts';
import {
  aCoreId,
  aTask,
  delivered,
  ended,
  killed,
  lost,
  paused,
  placed,
  started,
  t0,
  told,
} from './builders.ts';

const task = aTask();
const assigning = told(task, placed);
const running = told(assigning, started);
const frozen = told(running, paused);
const states = {
  assigning,
  running,
  frozen,
  lostStart: told(assigning, lost),
  lostRun: told(running, lost),
  lostFrozen: told(frozen, lost),
};

function seen(
  condition: ObservedSummary['condition'],
  changes: Partial<ObservedSummary> = {},
): ObservedSummary {
  return {
    core: aCoreId,
    taskId: task.id,
    attempt: 1,
    runtime: 'docker',
    name: 'kohakuriver-task-1000',
    condition,
    imageDigest: null,
    ...changes,
  };
}

const created = seen({ kind: 'created' });
const alive = seen({ kind: 'running', startedAt: t0 });
const asleep = seen({ kind: 'paused', startedAt: t0 });
const over = (exitCode: number, startedAt: number | null = t0) =>
  seen({
    kind: 'ended',
    end: { exitCode, signal: null, oomKilled: false },
    startedAt,
    problem: null,
  });

function settle(
  wanted: readonly Task[],
  observed: readonly ObservedSummary[],
  newest?: { attempt: number; isKept: boolean },
) {
  return reconcile({
    wanted,
    observed,
    coreId: aCoreId,
    listed: new Set(['docker']),
    newestAttempt: () => newest,
  });
}

describe('settles each difference', () => {
  test.each<[keyof typeof states, string, ObservedSummary | null, string, string[]]>([
    ['assigning', 'nothing', null, 'start', []],
    ['assigning', 'created', created, 'start', []],
    ['assigning', 'running', alive, 'adopt', ['started']],
    ['assigning', 'paused', asleep, 'adopt', ['started', 'paused']],
    ['assigning', 'ended', over(0), 'collect', ['started', 'ended']],
    ['assigning', 'ended before it began', over(127, null), 'collect', ['start-failed']],
    ['running', 'nothing', null, 'vanished', []],
    ['running', 'created', created, 'vanished', []],
    ['running', 'running', alive, 'adopt', []],
    ['running', 'paused', asleep, 'adopt', ['paused']],
    ['running', 'ended', over(1), 'collect', ['ended']],
    ['frozen', 'running', alive, 'adopt', ['resumed']],
    ['frozen', 'paused', asleep, 'adopt', []],
    ['frozen', 'ended with 0', over(0), 'collect', ['resumed', 'ended']],
    ['frozen', 'ended with 1', over(1), 'collect', ['ended']],
    ['lostStart', 'nothing', null, 'start', []],
    ['lostStart', 'created', created, 'start', []],
    ['lostStart', 'running', alive, 'adopt', ['started']],
    ['lostStart', 'paused', asleep, 'adopt', ['started', 'paused']],
    ['lostStart', 'ended', over(0), 'collect', ['started', 'ended']],
    ['lostRun', 'nothing', null, 'vanished', []],
    ['lostRun', 'running', alive, 'adopt', ['found']],
    ['lostRun', 'paused', asleep, 'adopt', ['found']],
    ['lostRun', 'ended', over(0), 'collect', ['ended']],
    ['lostFrozen', 'running', alive, 'adopt', ['found']],
    ['lostFrozen', 'ended with 0', over(0), 'collect', ['ended']],
  ])('%s, found %s', (...[name, , observed, kind, events]) => {
    const [finding, ...rest] = settle([states[name]], observed === null ? [] : [observed]);
    expect(rest).toEqual([]);
    expect(finding?.kind).toBe(kind);
    expect(
      finding !== undefined && 'events' in finding ? finding.events.map((event) => event.kind) : [],
    ).toEqual(events);
  });

  test('leaves what another runtime has, when only one was listed', () => {
    const findings = reconcile({
      wanted: [running],
      observed: [],
      coreId: aCoreId,
      listed: new Set(['process']),
      newestAttempt: () => undefined,
    });
    expect(findings).toEqual([]);
  });
});

test('what it tells a task is always taken, and ends where the node is', () => {
  const wishes = [[], [killed], [killed, delivered]];
  const conditions = [created, alive, asleep, over(0), over(3), over(137), over(127, null)];
  fc.assert(
    fc.property(
      fc.constantFrom(...Object.values(states)),
      fc.constantFrom(...wishes),
      fc.constantFrom(...conditions),
      (state, wish, observed) => {
        const before = told(state, ...wish);
        const after = told(before, ...eventsFor(before, observed));
        const { kind } = observed.condition;
        if (kind === 'running') expect(after.state.status).toBe('RUNNING');
        if (kind === 'paused') expect(after.state.status).toBe('PAUSED');
        if (kind === 'ended')
          expect(['COMPLETED', 'FAILED', 'KILLED']).toContain(after.state.status);
        if (kind === 'created') expect(after).toEqual(before);
      },
    ),
    { numRuns: 1000 },
  );
});

test('an end with what the runtime knows of it', () => {
  const end = { exitCode: 127, signal: null, oomKilled: false };
  expect(
    endEvents(assigning, { end, startedAt: null, problem: 'no such command', imageDigest: null }),
  ).toEqual([{ kind: 'start-failed', attempt: 1, why: 'no such command' }]);
  expect(endEvents(running, { end, startedAt: t0, problem: null, imageDigest: null })).toEqual([
    ended(end),
  ]);
});

describe('what is not wanted', () => {
  test('other cores and strangers are foreign, also with our task number', () => {
    const others = [
      seen({ kind: 'created' }, { core: coreId.parse('98') }),
      seen({ kind: 'created' }, { core: null, taskId: null }),
    ];
    expect(settle([], others).map(({ kind }) => kind)).toEqual(['foreign', 'foreign']);
  });

  test('our label on an unknown task, or on an attempt that was never made, is an orphan', () => {
    expect(settle([], [alive])).toEqual([{ kind: 'orphan', observed: alive }]);
    expect(settle([], [alive], { attempt: 0, isKept: false })).toEqual([
      { kind: 'orphan', observed: alive },
    ]);
    expect(settle([], [{ ...alive, taskId: null }], { attempt: 1, isKept: false })).toMatchObject([
      { kind: 'orphan' },
    ]);
  });

  test('older attempts, and leftovers of ended tasks, are removed; what still runs is stopped first', () => {
    expect(settle([], [alive], { attempt: 2, isKept: false })).toMatchObject([
      { kind: 'remove-stale', isAlive: true },
    ]);
    expect(settle([], [over(0)], { attempt: 1, isKept: false })).toMatchObject([
      { kind: 'remove-stale', isAlive: false },
    ]);
  });

  test('what is kept for a look stays', () => {
    expect(settle([], [over(1)], { attempt: 1, isKept: true })).toEqual([]);
  });
});
