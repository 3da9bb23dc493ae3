// Each step of the task machine: what becomes of the task, and what must be done on its node.
import { describe, expect, test } from 'vitest';
import { retryOf } from '../../../src-main/domain/retry.ts';
import type { Task, TaskEvent } from '../../../src-main/domain/task.ts';
import {
  aPlace,
  aTask,
  delivered,
  ended,
  killed,
  lost,
  paused,
  placed,
  refused,
  started,
  step,
  t0,
  told,
} from './builders.ts';

describe('in the queue', () => {
  test('placing raises the attempt, holds the place and orders the start', () => {
    const { task, effects, record } = step(aTask(), {
      kind: 'placed',
      place: aPlace,
      why: 'best fit',
    });
    expect(task).toMatchObject({
      attempt: 1,
      imageDigest: null,
      state: { status: 'ASSIGNING', place: aPlace, assignedAt: t0 + 60_000, kill: null },
    });
    expect(effects).toEqual([{ kind: 'start-attempt', nodeId: aPlace.nodeId, attempt: 1 }]);
    expect(record).toEqual({ kind: 'placed', why: 'best fit', who: 'scheduler' });
  });

  test('a task on hold is not placed until it is released', () => {
    const onHold = aTask({ hold: true });
    expect(refused(onHold, placed).why).toContain('on hold');
    expect(step(told(onHold, { kind: 'released', by: 'anna' }), placed).task.state.status).toBe(
      'ASSIGNING',
    );
  });

  test('a kill ends a waiting task at once, with nothing to do on a node', () => {
    expect(step(aTask(), killed)).toMatchObject({
      task: {
        state: { status: 'KILLED', reason: 'killed by bert before it started', place: null },
      },
      effects: [],
      record: { who: 'bert' },
    });
  });

  test('priority changes until the end', () => {
    const RUNNING = told(aTask(), placed, started);
    const COMPLETED = told(RUNNING, ended({ exitCode: 0 }));
    const event: TaskEvent = { kind: 'reprioritized', by: 'anna', priority: 7 };
    expect(step(RUNNING, event).task.priority).toBe(7);
    expect(refused(COMPLETED, event).why).toBe('The task has already ended (COMPLETED).');
  });
});

describe('starting', () => {
  const assigning = told(aTask({ keepFailed: true }), placed);
  const wished = told(assigning, killed);
  const remove = { kind: 'remove-attempt', nodeId: aPlace.nodeId, attempt: 1, runtime: 'docker' };

  test('keeps when it started and the digest of its image', () => {
    expect(step(assigning, started).task).toMatchObject({
      imageDigest: 'sha256:1',
      state: { status: 'RUNNING', startedAt: t0 + 1500, since: t0 + 60_000 },
    });
  });

  test('a deferred start goes back to the queue, cleaned up; the next attempt has the next number', () => {
    const { task, effects } = step(assigning, { kind: 'start-deferred', attempt: 1, why: 'busy' });
    expect(task.state).toEqual({
      status: 'PENDING',
      since: t0 + 60_000,
      held: false,
      reason: 'busy',
      notBefore: null,
      blockedBy: [],
    });
    expect(effects).toEqual([{ ...remove, keep: false }]);
    expect(step(task, placed).task.attempt).toBe(2);
    expect(refused(step(task, placed).task, started).refused).toBe('stale-attempt');
  });

  test('a failed start is kept for a look where asked', () => {
    const { task, effects } = step(assigning, {
      kind: 'start-failed',
      attempt: 1,
      why: 'no such image',
    });
    expect(task.state).toMatchObject({
      status: 'FAILED',
      reason: 'no such image',
      startedAt: null,
      end: null,
    });
    expect(effects).toEqual([{ ...remove, keep: true }]);
  });

  test.each(['start-deferred', 'start-failed'] as const)(
    'a wish to end it wins over %s',
    (kind) => {
      const { task, effects } = step(wished, { kind, attempt: 1, why: 'x' });
      expect(task.state).toMatchObject({
        status: 'KILLED',
        reason: 'killed by bert before it started',
      });
      expect(effects).toEqual([{ ...remove, keep: false }]);
    },
  );

  test('a start that went through in spite of the wish is stopped', () => {
    const stop = {
      kind: 'stop-attempt',
      nodeId: aPlace.nodeId,
      attempt: 1,
      signal: 'SIGTERM',
      graceMs: 10_000,
    };
    expect(step(assigning, killed)).toMatchObject({
      task: { state: { status: 'ASSIGNING' } },
      effects: [stop],
    });
    expect(step(wished, started)).toMatchObject({
      task: { state: { status: 'RUNNING' } },
      effects: [stop],
    });
    expect(step(told(wished, delivered), started).effects).toEqual([]);
  });

  test('an end is not taken before the start was told: it began unseen or never began', () => {
    expect(refused(assigning, ended({ exitCode: 0 })).refused).toBe('illegal');
    expect(told(assigning, started, ended({ exitCode: 0 })).state.status).toBe('COMPLETED');
  });

  test('a node lost during the start: only then can the start be settled while LOST', () => {
    const lostStart = told(assigning, lost);
    expect(lostStart.state).toMatchObject({
      status: 'LOST',
      was: 'ASSIGNING',
      startedAt: null,
      place: aPlace,
    });
    expect(step(lostStart, started).task.state.status).toBe('RUNNING');
    expect(
      step(lostStart, { kind: 'start-deferred', attempt: 1, why: 'x' }).task.state.status,
    ).toBe('PENDING');
    expect(step(lostStart, { kind: 'start-failed', attempt: 1, why: 'x' }).task.state.status).toBe(
      'FAILED',
    );
    expect(refused(told(assigning, started, lost), started).why).toContain('was RUNNING');
  });
});

describe('killing', () => {
  const running = told(aTask(), placed, started);

  test('the wish is recorded first; the status does not change', () => {
    expect(step(running, killed)).toMatchObject({
      task: {
        state: {
          status: 'RUNNING',
          kill: {
            by: 'bert',
            signal: 'SIGTERM',
            graceMs: 10_000,
            at: t0 + 60_000,
            deliveredAt: null,
          },
        },
      },
      effects: [{ kind: 'stop-attempt', signal: 'SIGTERM', graceMs: 10_000 }],
      record: { kind: 'kill-requested', who: 'bert', why: 'SIGTERM, SIGKILL after 10 s' },
    });
  });

  test('a second wish makes it stronger, never weaker, and the first asker stays named', () => {
    const hard: TaskEvent = { kind: 'kill-requested', by: 'carl', signal: 'SIGKILL', graceMs: 0 };
    const kill = { by: 'bert', signal: 'SIGKILL', graceMs: 0 };
    expect(step(told(running, killed), hard).task.state).toMatchObject({ kill });
    expect(step(told(running, killed, hard), killed).task.state).toMatchObject({ kill });
    const soft: TaskEvent = {
      kind: 'kill-requested',
      by: 'carl',
      signal: 'SIGINT',
      graceMs: 60_000,
    };
    expect(step(told(running, killed), soft)).toMatchObject({
      effects: [{ kind: 'stop-attempt', signal: 'SIGINT', graceMs: 10_000 }],
    });
  });

  test('an end with its node is a failure without an exit code, unless a kill was asked', () => {
    const why = 'Lost with its node, which was restarted while it ran.';
    const end = { exitCode: null, signal: null, oomKilled: false, lostWithNode: true } as const;
    const lost: TaskEvent = { kind: 'ended', attempt: 1, end, why };
    const failed = { status: 'FAILED', reason: why, end };
    expect(step(running, lost).task.state).toMatchObject(failed);
    const undelivered = { status: 'KILLED', reason: 'killed by bert' };
    expect(step(told(running, killed), lost).task.state).toMatchObject(undelivered);
  });

  test('delivery without a wish is refused; a second delivery changes nothing', () => {
    expect(refused(running, delivered).refused).toBe('illegal');
    const once = told(running, killed, delivered);
    expect(step(once, delivered).task.state).toEqual(once.state);
  });

  test('a lost task keeps the wish, and is stopped again when it is found', () => {
    const gone = told(running, killed, delivered, lost);
    expect(gone.state).toMatchObject({ status: 'LOST', kill: { by: 'bert' } });
    expect(
      step(gone, { kind: 'found', attempt: 1, condition: 'running', startedAt: t0 }).effects,
    ).toMatchObject([{ kind: 'stop-attempt' }]);
    expect(step(told(running, lost), killed).effects).toMatchObject([{ kind: 'stop-attempt' }]);
  });
});

describe('ending', () => {
  const running = told(aTask({ memoryBytes: 2 ** 30 }), placed, started);
  const wished = told(running, killed);
  const hit = told(wished, delivered);

  test.each([
    ['exit 0', running, ended({ exitCode: 0 }), 'COMPLETED', null],
    ['exit 3', running, ended({ exitCode: 3 }), 'FAILED', 'exit code 3'],
    [
      'a known failure',
      running,
      ended({ exitCode: 127 }, 'sh: nope: not found'),
      'FAILED',
      'sh: nope: not found',
    ],
    [
      'a segmentation fault',
      running,
      ended({ exitCode: 139 }),
      'FAILED',
      'exit code 139 (signal 11, SIGSEGV)',
    ],
    [
      'SIGTERM from outside',
      running,
      ended({ signal: 'SIGTERM' }),
      'FAILED',
      'ended by signal 15 (SIGTERM)',
    ],
    [
      '137 without our kill',
      running,
      ended({ exitCode: 137 }),
      'FAILED',
      'killed by signal 9 from outside',
    ],
    [
      'SIGKILL without our kill',
      running,
      ended({ signal: 'SIGKILL' }),
      'FAILED',
      'killed by signal 9 from outside',
    ],
    ['no code', running, ended({}), 'FAILED', 'ended without an exit code'],
    [
      'OOM',
      running,
      ended({ exitCode: 137, oomKilled: true }),
      'KILLED_OOM',
      'out of memory (its limit is 1 GiB)',
    ],
    ['killed by us', hit, ended({ exitCode: 143 }), 'KILLED', 'killed by bert'],
    ['killed by us, exits 0', hit, ended({ exitCode: 0 }), 'KILLED', 'killed by bert'],
    [
      'killed by us, OOM flag',
      hit,
      ended({ exitCode: 137, oomKilled: true }),
      'KILLED',
      'killed by bert',
    ],
    ['a finish that raced the kill', wished, ended({ exitCode: 0 }), 'COMPLETED', null],
    ['a failure that raced the kill', wished, ended({ exitCode: 2 }), 'FAILED', 'exit code 2'],
    [
      'the first signal of a kill that was made stronger, which nobody could write down',
      told(wished, { kind: 'kill-requested', by: 'anna', signal: 'SIGKILL', graceMs: 0 }),
      ended({ signal: 'SIGTERM' }),
      'KILLED',
      'killed by bert',
    ],
  ])('%s', (...[, task, event, status, reason]) => {
    const outcome = step(task, event);
    expect(outcome.task.state).toMatchObject({
      status,
      reason,
      place: aPlace,
      startedAt: t0 + 1500,
    });
    expect(outcome.effects).toMatchObject([{ kind: 'remove-attempt', keep: false }]);
  });

  test('what somebody wanted killed is not tried again, whatever ended it first', () => {
    const retries = { count: 3, on: ['exit' as const, 'oom' as const], backoffSeconds: 1 };
    const tried = told(aTask({ retries }), placed, started);
    for (const end of [ended({ exitCode: 2 }), ended({ exitCode: 137, oomKilled: true })]) {
      expect(retryOf(told(tried, end))).toMatchObject({ number: 1 });
      expect(retryOf(told(tried, killed, end))).toBeUndefined();
    }
  });

  test('OOM with exit code 0 is a completion with a warning', () => {
    const { task } = step(running, ended({ exitCode: 0, oomKilled: true }));
    expect(task.state.status).toBe('COMPLETED');
    expect(task.warnings).toEqual([expect.stringContaining('want of memory (its limit is 1 GiB)')]);
  });

  test('what is wanted back is fetched however it ended, but not of what never ran', () => {
    const wanting = aTask({ fetch: [{ from: '/srv/{id}/{index}', to: '/here/{id}' }] });
    expect(wanting.spec.fetch).toEqual([{ from: '/srv/1000/0', to: '/here/1000' }]);
    const kinds = (task: Task, event: TaskEvent) =>
      step(task, event).effects.map(({ kind }) => kind);
    const begun = told(wanting, placed, started);
    const both = ['remove-attempt', 'fetch-results'];
    expect(kinds(begun, ended({ exitCode: 0 }))).toEqual(both);
    expect(kinds(begun, ended({ exitCode: 1 }))).toEqual(both);
    expect(kinds(told(begun, killed, delivered), ended({ exitCode: 1 }))).toEqual(both);
    const vanished: TaskEvent = { kind: 'vanished', attempt: 1, why: 'gone' };
    expect(kinds(begun, vanished)).toEqual(both);
    expect(kinds(told(wanting, placed), vanished)).toEqual(['remove-attempt']);
  });

  test('only failures are kept for a look', () => {
    const kept = told(aTask({ keepFailed: true }), placed, started);
    const keep = (task: Task, event: TaskEvent) =>
      step(task, event).effects.map((effect) => effect.kind === 'remove-attempt' && effect.keep);
    expect(keep(kept, ended({ exitCode: 1 }))).toEqual([true]);
    expect(keep(kept, ended({ exitCode: 137, oomKilled: true }))).toEqual([true]);
    expect(keep(kept, ended({ exitCode: 0 }))).toEqual([false]);
    expect(keep(told(kept, killed, delivered), ended({ exitCode: 1 }))).toEqual([false]);
  });

  test('a frozen task is killed or fails, but completes only after it was resumed', () => {
    const frozen = told(running, paused);
    expect(refused(frozen, ended({ exitCode: 0 })).why).toContain('resumed before');
    expect(step(frozen, ended({ exitCode: 1 })).task.state.status).toBe('FAILED');
    expect(step(told(frozen, killed, delivered), ended({ exitCode: 0 })).task.state.status).toBe(
      'KILLED',
    );
  });

  test('what is gone failed, or was killed where that was asked', () => {
    const vanished: TaskEvent = {
      kind: 'vanished',
      attempt: 1,
      why: 'It is no longer on the node.',
    };
    for (const task of [
      told(aTask(), placed),
      running,
      told(running, paused),
      told(running, lost),
    ]) {
      expect(step(task, vanished).task.state).toMatchObject({
        status: 'FAILED',
        reason: vanished.why,
      });
      expect(step(told(task, killed), vanished).task.state).toMatchObject({
        status: 'KILLED',
        reason: 'gone after kill was asked',
      });
    }
  });

  test('whatever reconciliation finds of a lost task', () => {
    const gone = told(running, paused, lost);
    const found = (condition: 'running' | 'paused'): TaskEvent => ({
      kind: 'found',
      attempt: 1,
      condition,
      startedAt: 5,
    });
    expect(step(gone, found('running')).task.state).toMatchObject({
      status: 'RUNNING',
      startedAt: t0 + 1500,
    });
    expect(step(gone, found('paused')).task.state.status).toBe('PAUSED');
    expect(step(gone, ended({ exitCode: 0 })).task.state.status).toBe('COMPLETED');
  });

  test('a VPS that ends by itself is at rest and keeps its disk; removing it kills it', () => {
    const vps: Task = { ...running, type: 'vps' };
    const atRest = step(vps, ended({ exitCode: 0 }));
    expect(atRest).toMatchObject({ task: { state: { status: 'STOPPED' } }, effects: [] });
    expect(step(atRest.task, killed)).toMatchObject({
      task: { state: { status: 'KILLED', reason: 'removed by bert' } },
      effects: [{ kind: 'remove-attempt', keep: false }],
    });
  });
});
