// The steps of the task machine that only a VPS knows: it rests with its disk, starts again from it,
// and can be changed while it lives.
import type { TaskStatus } from '../../contract/task.ts';
import {
  backInTheQueue,
  neverPlaced,
  stopAttempt,
  type Decision,
  type Moment,
} from '../task-steps.ts';
import type { KillWish, Task, TaskState } from '../task.ts';

type OnNode = 'ASSIGNING' | 'RUNNING' | 'PAUSED' | 'LOST';

/** The wish to stop. Of two, the last one says whether it starts again; a wish to remove stands above both. */
export function recordStop({
  task,
  state,
  event,
  now,
}: Moment<OnNode, 'stop-requested'>): Decision | string {
  if (task.type !== 'vps') return notAVps;
  if (state.kill !== null && state.kill.then === undefined) return 'It is being removed.';
  const kill: KillWish = {
    at: state.kill?.at ?? now,
    by: event.by,
    signal: 'SIGTERM',
    graceMs: Math.min(event.graceMs, state.kill?.graceMs ?? event.graceMs),
    deliveredAt: state.kill?.deliveredAt ?? null,
    then: event.then,
  };
  return {
    state: { ...state, kill },
    effects: [stopAttempt(task, state.place, kill)],
    why: event.then === 'rest' ? 'to rest' : 'to start again',
    who: event.by,
  };
}

/** It waited to start (again), and is not to any more. */
export function restUnplaced({
  task,
  event,
  now,
}: Moment<'PENDING', 'stop-requested'>): Decision | string {
  if (task.type !== 'vps') return notAVps;
  const reason = `stopped by ${event.by} before it started`;
  return { state: { status: 'STOPPED', ...neverPlaced(now, reason) }, why: reason, who: event.by };
}

/** Into the queue again: its disk says where, the queue says when. */
export function startAgain({
  task,
  state,
  event,
  now,
}: Moment<'STOPPED' | 'FAILED', 'start-requested'>): Decision | string {
  if (task.type !== 'vps') return `The task has already ended (${state.status}).`;
  return { state: backInTheQueue(now, null, null), who: event.by };
}

/** A run that no attempt of ours was: the next attempt must not take it for its own. */
export function settleVps({
  task,
  event,
}: Moment<'PENDING' | 'STOPPED' | 'FAILED', 'vps-settled'>): Decision | string {
  if (task.disk === null) return 'It has no disk.';
  return { task: { disk: { ...task.disk, lastRun: event.run } }, why: 'it ran without us' };
}

/** Another name, other limits. What it holds follows at once. */
export function changeVps({
  task,
  state,
  event,
}: Moment<TaskStatus, 'vps-changed'>): Decision | string {
  if (task.type !== 'vps') return notAVps;
  const spec = { ...task.spec, ...event.changes };
  return {
    task: { spec },
    state: withHolding(state, spec),
    why: Object.keys(event.changes).join(', '),
    who: event.by,
  };
}

function withHolding(state: TaskState, spec: Task['spec']): TaskState {
  if (!('kill' in state)) return state;
  const place = {
    ...state.place,
    cores: Math.max(1, spec.cores),
    memoryBytes: spec.memoryBytes ?? 0,
  };
  return { ...state, place };
}

const notAVps = 'It is not a VPS: only those can be stopped, started and changed.';
