import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { isFinal, taskStatuses, type TaskStatus } from '../../../src-main/contract/task.ts';
import { isRefusal, type Task, type TaskEvent } from '../../../src-main/domain/task.ts';
import {
  knownEvents,
  legalTransitions,
  transition,
} from '../../../src-main/domain/task-machine.ts';
import {
  aPlace,
  aTask,
  delivered,
  idOf,
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
  withState,
} from './builders.ts';

const never = {
  since: t0,
  reason: null,
  place: null,
  assignedAt: null,
  startedAt: null,
  end: null,
};

/** One task in each status, reached by events where events lead there. */
function tasksByStatus(changes: Parameters<typeof aTask>[0] = {}): Record<TaskStatus, Task> {
  const task = aTask(changes);
  return {
    PENDING_APPROVAL: withState(task, { status: 'PENDING_APPROVAL', since: t0 }, 0),
    PENDING: task,
    ASSIGNING: told(task, placed),
    RUNNING: told(task, placed, started),
    PAUSED: told(task, placed, started, paused),
    LOST: told(task, placed, started, lost),
    COMPLETED: told(task, placed, started, ended({ exitCode: 0 })),
    FAILED: told(task, placed, started, ended({ exitCode: 1 })),
    KILLED: told(task, placed, started, killed, delivered, ended({ exitCode: 143 })),
    KILLED_OOM: told(task, placed, started, ended({ exitCode: 137, oomKilled: true })),
    REJECTED: withState(task, { status: 'REJECTED', ...never }, 0),
    STOPPED: withState(task, { status: 'STOPPED', ...never, place: aPlace }, 1),
  };
}

/** At least one of every kind of event, for attempt 1. */
const samples: readonly TaskEvent[] = [
  { kind: 'approved', by: 'op', why: null },
  { kind: 'rejected', by: 'op', why: 'too large' },
  placed,
  started,
  { kind: 'start-deferred', attempt: 1, why: 'the node was full' },
  { kind: 'start-failed', attempt: 1, why: 'no such image' },
  ended({ exitCode: 0 }),
  ended({ exitCode: 3 }),
  ended({ exitCode: 137, oomKilled: true }),
  { kind: 'vanished', attempt: 1, why: 'gone' },
  paused,
  { kind: 'resumed', attempt: 1, by: 'anna' },
  lost,
  { kind: 'found', attempt: 1, condition: 'running', startedAt: t0 },
  { kind: 'found', attempt: 1, condition: 'paused', startedAt: t0 },
  killed,
  delivered,
  { kind: 'held', by: 'anna' },
  { kind: 'released', by: 'anna' },
  { kind: 'reprioritized', by: 'anna', priority: 5 },
  {
    kind: 'amended',
    by: 'anna',
    spec: aTask().spec,
    priority: 5,
    held: true,
    notBefore: null,
    blockedBy: [],
    words: 'priority 5',
  },
  { kind: 'dependency-met', on: idOf(1) },
  { kind: 'dependency-failed', why: 'It can never run: task 1 ended FAILED.' },
  { kind: 'retried', why: 'retry 1 of 3 in 10 s', notBefore: t0 },
  { kind: 'warned', warning: 'mind the gap' },
  { kind: 'stop-requested', by: 'anna', graceMs: 10_000, then: 'rest' },
  { kind: 'stop-requested', by: 'anna', graceMs: 10_000, then: 'restart' },
  { kind: 'start-requested', by: 'anna' },
  { kind: 'vps-settled', run: t0 },
  { kind: 'vps-changed', by: 'anna', changes: { cores: 2 } },
];

describe('the whole table', () => {
  test('prints its diagram: status: events', () => {
    const lines = taskStatuses.map((status) => `${status}: ${knownEvents(status).join(', ')}`);
    expect(lines.join('\n')).toMatchInlineSnapshot(`
      "PENDING_APPROVAL: approved, rejected, kill-requested, reprioritized, warned
      PENDING: placed, kill-requested, stop-requested, vps-settled, vps-changed, held, released, reprioritized, amended, dependency-met, dependency-failed, warned
      ASSIGNING: started, start-deferred, start-failed, vanished, node-lost, kill-requested, kill-delivered, stop-requested, vps-changed, reprioritized, warned
      RUNNING: ended, vanished, paused, node-lost, kill-requested, kill-delivered, stop-requested, vps-changed, reprioritized, warned
      PAUSED: ended, vanished, resumed, node-lost, kill-requested, kill-delivered, stop-requested, vps-changed, reprioritized, warned
      COMPLETED: warned
      FAILED: retried, start-requested, vps-settled, kill-requested, vps-changed, warned
      KILLED: warned
      KILLED_OOM: retried, warned
      REJECTED: warned
      STOPPED: start-requested, vps-settled, kill-requested, vps-changed, reprioritized, warned
      LOST: found, started, start-deferred, start-failed, ended, vanished, kill-requested, kill-delivered, stop-requested, vps-changed, reprioritized, warned"
    `);
  });

  test('every pair of status and event leads where the design allows, or is refused with a sentence', () => {
    const kinds = new Set(samples.map(({ kind }) => kind));
    for (const type of ['command', 'vps'] as const) {
      for (const [status, plain] of Object.entries(tasksByStatus()) as [TaskStatus, Task][]) {
        for (const known of knownEvents(status)) expect(kinds).toContain(known);
        for (const event of samples) {
          const task: Task =
            'attempt' in event ? { ...plain, type, attempt: 1 } : { ...plain, type };
          const outcome = transition(task, event, t0 + 60_000);
          if (isRefusal(outcome)) {
            expect(outcome).toMatchObject({ refused: 'illegal', from: status, event: event.kind });
            expect(outcome.why).toMatch(/^.{10,}\.$/);
            continue;
          }
          const to = outcome.task.state.status;
          const legal: readonly TaskStatus[] = legalTransitions[status];
          expect(to === status || legal.includes(to), `${status} → ${to} by ${event.kind}`).toBe(
            true,
          );
          expect(knownEvents(status)).toContain(event.kind);
          if (to !== status) expect(outcome.task.state.since).toBe(t0 + 60_000);
        }
      }
    }
  });

  test('a final status is never left, and only a warning is taken in it', () => {
    const tasks = tasksByStatus();
    for (const status of taskStatuses.filter(isFinal)) {
      for (const event of samples.filter(({ kind }) => kind !== 'warned')) {
        expect(refused({ ...tasks[status], attempt: 1 }, event).refused).toBe('illegal');
      }
      expect(step(tasks[status], { kind: 'warned', warning: 'x' }).task.warnings).toEqual(['x']);
    }
  });

  test('an event of another attempt is stale in every status', () => {
    for (const task of Object.values(tasksByStatus())) {
      for (const event of samples) {
        if (!('attempt' in event)) continue;
        const late = { ...event, attempt: task.attempt + 1 };
        expect(refused(task, late).refused).toBe('stale-attempt');
      }
    }
  });
});

test('random walks: the attempt never falls, holdings last from placing to the end, the wish is never forgotten', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...samples), { maxLength: 30 }), (events) => {
      let task = aTask();
      events.forEach((event, index) => {
        const addressed = 'attempt' in event ? { ...event, attempt: task.attempt } : event;
        const outcome = transition(task, addressed, t0 + index);
        if (isRefusal(outcome)) return;
        const before = task;
        task = outcome.task;
        expect(task.attempt).toBe(before.attempt + (event.kind === 'placed' ? 1 : 0));
        expect(isFinal(before.state.status) && before.state !== task.state).toBe(false);
        if ('kill' in before.state && before.state.kill !== null && 'kill' in task.state) {
          expect(task.state.kill?.by).toBe(before.state.kill.by);
        }
        if ('kill' in task.state) expect(task.state.place).toEqual(aPlace);
      });
    }),
    { numRuns: 500 },
  );
});
