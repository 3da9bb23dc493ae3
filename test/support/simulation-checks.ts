// What must always be true, and what must be true in the end (design, section 4).
import { isFinal, type TaskStatus } from '../../src-main/contract/task.ts';
import { taskId, type TaskId } from '../../src-main/contract/ids.ts';
import { legalTransitions } from '../../src-main/domain/task-machine.ts';
import type { Task } from '../../src-main/domain/task.ts';
import { holdingOf } from '../../src-main/services/tasks/task-book.ts';
import { isAlive, keyOf, type SimulatedWork } from './simulated-machine.ts';
import type { World } from './world.ts';

/** What a run remembers of its core, apart from the core. */
export interface Memory {
  /** Told to be accepted. */
  readonly accepted: Set<TaskId>;
  /** Asked to be forgotten. */
  readonly removed: Set<TaskId>;
  /** Seen in a final status, on disk. */
  readonly ended: Map<TaskId, string>;
  readonly killAsked: Set<TaskId>;
  /** Taken away behind the core's back. */
  readonly disturbed: Set<TaskId>;
  readonly foreign: Set<SimulatedWork>;
}

function must(isTrue: boolean, what: () => string): asserts isTrue {
  if (!isTrue) throw new Error(what());
}

export function checkAlways(world: World, memory: Memory): void {
  for (const { machine } of world.nodes) {
    must(machine.violations.length === 0, () => machine.violations.join('; '));
    for (const [key, count] of machine.starts) {
      const isKnown = !memory.disturbed.has(taskId.parse(key.split('/')[0]));
      must(count === 1 || !isKnown, () => `${key} was started ${String(count)} times`);
    }
  }
  for (const work of memory.foreign)
    must(work.condition.kind === 'running', () => 'work of another core was touched');
  if (!world.isUp) return;
  checkHoldings(world);
  const problem = world.core.said.find(
    ({ level, facts }) => level === 'error' && !isExpected(facts),
  );
  must(problem === undefined, () => `said: ${problem?.message ?? ''} ${describe(problem?.facts)}`);
}

function describe(facts: Readonly<Record<string, unknown>> | undefined): string {
  const error = facts?.['err'];
  return error instanceof Error ? (error.stack ?? error.message) : JSON.stringify(facts);
}

/** What a sabotaged disk says. */
function isExpected(facts: Readonly<Record<string, unknown>>): boolean {
  const error = facts['err'];
  return error instanceof Error && /sabotage|FOREIGN KEY/.test(error.message);
}

function checkHoldings(world: World): void {
  const holders = new Map<string, string>();
  for (const task of world.core.book.all()) {
    const holding = holdingOf(task);
    for (const { uuid } of holding?.place.gpus ?? []) {
      const other = holders.get(uuid);
      must(other === undefined, () => `${uuid} is held by ${task.id} and ${String(other)}`);
      holders.set(uuid, task.id);
    }
  }
}

function checkRecords(world: World, memory: Memory): void {
  const { book, store } = world.core;
  for (const id of memory.accepted) {
    const task = store.tasks.get(id)?.task;
    if (task === undefined) {
      must(memory.removed.has(id), () => `${id} was accepted and is gone`);
      continue;
    }
    const { status } = task.state;
    const before = memory.ended.get(id);
    must(before === undefined || before === status, () => `${id}: ${before ?? ''} → ${status}`);
    const isActive = book.active(id) !== undefined;
    must(isActive !== isFinal(status), () => `${id} is ${status}, active: ${String(isActive)}`);
    // What is seen at rest is on disk: from now on it is one for ever.
    if (isFinal(status)) memory.ended.set(id, status);
  }
}

/** For when nothing waits to be written. */
export function checkAtRest(world: World, memory: Memory): void {
  checkAlways(world, memory);
  checkRecords(world, memory);
}

export async function checkAtTheEnd(world: World, memory: Memory): Promise<void> {
  checkAtRest(world, memory);
  const { core } = world;
  const left = [...core.book.all()].map(({ id, state }) => `${id} ${state.status}`);
  must(left.length === 0, () => `never ended: ${left.join(', ')}`);
  const effects = core.store.effects.all();
  must(effects.length === 0, () => `still to be done: ${JSON.stringify(effects)}`);
  for (const { machine } of world.nodes)
    for (const work of machine.works.values()) checkLeftover(world, memory, work);
  for (const { machine } of world.nodes)
    for (const work of machine.history.values())
      if (!memory.foreign.has(work)) await checkWork(world, memory, work);
  for (const id of memory.accepted) if (!memory.removed.has(id)) checkHistory(world, id);
}

function checkLeftover(world: World, memory: Memory, work: SimulatedWork): void {
  if (memory.foreign.has(work)) return;
  const task = world.core.store.tasks.get(work.ref.taskId)?.task;
  const isKept = task?.spec.keepFailed ?? work.isKept;
  must(isKept && !isAlive(work), () => `${keyOf(work.ref)} was left on its node`);
}

/** What the core says of an attempt is what happened. */
async function checkWork(world: World, memory: Memory, work: SimulatedWork): Promise<void> {
  const { taskId: id, attempt } = work.ref;
  const task = world.core.store.tasks.get(id)?.task;
  if (task?.attempt !== attempt || memory.disturbed.has(id)) return;
  checkEnd(task, memory, work);
  if (!('end' in task.state) || task.state.end === null) return;
  for (const stream of ['stdout', 'stderr'] as const) {
    const printed = Buffer.concat(
      work.output.filter((piece) => piece.stream === stream).map(({ bytes }) => bytes),
    ).toString();
    const stored = await world.core.logOf(id, stream);
    must(
      stored === printed,
      () => `log of ${keyOf(work.ref)}: ${JSON.stringify({ stored, printed })}`,
    );
  }
}

function checkEnd(task: Task, memory: Memory, work: SimulatedWork): void {
  const { status } = task.state;
  const { condition } = work;
  const words = () =>
    `${keyOf(work.ref)} is ${JSON.stringify(task.state)} and really ${JSON.stringify(condition)}`;
  if (condition.kind === 'created') {
    must(status === 'KILLED' || status === 'FAILED', words);
    return;
  }
  must(condition.kind === 'ended' && 'end' in task.state, words);
  must(JSON.stringify(task.state.end) === JSON.stringify(condition.end), words);
  const wasKilled = memory.killAsked.has(task.id);
  if (status === 'KILLED') must(wasKilled, words);
  else if (condition.end.exitCode === 0) must(status === 'COMPLETED', words);
  else must(status === 'FAILED' || status === 'KILLED_OOM', words);
}

function checkHistory(world: World, id: TaskId): void {
  let status: TaskStatus | null = null;
  for (const event of world.core.store.tasks.events(id)) {
    must(
      event.from === status,
      () => `${id}: ${event.kind} comes from ${String(event.from)}, not ${String(status)}`,
    );
    const legal: readonly TaskStatus[] =
      status === null ? ['PENDING', 'PENDING_APPROVAL'] : legalTransitions[status];
    must(
      event.to === status || legal.includes(event.to),
      () => `${id}: ${String(status)} → ${event.to} by ${event.kind}`,
    );
    status = event.to;
  }
  const stored = world.core.store.tasks.get(id)?.task.state.status;
  must(stored === status, () => `${id} is ${String(stored)}; its history says ${String(status)}`);
}
