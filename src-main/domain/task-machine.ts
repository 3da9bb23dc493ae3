// The task machine: the only writer of a task's state. One table, one entry point; what must be
// done on a node comes back as effects. Statuses and legal changes are those of the design,
// section 4. No I/O and no clock here: `now` is handed in.
import { isFinal, type TaskStatus } from '../contract/task.ts';
import type { Instant } from '../contract/ids.ts';
import type { Refusal, Task, TaskEvent, Transition } from './task.ts';
import { changeVps, recordStop, restUnplaced, settleVps, startAgain } from './vps/vps-steps.ts';
import {
  approve,
  reject,
  killUnplaced,
  reprioritize,
  warn,
  place,
  hold,
  start,
  deferStart,
  failStart,
  vanish,
  lose,
  recordKill,
  markDelivered,
  end,
  pause,
  endPaused,
  resume,
  find,
  ifStartUnderWay,
  removeResting,
  type EventKind,
  type Handler,
} from './task-steps.ts';
import { amend, failDependency, meetDependency, retry } from './queue-steps.ts';

export type { Refusal } from './task.ts';

/**
 * Where each status may lead. Some pairs have no event yet (a VPS that is started again); no event
 * leads anywhere else.
 */
export const legalTransitions = {
  PENDING_APPROVAL: ['PENDING', 'REJECTED', 'KILLED'],
  /** STOPPED: a VPS that was to start again, and is not to any more. */
  PENDING: ['ASSIGNING', 'KILLED', 'FAILED', 'STOPPED'],
  ASSIGNING: ['RUNNING', 'PENDING', 'FAILED', 'KILLED', 'LOST', 'STOPPED'],
  RUNNING: ['COMPLETED', 'FAILED', 'KILLED', 'KILLED_OOM', 'STOPPED', 'PAUSED', 'LOST'],
  PAUSED: ['RUNNING', 'KILLED', 'KILLED_OOM', 'STOPPED', 'LOST', 'FAILED'],
  /** PENDING: a start that provably never happened, or a task that opted into running elsewhere. */
  LOST: ['RUNNING', 'PAUSED', 'COMPLETED', 'FAILED', 'KILLED', 'KILLED_OOM', 'STOPPED', 'PENDING'],
  STOPPED: ['PENDING', 'KILLED'],
  /** KILLED: a VPS that is removed. */
  FAILED: ['PENDING', 'KILLED'],
  KILLED_OOM: ['PENDING'],
  COMPLETED: [],
  KILLED: [],
  REJECTED: [],
} as const satisfies Record<TaskStatus, readonly TaskStatus[]>;

type Machine = { readonly [S in TaskStatus]: { readonly [K in EventKind]?: Handler<S, K> } };

const machine: Machine = {
  PENDING_APPROVAL: {
    approved: approve,
    rejected: reject,
    'kill-requested': killUnplaced,
    reprioritized: reprioritize,
    warned: warn,
  },
  PENDING: {
    placed: place,
    'kill-requested': killUnplaced,
    'stop-requested': restUnplaced,
    'vps-settled': settleVps,
    'vps-changed': changeVps,
    held: hold,
    released: hold,
    reprioritized: reprioritize,
    amended: amend,
    'dependency-met': meetDependency,
    'dependency-failed': failDependency,
    warned: warn,
  },
  ASSIGNING: {
    started: start,
    'start-deferred': deferStart,
    'start-failed': failStart,
    vanished: vanish,
    'node-lost': lose,
    'kill-requested': recordKill,
    'kill-delivered': markDelivered,
    'stop-requested': recordStop,
    'vps-changed': changeVps,
    reprioritized: reprioritize,
    warned: warn,
  },
  RUNNING: {
    ended: end,
    vanished: vanish,
    paused: pause,
    'node-lost': lose,
    'kill-requested': recordKill,
    'kill-delivered': markDelivered,
    'stop-requested': recordStop,
    'vps-changed': changeVps,
    reprioritized: reprioritize,
    warned: warn,
  },
  PAUSED: {
    ended: endPaused,
    vanished: vanish,
    resumed: resume,
    'node-lost': lose,
    'kill-requested': recordKill,
    'kill-delivered': markDelivered,
    'stop-requested': recordStop,
    'vps-changed': changeVps,
    reprioritized: reprioritize,
    warned: warn,
  },
  LOST: {
    found: find,
    // The three that settle a start are for tasks that were ASSIGNING when the node was lost.
    started: (moment) => ifStartUnderWay(moment) ?? start(moment),
    'start-deferred': (moment) => ifStartUnderWay(moment) ?? deferStart(moment),
    'start-failed': (moment) => ifStartUnderWay(moment) ?? failStart(moment),
    ended: end,
    vanished: vanish,
    'kill-requested': recordKill,
    'kill-delivered': markDelivered,
    'stop-requested': recordStop,
    'vps-changed': changeVps,
    reprioritized: reprioritize,
    warned: warn,
  },
  STOPPED: {
    'start-requested': startAgain,
    'vps-settled': settleVps,
    'kill-requested': removeResting,
    'vps-changed': changeVps,
    reprioritized: reprioritize,
    warned: warn,
  },
  COMPLETED: { warned: warn },
  // A VPS that failed may still have its disk: it can be started again, or removed.
  FAILED: {
    retried: retry,
    'start-requested': startAgain,
    'vps-settled': settleVps,
    'kill-requested': removeResting,
    'vps-changed': changeVps,
    warned: warn,
  },
  KILLED: { warned: warn },
  KILLED_OOM: { retried: retry, warned: warn },
  REJECTED: { warned: warn },
};

/**
 * Advances a task by one event, or says why the event does not apply. An event of another attempt
 * than the task's newest is `stale-attempt`; one that the status does not know is `illegal`.
 * `ended` is not known to ASSIGNING: whoever finds an attempt that began and ended unseen reports
 * `started` first (`endEvents` in reconcile.ts does), and one that never began `start-failed`.
 */
export function transition(task: Task, event: TaskEvent, now: Instant): Transition | Refusal {
  if ('attempt' in event && event.attempt !== task.attempt) {
    return refuse(task, event, {
      refused: 'stale-attempt',
      why: `${event.kind} speaks of attempt ${String(event.attempt)}; the task is at attempt ${String(task.attempt)}.`,
    });
  }
  // The table's keys make the pair right; TypeScript cannot follow a lookup by two unions.
  // oxlint-disable-next-line typescript/no-unnecessary-type-assertion -- without it the call below has no type
  const handler = machine[task.state.status][event.kind] as
    | Handler<TaskStatus, EventKind>
    | undefined;
  if (handler === undefined) {
    return refuse(task, event, { refused: 'illegal', why: whyIllegal(task.state.status, event) });
  }
  const decision = handler({ task, state: task.state, event, now });
  if (typeof decision === 'string') {
    return refuse(task, event, { refused: 'illegal', why: decision });
  }
  return {
    task: { ...task, ...decision.task, state: decision.state ?? task.state },
    effects: decision.effects ?? [],
    record: { kind: event.kind, why: decision.why ?? null, who: decision.who ?? 'node' },
  };
}

/** Events that a status knows, for diagrams and tests. A known event may still be refused by a guard. */
export function knownEvents(status: TaskStatus): readonly EventKind[] {
  return Object.keys(machine[status]) as EventKind[];
}

function refuse(task: Task, event: TaskEvent, refusal: Pick<Refusal, 'refused' | 'why'>): Refusal {
  return { ...refusal, from: task.state.status, event: event.kind };
}

function whyIllegal(status: TaskStatus, event: TaskEvent): string {
  if (isFinal(status)) return `The task has already ended (${status}).`;
  return `A task that is ${status} cannot be ${past[event.kind] ?? `told "${event.kind}"`}.`;
}

/** Words for what a person can order. */
const past: Partial<Record<EventKind, string>> = {
  approved: 'approved',
  rejected: 'rejected',
  placed: 'placed',
  paused: 'paused',
  resumed: 'resumed',
  held: 'put on hold',
  released: 'released from hold',
  reprioritized: 'given another priority',
  amended: 'changed: only one that waits can',
  'kill-requested': 'killed',
  'stop-requested': 'stopped',
  'start-requested': 'started',
  'vps-changed': 'changed',
};
