// What must always be true, and what must be true in the end (design, section 4).
import { isFinal, type TaskEventView, type TaskStatus } from '../../src-main/contract/task.ts';
import type { TaskId } from '../../src-main/contract/ids.ts';
import { standingOf } from '../../src-main/domain/dependencies.ts';
import type { Reservation } from '../../src-main/domain/planner/guards.ts';
import { legalTransitions } from '../../src-main/domain/task-machine.ts';
import type { AttemptEnd, Task } from '../../src-main/domain/task.ts';
import { holdingOf, type TaskChange } from '../../src-main/services/tasks/task-book.ts';
import { isAlive, keyOf, type SimulatedWork } from '../support/simulated-machine.ts';
import type { TaskSide } from '../support/task-side.ts';
import type { World } from '../support/world.ts';
import type { Memory } from './memory.ts';

function must(isTrue: boolean, what: () => string): asserts isTrue {
  if (!isTrue) throw new Error(what());
}

/** An attempt begins on a machine, whoever ordered it. Returns what is wrong with that. */
export function wrongStart(world: World, memory: Memory, work: SimulatedWork): string | undefined {
  const key = keyOf(work.ref);
  const count = (memory.starts.get(key) ?? 0) + 1;
  memory.starts.set(key, count);
  const { taskId: id, attempt } = work.ref;
  if (count > 1 && !memory.disturbed.has(id)) return `${key} was started ${String(count)} times`;
  if (memory.gone.has(key)) return `${key} was started again after it was gone`;
  for (const { machine } of world.nodes)
    for (const other of machine.works.values())
      if (other.ref.taskId === id && other !== work && isAlive(other))
        return `${key} was started while ${keyOf(other.ref)} ran`;
  // What the core was still to write down is gone with it.
  if (!world.isUp || !world.core.isAlive) return undefined;
  const task = world.core.book.active(id);
  if (task?.attempt !== attempt || holdingOf(task) === undefined)
    return `${key} was started, and its task is ${task?.state.status ?? 'over'}`;
  return wrongTerms(world, task, work);
}

function wrongTerms(world: World, task: Task, work: SimulatedWork): string | undefined {
  for (const dependency of task.spec.after) {
    const found = world.core.book.find(dependency.task)?.task;
    if (found === undefined || standingOf(dependency, found).kind === 'met') continue;
    return `${keyOf(work.ref)} was started, and ${dependency.task} is ${found.state.status}`;
  }
  const lacking = task.spec.secretEnvNames.find((name) => work.spec.env[name] !== 'secret');
  return lacking === undefined ? undefined : `${keyOf(work.ref)} was started without ${lacking}`;
}

/** A change the core makes. Returns what is wrong with it. */
export function wrongChange(
  { before, after, kind }: TaskChange,
  { book, rules }: Pick<TaskSide, 'book' | 'rules'>,
): string | undefined {
  if (kind !== 'placed' || before?.state.status !== 'PENDING') return undefined;
  const now = book.now();
  const { held, blockedBy, notBefore } = before.state;
  if (held) return `${before.id} was placed while it was held`;
  if (blockedBy.length > 0) return `${before.id} was placed while it waited for others`;
  if (notBefore !== null && now < notBefore) return `${before.id} was placed before its time`;
  const inTheWay = rules.reservations.forPlanner().find((one) => runsInto(after, one, now));
  return inTheWay && `${before.id} was placed where it runs into reservation ${inTheWay.id}`;
}

/** Whether a task that starts now may still run where and when others have a reservation. */
function runsInto(
  task: Task | undefined,
  { nodeId, gpus, from, to, owners }: Reservation,
  now: number,
): boolean {
  const place = task && holdingOf(task)?.place;
  if (place?.nodeId !== nodeId || owners.includes(task?.owner ?? '') || now >= to) return false;
  const limit = task?.spec.timeLimitSeconds;
  const isOver = limit != null && now + limit * 1000 <= from;
  return !isOver && (gpus === null || place.gpus.some(({ uuid }) => gpus.includes(uuid)));
}

export function checkAlways(world: World, memory: Memory): void {
  for (const { machine } of world.nodes)
    must(machine.violations.length === 0, () => machine.violations.join('; '));
  for (const work of memory.foreign)
    must(work.condition.kind === 'running', () => 'work of another core was touched');
  if (!world.isUp) return;
  checkHoldings(world);
  checkRoom(world, memory);
  checkAlive(world, memory);
  checkGangs(world, memory);
  const problem = world.core.said.find(
    ({ level, facts }) => level === 'error' && !isExpected(facts['err']),
  );
  must(problem === undefined, () => `said: ${problem?.message ?? ''} ${describe(problem?.facts)}`);
}

function describe(facts: Readonly<Record<string, unknown>> | undefined): string {
  const error = facts?.['err'];
  return error instanceof Error ? (error.stack ?? error.message) : JSON.stringify(facts);
}

/** What a disk says that refuses on purpose. */
function isExpected(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return /sabotage|FOREIGN KEY|simulated/.test(error.message) || isExpected(error.cause);
}

/** Every GPU is promised once, and every array keeps to its number. */
function checkHoldings(world: World): void {
  const holders = new Map<string, string>();
  const perArray = new Map<string, number>();
  for (const task of world.core.book.all()) {
    const holding = holdingOf(task);
    if (holding === undefined) continue;
    for (const { uuid } of holding.place.gpus) {
      const other = holders.get(uuid);
      must(other === undefined, () => `${uuid} is held by ${task.id} and ${String(other)}`);
      holders.set(uuid, task.id);
    }
    const most = task.spec.arrayMaxRunning;
    if (most === null) continue;
    const count = (perArray.get(task.batchId) ?? 0) + 1;
    perArray.set(task.batchId, count);
    must(count <= most, () => `${String(count)} of array ${task.batchId} hold something`);
  }
}

/** Of those that start together, none waits for its first start while another has had its own. */
function checkGangs({ core: { book } }: World, memory: Memory): void {
  for (const { id, batchId, spec, attempt, state } of book.all()) {
    if (!spec.gang || attempt > 0 || state.status !== 'PENDING') continue;
    const others = [...memory.accepted].map((other) => book.find(other)?.task);
    const begun = others.find((other) => other?.batchId === batchId && other.attempt > 0);
    must(begun === undefined, () => `${begun?.id ?? ''} was started, and ${id} of its gang waits`);
  }
}

/** What really runs fits on its machine, and who asked for a machine alone has it alone. */
function checkRoom(world: World, memory: Memory): void {
  for (const { plan, machine } of world.nodes) {
    const ours = [...machine.works.values()].filter(
      (work) => isAlive(work) && !memory.foreign.has(work),
    );
    const cores = ours.reduce((sum, { spec }) => sum + Math.max(1, spec.cores), 0);
    must(cores <= plan.cores, () => `${plan.name} runs ${String(cores)} cores of work`);
    const alone = ours.find(
      ({ ref }) => world.core.book.active(ref.taskId)?.spec.exclusive === true,
    );
    must(
      alone === undefined || ours.length === 1,
      () => `${plan.name} runs ${ours.map(({ ref }) => keyOf(ref)).join(', ')}, one of them alone`,
    );
  }
}

/** What runs is known to, and keeps what it holds. */
function checkAlive(world: World, memory: Memory): void {
  for (const { machine } of world.nodes) {
    for (const work of machine.works.values()) {
      if (memory.foreign.has(work) || !isAlive(work)) continue;
      const task = world.core.book.active(work.ref.taskId);
      must(
        task?.attempt === work.ref.attempt && holdingOf(task) !== undefined,
        () => `${keyOf(work.ref)} runs, and its task is ${describeTask(world, work.ref.taskId)}`,
      );
    }
  }
}

function describeTask(world: World, id: TaskId): string {
  const task = world.core.book.find(id)?.task;
  return task === undefined ? 'unknown' : `${task.state.status} in attempt ${String(task.attempt)}`;
}

/** What was accepted is on disk. A final status that was seen is looked at again in the end only. */
function checkRecords(world: World, memory: Memory): void {
  for (const id of memory.accepted) if (!memory.ended.has(id)) checkRecord(world, memory, id);
}

function checkRecord(world: World, memory: Memory, id: TaskId): void {
  const { book, store } = world.core;
  const task = store.tasks.get(id)?.task;
  if (task === undefined) {
    must(memory.removed.has(id), () => `${id} was accepted and is gone`);
    return;
  }
  const { status } = task.state;
  const before = memory.ended.get(id);
  must(before === undefined || before === status, () => `${id}: ${before ?? ''} → ${status}`);
  const isActive = book.active(id) !== undefined;
  must(isActive !== isFinal(status), () => `${id} is ${status}, active: ${String(isActive)}`);
  // What is seen at rest is on disk: from now on it is one for ever.
  if (isFinal(status)) memory.ended.set(id, status);
}

/** For when nothing waits to be written. */
export function checkAtRest(world: World, memory: Memory): void {
  checkAlways(world, memory);
  checkRecords(world, memory);
}

export async function checkAtTheEnd(world: World, memory: Memory): Promise<void> {
  checkAlways(world, memory);
  for (const id of memory.accepted) checkRecord(world, memory, id);
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

/** What was to be kept for a look after a failure is there. */
function checkKept(world: World, memory: Memory, work: SimulatedWork): void {
  const { taskId: id, attempt } = work.ref;
  const task = world.core.store.tasks.get(id)?.task;
  if (task?.spec.keepFailed !== true || task.attempt !== attempt || memory.disturbed.has(id))
    return;
  const hasFailed = task.state.status === 'FAILED' || task.state.status === 'KILLED_OOM';
  must(
    !hasFailed || work.isKept || work.condition.kind === 'created',
    () => `${keyOf(work.ref)} was not kept`,
  );
  const isThere = world.nodes.some(({ machine }) => machine.works.get(keyOf(work.ref)) === work);
  must(!work.isKept || isThere, () => `${keyOf(work.ref)} was kept, and then removed`);
}

/** What the core says of an attempt is what happened. */
async function checkWork(world: World, memory: Memory, work: SimulatedWork): Promise<void> {
  const { taskId: id, attempt } = work.ref;
  const task = world.core.store.tasks.get(id)?.task;
  if (task === undefined || memory.disturbed.has(id)) return;
  if (task.attempt === attempt) checkEnd(task, memory, work);
  checkKept(world, memory, work);
  const hasEnded = world.core.store.tasks
    .events(id)
    .some((event) => event.kind === 'ended' && event.attempt === attempt);
  if (!hasEnded) return;
  for (const stream of ['stdout', 'stderr'] as const) {
    const printed = Buffer.concat(
      work.output.filter((piece) => piece.stream === stream).map(({ bytes }) => bytes),
    ).toString();
    const stored = await world.core.logOf(id, stream, attempt);
    must(
      stored === printed,
      () => `log of ${keyOf(work.ref)}: ${JSON.stringify({ stored, printed })}`,
    );
  }
}

function checkEnd(task: Task, memory: Memory, work: SimulatedWork): void {
  const { status } = task.state;
  const { condition } = work;
  // It waited to be tried again when it came to its end: `checkAttempts` looks at the one before.
  if ('place' in task.state && task.state.place === null) return;
  const words = () =>
    `${keyOf(work.ref)} is ${JSON.stringify(task.state)} and really ${JSON.stringify(condition)}`;
  if (condition.kind === 'created') {
    must(status === 'KILLED' || status === 'FAILED', words);
    return;
  }
  must(condition.kind === 'ended' && 'end' in task.state, words);
  const { exitCode, signal, oomKilled } = condition.end;
  must(JSON.stringify(task.state.end) === JSON.stringify({ exitCode, signal, oomKilled }), words);
  must(!isOwedRetry(task, condition.end), () => `${words()}: it was to be tried again`);
  const wasKilled = memory.killAsked.has(task.id) || task.spec.timeLimitSeconds !== null;
  if (status === 'KILLED' || 'missedKill' in task.state) must(wasKilled, words);
  if (status === 'KILLED') return;
  if (condition.end.exitCode === 0) must(status === 'COMPLETED', words);
  else must(status === (condition.end.oomKilled ? 'KILLED_OOM' : 'FAILED'), words);
}

/** Whether its policy gives it another attempt after this end. */
function isOwedRetry({ state, spec, attempt }: Task, end: AttemptEnd): boolean {
  const { retries } = spec;
  if (retries === null || attempt > retries.count || 'missedKill' in state) return false;
  if (state.status === 'KILLED_OOM') return retries.on.includes('oom');
  if (state.status !== 'FAILED') return false;
  return retries.on.includes(end.lostWithNode === true ? 'lost' : 'exit');
}

/** What ends an attempt: once each. */
const endings = new Set(['ended', 'vanished', 'start-failed', 'start-deferred']);

function checkHistory(world: World, id: TaskId): void {
  const events = world.core.store.tasks.events(id);
  let status: TaskStatus | null = null;
  for (const event of events) {
    checkStep(id, status, event);
    status = event.to;
  }
  const task = world.core.store.tasks.get(id)?.task;
  const stored = task?.state.status;
  must(stored === status, () => `${id} is ${String(stored)}; its history says ${String(status)}`);
  checkAttempts(id, events);
  const retries = events.filter(({ kind }) => kind === 'retried').length;
  const most = task?.spec.retries?.count ?? 0;
  must(retries <= most, () => `${id} was tried again ${String(retries)} times of ${String(most)}`);
}

function checkStep(id: TaskId, status: TaskStatus | null, event: TaskEventView): void {
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
}

function checkAttempts(id: TaskId, events: readonly TaskEventView[]): void {
  let attempt = 0;
  let isOver = true;
  for (const { kind, attempt: of } of events) {
    if (kind === 'placed') {
      must(isOver, () => `${id} was placed again before attempt ${String(attempt)} was over`);
      attempt += 1;
      isOver = false;
    }
    must(
      of === attempt,
      () => `${id}: ${kind} is of attempt ${String(of)}, not ${String(attempt)}`,
    );
    if (!endings.has(kind)) continue;
    must(!isOver, () => `${id}: attempt ${String(attempt)} ended twice (${kind})`);
    isOver = true;
  }
}
