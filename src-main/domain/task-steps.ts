// The steps of the task machine: for each pair of status and event that the table (task-machine.ts)
// knows, what becomes of the task and what must be done on its node.
import type { Instant } from '../contract/ids.ts';
import type { TaskStatus } from '../contract/task.ts';
import { killedBy, settleEnd, type Ending } from './task-ending.ts';
import type {
  Active,
  KillWish,
  Place,
  Task,
  TaskEffect,
  TaskEvent,
  TaskState,
  VpsDisk,
} from './task.ts';

/** What can happen to a task. */
export type EventKind = TaskEvent['kind'];
type EventOf<K, E = TaskEvent> = E extends { kind: infer EK } ? (K extends EK ? E : never) : never;
type StateOf<S, T = TaskState> = T extends { status: infer TS }
  ? S extends TS
    ? T
    : never
  : never;

/** What a handler decides: the parts of the task that change. A string refuses, and says why. */
export interface Decision {
  readonly state?: TaskState;
  readonly task?: Partial<
    Pick<Task, 'attempt' | 'imageDigest' | 'priority' | 'warnings' | 'disk' | 'spec'>
  >;
  readonly effects?: readonly TaskEffect[];
  readonly why?: string | null;
  readonly who?: string;
}
/** A task in a status, and what happens to it. */
export interface Moment<S extends TaskStatus, K extends EventKind> {
  readonly task: Task;
  readonly state: StateOf<S>;
  readonly event: EventOf<K>;
  readonly now: Instant;
}
/** One step. It may also refuse: with the reason, as a sentence. */
export type Handler<S extends TaskStatus, K extends EventKind> = (
  moment: Moment<S, K>,
) => Decision | string;
/** Statuses of an attempt that exists, or may exist, on a node. */
type OnNode = 'ASSIGNING' | 'RUNNING' | 'PAUSED' | 'LOST';
type Begun = 'RUNNING' | 'PAUSED';

// --- in the queue

export function approve({ task, event, now }: Moment<'PENDING_APPROVAL', 'approved'>): Decision {
  const { after, notBefore } = task.spec;
  const blockedBy = after.map((one) => one.task);
  return {
    state: { status: 'PENDING', since: now, held: false, reason: null, notBefore, blockedBy },
    why: event.why,
    who: event.by,
  };
}

export function reject({ event, now }: Moment<'PENDING_APPROVAL', 'rejected'>): Decision {
  const reason = event.why ?? `rejected by ${event.by}`;
  return {
    state: { status: 'REJECTED', ...neverPlaced(now, reason) },
    why: event.why,
    who: event.by,
  };
}

export function place({ task, state, event, now }: Moment<'PENDING', 'placed'>): Decision | string {
  if (state.held) return 'The task is on hold; it can be placed when it is released.';
  if (state.blockedBy.length > 0) return 'The task waits for others to end first.';
  if (state.notBefore !== null && now < state.notBefore) return 'Its time has not come yet.';
  const attempt = task.attempt + 1;
  return {
    state: { status: 'ASSIGNING', since: now, place: event.place, assignedAt: now, kill: null },
    // The image is resolved anew for each attempt.
    task: { attempt, imageDigest: null },
    effects: [{ kind: 'start-attempt', nodeId: event.place.nodeId, attempt }],
    why: event.why,
    who: 'scheduler',
  };
}

type Pending = Extract<TaskState, { status: 'PENDING' }>;

/** A waiting task with changes: once nothing but room keeps it any more, it has waited since now. */
export function waitingOn(state: Pending, changes: Partial<Pending>, now: Instant): Pending {
  const next = { ...state, ...changes };
  const isReady = ({ held, blockedBy }: Pending) => !held && blockedBy.length === 0;
  return { ...next, since: isReady(next) && !isReady(state) ? now : state.since };
}

export function hold({ state, event, now }: Moment<'PENDING', 'held' | 'released'>): Decision {
  const held = event.kind === 'held';
  return { state: waitingOn(state, { held }, now), why: held ? 'on hold' : null, who: event.by };
}

export function killUnplaced({
  task,
  event,
  now,
}: Moment<'PENDING' | 'PENDING_APPROVAL', 'kill-requested'>): Decision {
  const reason = `killed by ${event.by} before it started${task.attempt > 0 ? ' again' : ''}`;
  return {
    state: { status: 'KILLED', ...neverPlaced(now, reason) },
    task: { disk: null },
    effects: removeDisk(task),
    why: reason,
    who: event.by,
  };
}

export function neverPlaced(now: Instant, reason: string) {
  return { since: now, reason, place: null, assignedAt: null, startedAt: null, end: null };
}

export function reprioritize({ event }: Moment<TaskStatus, 'reprioritized'>): Decision {
  return {
    task: { priority: event.priority },
    why: `priority ${String(event.priority)}`,
    who: event.by,
  };
}

export function warn({ task, event }: Moment<TaskStatus, 'warned'>): Decision {
  return { task: addWarning(task, event.warning), why: event.warning, who: 'core' };
}

/** A warning given once is not repeated. */
function addWarning(task: Task, warning: string | null): Pick<Task, 'warnings'> {
  const isNews = warning !== null && !task.warnings.includes(warning);
  return { warnings: isNews ? [...task.warnings, warning] : task.warnings };
}

// --- starting

export function start({
  task,
  state,
  event,
  now,
}: Moment<'ASSIGNING' | 'LOST', 'started'>): Decision {
  return {
    state: { status: 'RUNNING', ...activePart(state), since: now, startedAt: event.at },
    task: {
      imageDigest: event.imageDigest ?? task.imageDigest,
      disk: task.type === 'vps' ? (task.disk ?? newDisk(state.place)) : null,
    },
    // A kill asked for during the start may have found nothing to signal yet.
    effects: outstandingStop(task, state),
  };
}

export function deferStart({
  task,
  state,
  event,
  now,
}: Moment<'ASSIGNING' | 'LOST', 'start-deferred'>): Decision {
  if (state.kill !== null) return { ...endNeverStarted(task, state, now), why: event.why };
  return {
    state: backInTheQueue(now, event.why, null),
    effects: removeNeverRun(task, state.place, false),
    why: event.why,
  };
}

export function failStart({
  task,
  state,
  event,
  now,
}: Moment<'ASSIGNING' | 'LOST', 'start-failed'>): Decision {
  if (state.kill !== null) return { ...endNeverStarted(task, state, now), why: event.why };
  return {
    state: { status: 'FAILED', ...endedPart(state, now), reason: event.why },
    effects: removeNeverRun(task, state.place, task.spec.keepFailed),
    why: event.why,
  };
}

/** The wish to end it won over a start that was under way. */
function endNeverStarted(task: Task, state: StateOf<OnNode>, now: Instant): Decision {
  const reason = state.kill === null ? null : `${killedBy(state.kill)} before it started`;
  const isToRest = state.kill?.then !== undefined;
  return {
    state: { status: isToRest ? 'STOPPED' : 'KILLED', ...endedPart(state, now), reason },
    ...(isToRest ? {} : { task: { disk: null } }),
    effects: isToRest
      ? removeNeverRun(task, state.place, false)
      : [removeAttempt(task, state.place, false)],
  };
}

export function ifStartUnderWay({ state, event }: Moment<'LOST', EventKind>): string | undefined {
  if (state.was === 'ASSIGNING') return undefined;
  return `"${event.kind}" is about a start, but the task was ${state.was} when its node was lost.`;
}

// --- running

export function pause({ state, event, now }: Moment<'RUNNING', 'paused'>): Decision {
  return { state: { ...state, status: 'PAUSED', since: now }, who: event.by };
}

export function resume({ state, event, now }: Moment<'PAUSED', 'resumed'>): Decision {
  return { state: { ...state, status: 'RUNNING', since: now }, who: event.by };
}

export function lose({ state, event, now }: Moment<'ASSIGNING' | Begun, 'node-lost'>): Decision {
  return {
    state: {
      status: 'LOST',
      ...activePart(state),
      since: now,
      reason: event.why,
      was: state.status,
      startedAt: startedAtOf(state),
    },
    why: event.why,
  };
}

export function find({ task, state, event, now }: Moment<'LOST', 'found'>): Decision {
  return {
    state: {
      status: event.condition === 'running' ? 'RUNNING' : 'PAUSED',
      ...activePart(state),
      since: now,
      startedAt: state.startedAt ?? event.startedAt,
    },
    // A stop may have been cut short together with the link: its SIGKILL never came.
    effects: state.kill === null ? [] : [stopAttempt(task, state.place, state.kill)],
    why: `found ${event.condition} after the node came back`,
  };
}

// --- killing

export function recordKill({
  task,
  state,
  event,
  now,
}: Moment<OnNode, 'kill-requested'>): Decision {
  const kill = strengthen(state.kill, {
    at: now,
    by: event.by,
    signal: event.signal,
    graceMs: event.graceMs,
    deliveredAt: null,
  });
  return {
    state: { ...state, kill },
    effects: [stopAttempt(task, state.place, kill)],
    why: `${kill.signal}, SIGKILL after ${String(kill.graceMs / 1000)} s`,
    who: event.by,
  };
}

/** A second wish can make the first stronger (SIGKILL, a shorter grace, the end of a VPS that was to rest), never weaker. */
function strengthen(first: KillWish | null, second: KillWish): KillWish {
  if (first === null) return second;
  const isFatal = first.signal === 'SIGKILL' || second.signal === 'SIGKILL';
  const { then: _then, ...rest } = first;
  return {
    ...rest,
    signal: isFatal ? 'SIGKILL' : second.signal,
    graceMs: Math.min(first.graceMs, second.graceMs),
  };
}

export function markDelivered({
  state,
  event,
  now,
}: Moment<OnNode, 'kill-delivered'>): Decision | string {
  if (state.kill === null) return `"${event.kind}" without a wish to end the task.`;
  if (state.kill.deliveredAt !== null) return {};
  return {
    state: { ...state, kill: { ...state.kill, deliveredAt: now } },
    why: `${state.kill.signal} reached it`,
  };
}

/** Removing a VPS at rest. */
export function removeResting({
  task,
  state,
  event,
  now,
}: Moment<'STOPPED' | 'FAILED', 'kill-requested'>): Decision | string {
  if (task.type !== 'vps') return `The task has already ended (${state.status}).`;
  return {
    state: { ...state, status: 'KILLED', since: now, reason: `removed by ${event.by}` },
    task: { disk: null },
    effects:
      task.disk === null && state.place !== null
        ? [removeAttempt(task, state.place, false)]
        : removeDisk(task),
    who: event.by,
  };
}

// --- ending

export function end({ task, state, event, now }: Moment<Begun | 'LOST', 'ended'>): Decision {
  const ending = settleEnd(task, { end: event.end, kill: state.kill, why: event.why });
  const isFailure = ending.status === 'FAILED' || ending.status === 'KILLED_OOM';
  const keep = isFailure && task.spec.keepFailed;
  return {
    state: {
      status: ending.status,
      ...endedPart(state, now),
      reason: ending.reason,
      end: event.end,
      ...(isFailure && state.kill !== null ? { missedKill: state.kill } : {}),
    },
    task: {
      ...addWarning(task, ending.warning),
      disk: diskAfter(task, state.place, { event, ending }),
    },
    // A VPS at rest keeps its disk.
    effects:
      ending.status === 'STOPPED'
        ? []
        : [removeAttempt(task, state.place, keep), ...fetchResults(task, state.place)],
    why: ending.reason ?? `exit code ${String(event.end.exitCode ?? 'unknown')}`,
  };
}

export function endPaused(moment: Moment<'PAUSED', 'ended'>): Decision | string {
  const decision = end(moment);
  if (decision.state?.status !== 'COMPLETED') return decision;
  return 'A frozen task cannot complete: it was resumed before, report that first.';
}

export function vanish({ task, state, event, now }: Moment<OnNode, 'vanished'>): Decision {
  // A VPS that was to rest has lost its disk: that is no rest.
  const isKilled = state.kill !== null && state.kill.then === undefined;
  const reason = isKilled ? 'gone after kill was asked' : event.why;
  return {
    state: { status: isKilled ? 'KILLED' : 'FAILED', ...endedPart(state, now), reason },
    task: { disk: null },
    // Its container is gone, but a directory or a half-made one may be left.
    effects: [
      removeAttempt(task, state.place, false),
      ...(startedAtOf(state) === null ? [] : fetchResults(task, state.place)),
    ],
    why: reason,
  };
}

/** A later attempt waits for nothing but its time: dependencies were met before the first. */
export function backInTheQueue(now: Instant, reason: string | null, notBefore: Instant | null) {
  return { status: 'PENDING', since: now, held: false, reason, notBefore, blockedBy: [] } as const;
}

// --- parts

function activePart(state: Active): Omit<Active, 'since'> {
  return { place: state.place, assignedAt: state.assignedAt, kill: state.kill };
}

function endedPart(state: StateOf<OnNode>, now: Instant) {
  return {
    since: now,
    place: state.place,
    assignedAt: state.assignedAt,
    startedAt: startedAtOf(state),
    end: null,
  };
}

function startedAtOf(state: StateOf<OnNode>): Instant | null {
  return state.status === 'ASSIGNING' ? null : state.startedAt;
}

function outstandingStop(task: Task, state: Active): readonly TaskEffect[] {
  if (state.kill?.deliveredAt !== null) return [];
  return [stopAttempt(task, state.place, state.kill)];
}

export function stopAttempt(task: Task, at: Place, kill: KillWish): TaskEffect {
  const { signal, graceMs } = kill;
  return { kind: 'stop-attempt', nodeId: at.nodeId, attempt: task.attempt, signal, graceMs };
}

function removeAttempt(task: Task, at: Place, keep: boolean): TaskEffect {
  const { nodeId, runtime } = at;
  const effect = { kind: 'remove-attempt', nodeId, attempt: task.attempt, runtime, keep } as const;
  return task.type === 'vps' ? { ...effect, keep: false, vps: true } : effect;
}

/** What lies on the node outlives the container; whether another attempt follows is seen when it is run. */
function fetchResults(task: Task, { nodeId }: Place): readonly TaskEffect[] {
  if (task.spec.fetch.length === 0) return [];
  return [{ kind: 'fetch-results', nodeId, attempt: task.attempt }];
}

/** After a start that did not come to run: the disk of a VPS from its earlier attempts stays. */
function removeNeverRun(task: Task, at: Place, keep: boolean): readonly TaskEffect[] {
  return task.disk === null ? [removeAttempt(task, at, keep)] : [];
}

/** Removes the container of a VPS that is not running anywhere. */
function removeDisk({ disk, attempt }: Task): readonly TaskEffect[] {
  if (disk === null) return [];
  const { nodeId } = disk;
  return [{ kind: 'remove-attempt', nodeId, attempt, runtime: 'docker', keep: false, vps: true }];
}

function newDisk({ nodeId }: Place): VpsDisk {
  return { nodeId, lastRun: null };
}

function diskAfter(
  task: Task,
  at: Place,
  { event, ending }: { event: EventOf<'ended'>; ending: Ending },
): VpsDisk | null {
  if (task.type !== 'vps' || ending.status !== 'STOPPED') return null;
  const disk = task.disk ?? newDisk(at);
  return { ...disk, lastRun: event.run ?? disk.lastRun };
}
