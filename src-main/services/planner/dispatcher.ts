// Places waiting tasks. It wakes when something changed that the planner reads, asks the planner for
// one pass, and writes down what it says; everything after that belongs to the attempts.
import type { BatchId, Instant, NodeId, TaskId } from '../../contract/ids.ts';
import type { WaitReason } from '../../contract/task.ts';
import type { Clock, Timers } from '../../domain/clock.ts';
import { Emitter } from '../../domain/emitter.ts';
import { toWaitReason } from '../../domain/planner/explain.ts';
import type { Holding, Placement, QueuedTask } from '../../domain/planner/model.ts';
import { gangOf, type Task } from '../../domain/task.ts';
import type { Fleet } from '../fleet.ts';
import type { Logger } from '../logger.ts';
import { Deadlines } from '../queue/deadlines.ts';
import { endOf } from '../queue/ends.ts';
import { holdingOf, type TaskBook, type TaskChange } from '../tasks/task-book.ts';
import type { UnreadableTask } from '../tasks/ports.ts';
import { ArrayTickets } from './array-tickets.ts';
import type { KeptPlace, News, PlannerDelta, PlannerPort, PlannerRules } from './planner-port.ts';

/** After a pass or a write that failed, the next one waits: what is broken needs time, not haste. */
const RETRY_MS = 1000;
/** A time of day is looked at again this often: the clock may have been set. */
const longestNapMs = 300_000;

export interface DispatcherParts {
  readonly book: TaskBook;
  readonly fleet: Fleet;
  readonly planner: PlannerPort;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Logger;
  readonly rules: () => PlannerRules;
}

/** A task as the planner reads it; one that may not start yet counts as held there. */
export function toQueued(task: Task, now: Instant): QueuedTask {
  const { spec } = task;
  return {
    id: task.id,
    owner: task.owner,
    priority: task.priority,
    submittedAt: task.submittedAt,
    held: !isReady(task, now),
    target: spec.target,
    ...(task.disk === null ? {} : { home: task.disk.nodeId }),
    cores: spec.cores,
    memoryBytes: spec.memoryBytes ?? 0,
    gpus: spec.gpus,
    vessel: spec.vessel,
    exclusive: spec.exclusive,
    onNodeLabels: spec.onNodeLabels,
    avoidNodes: spec.avoidNodes,
    labels: spec.labels,
    timeLimitMs: spec.timeLimitSeconds === null ? null : spec.timeLimitSeconds * 1000,
    waitingSince: waitingSince(task),
    gang: gangOf(task),
  };
}

/** A task in the queue has waited since it came there, and not before its time. */
function waitingSince({ state, submittedAt }: Task): Instant {
  if (state.status !== 'PENDING') return submittedAt;
  return Math.max(state.since, state.notBefore ?? 0);
}

/** Whether nothing but room keeps it from starting. A task that does not wait has nothing to be ready for. */
function isReady({ state }: Task, now: Instant): boolean {
  if (state.status !== 'PENDING') return true;
  const { held, blockedBy, notBefore } = state;
  return !held && blockedBy.length === 0 && (notBefore === null || notBefore <= now);
}

/** Of the elements of a capped array: whether it holds something, or could now. */
function wantsTurn(task: Task, now: Instant): boolean {
  if (task.state.status === 'PENDING') return isReady(task, now);
  return holdingOf(task) !== undefined;
}

/** What a change of a task means to the planner's mirror. */
export function deltaOf(
  { before, after }: Pick<TaskChange, 'before' | 'after'>,
  now: Instant,
): PlannerDelta[] {
  const id = (after ?? before)?.id;
  if (id === undefined) return [];
  if (after?.state.status === 'PENDING')
    return [{ kind: 'upsert-task', task: toQueued(after, now) }];
  const holding = after === undefined ? undefined : countedHolding(after);
  return [holding === undefined ? { kind: 'forget-task', id } : { kind: 'hold', holding }];
}

/** What a task holds, as whose, and until when. */
function countedHolding(task: Task): Holding | undefined {
  const holding = holdingOf(task);
  if (holding === undefined) return undefined;
  const { owner, spec } = task;
  return { ...holding, counted: { owner, labels: spec.labels }, endsAt: endOf(task) };
}

/** A task whose record cannot be read may hold anything: its node takes nothing new until a person looked. */
function wholeNodeHeld({ id, attempt, nodeId }: UnreadableTask): PlannerDelta[] {
  if (nodeId === null) return [];
  const place = {
    nodeId,
    runtime: 'process' as const,
    gpus: [],
    cores: 0,
    memoryBytes: 0,
    numa: null,
    exclusive: true,
  };
  return [{ kind: 'hold', holding: { taskId: id, attempt, place } }];
}

/**
 * Whether more may fit after a change, or room be kept for others: not when what a pass placed is
 * written down, nor when it begins, unless that tells when it is over.
 */
function mayMatter({ kind, after }: TaskChange): boolean {
  if (kind === 'started') return after === undefined || after.spec.timeLimitSeconds !== null;
  return kind !== 'placed';
}

/** Whether a change is one the planner reads: progress and wishes to kill what runs are not. */
function isPlanned({ kind, before, after }: TaskChange): boolean {
  if (kind === 'progress') return false;
  return !kind.startsWith('kill-') || before?.state.status !== after?.state.status;
}

export class Dispatcher implements Disposable {
  readonly #parts: DispatcherParts;
  readonly #listening: Disposable[];
  #deltas: PlannerDelta[] = [];
  readonly #changedNodes = new Set<NodeId>();
  readonly #times: Deadlines<TaskId>;
  readonly #tickets = new ArrayTickets();
  #wake: Disposable | undefined;
  #nap: Disposable | undefined;
  #isPassing = false;
  /** Something happened since the last pass began that a pass is for. */
  #isDue = false;
  /** Something failed since the last pass began. */
  #isFailing = false;
  #isStopped = false;
  /** Which of the planner's mirrors is fed: it may lose one. */
  #mirror = 0;
  #kept: readonly KeptPlace[] = [];
  readonly #keptChanged = new Emitter<void>();
  /** Room is kept for other tasks than before, or elsewhere. */
  readonly onDidChangeKept = this.#keptChanged.event;

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
    const { book, fleet } = parts;
    this.#times = new Deadlines(parts, (id) => this.#onTime(id));
    this.#listening = [
      this.#times,
      parts.planner.onDidReset(() => {
        this.#slowDown();
        this.#mirror += 1;
        this.#tellAll();
      }),
      book.onDidChange((change) => this.#onTask(change)),
      fleet.onDidChangeCapacity((id) => this.#onNode(id)),
    ];
    this.#tellAll();
  }

  /** The planner knows nothing (yet, or any more): everything is news. */
  #tellAll(): void {
    const { book, fleet } = this.#parts;
    const all = [...book.all()];
    // Of a capped array, those that hold something have their turn before any that waits is given one.
    for (const task of all) if (holdingOf(task) !== undefined) this.#tickets.admit(task);
    this.#deltas = all.flatMap((task) => this.#deltaOf(undefined, task));
    for (const task of book.unreadable) this.#deltas.push(...wholeNodeHeld(task));
    for (const node of fleet.plannerNodes()) this.#changedNodes.add(node.id);
    this.wake();
  }

  [Symbol.dispose](): void {
    this.#isStopped = true;
    this.#wake?.[Symbol.dispose]();
    this.#nap?.[Symbol.dispose]();
    for (const listener of this.#listening) listener[Symbol.dispose]();
  }

  /** Plans soon; calls in the same turn of the loop are one. */
  wake(): void {
    this.#isDue = true;
    if (this.#wake !== undefined || this.#isPassing || this.#isStopped) return;
    this.#wake = this.#parts.timers.after(this.#isFailing ? RETRY_MS : 0, () => {
      this.#wake = undefined;
      this.#isFailing = false;
      this.#isDue = false;
      this.#pass().catch((error: unknown) => {
        this.#parts.log.error({ err: error }, 'a planning pass failed; it will be tried again');
      });
    });
  }

  /** Something failed: the next pass waits a little, also one that was to come at once. */
  #slowDown(): void {
    this.#isFailing = true;
    this.#wake?.[Symbol.dispose]();
    this.#wake = undefined;
    this.wake();
  }

  /** Why a task does not run yet, by the predicates that would place it. */
  async explain(task: QueuedTask): Promise<WaitReason> {
    const found = await this.#parts.planner.explain(this.#takeNews(), task);
    return toWaitReason(found, (id) => this.#wordsFor(id));
  }

  #wordsFor(id: string): string {
    const name = this.#parts.book.active(id as TaskId)?.spec.name ?? null;
    return name === null ? `task ${id}` : `task "${name}" (${id})`;
  }

  #deltaOf(before: Task | undefined, after: Task | undefined): PlannerDelta[] {
    if (after !== undefined) this.#watchTime(after);
    const deltas = deltaOf({ before, after }, this.#parts.book.now());
    if (this.#hasTurn(before, after)) return deltas;
    return deltas.map((delta) =>
      delta.kind === 'upsert-task' ? { ...delta, task: { ...delta.task, held: true } } : delta,
    );
  }

  /** Of some arrays only so many may hold something at a time. When one is over, the next is told. */
  #hasTurn(before: Task | undefined, after: Task | undefined): boolean {
    const task = after ?? before;
    if (task === undefined) return true;
    if (task.spec.arrayMaxRunning === null) return true;
    if (after !== undefined && wantsTurn(after, this.#parts.book.now())) {
      const isAdmitted = this.#tickets.admit(after);
      for (const id of this.#tickets.takeBack(after, this.#isHolding)) this.#tellTruth(id);
      return isAdmitted;
    }
    const next = this.#tickets.leave(task);
    if (next !== undefined) this.#tellTruth(next);
    return true;
  }

  readonly #isHolding = (id: TaskId): boolean => {
    const task = this.#parts.book.active(id);
    return task !== undefined && holdingOf(task) !== undefined;
  };

  /** Whether only its turn in its array keeps a task from being placed. */
  isWaitingForTurn(task: Task): boolean {
    return this.#tickets.isWaitingForTurn(task);
  }

  /** The planner knows no clock: it is told again when a task's time has come. */
  #watchTime({ id, state }: Task): void {
    const notBefore = state.status === 'PENDING' ? state.notBefore : null;
    const waitMs = notBefore === null ? 0 : notBefore - this.#parts.book.now();
    if (notBefore === null || waitMs <= 0) this.#times.forget(id);
    else this.#times.set(id, notBefore, Math.min(waitMs, longestNapMs));
  }

  #onTime(id: TaskId): void {
    this.#tellTruth(id);
    this.wake();
  }

  #onTask(change: TaskChange): void {
    if (!isPlanned(change)) return;
    // What was written is undone: most likely what comes now would be, too.
    if (change.kind === 'reloaded') this.#slowDown();
    this.#deltas.push(...this.#deltaOf(change.before, change.after));
    if (mayMatter(change)) this.wake();
  }

  #onNode(id: NodeId): void {
    this.#changedNodes.add(id);
    this.wake();
  }

  #takeNews(): News {
    const nodes = this.#changedNodes.size === 0 ? [] : this.#parts.fleet.plannerNodes();
    const byId = new Map(nodes.map((node) => [node.id, node]));
    const nodeDeltas = [...this.#changedNodes].map((id): PlannerDelta => {
      const node = byId.get(id);
      return node === undefined ? { kind: 'forget-node', id } : { kind: 'upsert-node', node };
    });
    const deltas = [
      { kind: 'rules' as const, rules: this.#parts.rules() },
      ...nodeDeltas,
      ...this.#deltas,
    ];
    this.#deltas = [];
    this.#changedNodes.clear();
    return { deltas, now: this.#parts.book.now() };
  }

  async #pass(): Promise<void> {
    this.#isPassing = true;
    try {
      const placements = await this.#ask();
      if (this.#isStopped) return;
      this.#placeAll(placements);
    } catch (error) {
      if (this.#isStopped) return;
      this.#slowDown();
      throw error;
    } finally {
      this.#isPassing = false;
      if (this.#isDue) this.wake();
    }
  }

  async #ask(): Promise<readonly Placement[]> {
    const news = this.#takeNews();
    const mirror = this.#mirror;
    try {
      const { placements, kept, keepsMoreAt } = await this.#parts.planner.pass(news);
      this.#noteKept(kept);
      this.#wakeAt(keepsMoreAt);
      return placements;
    } catch (error) {
      // Telling it twice does no harm; a planner that began anew was told everything meanwhile.
      if (mirror === this.#mirror) this.#deltas.unshift(...news.deltas);
      throw error;
    }
  }

  /** Time alone changes what is kept: people see it, and those behind plan with it. */
  #wakeAt(at: Instant | null): void {
    this.#nap?.[Symbol.dispose]();
    this.#nap = undefined;
    if (at === null || this.#isStopped) return;
    const waitMs = Math.max(0, at - this.#parts.book.now());
    this.#nap = this.#parts.timers.after(Math.min(waitMs, longestNapMs), () => this.wake());
  }

  /** Room that is kept for tasks, as of the last pass. */
  get kept(): readonly KeptPlace[] {
    return this.#kept;
  }

  #noteKept(kept: readonly KeptPlace[]): void {
    if (JSON.stringify(kept) === JSON.stringify(this.#kept)) return;
    this.#kept = kept;
    this.#keptChanged.emit();
  }

  /** When one cannot be written, those after it are given up as well: the next pass places them. */
  #placeAll(placements: readonly Placement[]): void {
    const broken = this.#brokenGangs(placements);
    let done = 0;
    try {
      for (const placement of placements) {
        if (placement.gang !== null && broken.has(placement.gang))
          this.#tellTruth(placement.taskId);
        else this.#place(placement);
        done += 1;
      }
    } finally {
      for (const { taskId } of placements.slice(done)) this.#tellTruth(taskId);
    }
  }

  /** Gangs of which one cannot start where it was placed: then none of them does. */
  #brokenGangs(placements: readonly Placement[]): ReadonlySet<BatchId> {
    const { book, fleet } = this.#parts;
    const broken = new Set<BatchId>();
    for (const { gang, taskId, place } of placements) {
      if (gang === null) continue;
      const isThere = fleet.node(place.nodeId)?.state === 'online';
      if (!isThere) this.#onNode(place.nodeId);
      const task = book.active(taskId);
      const isWaiting = task?.state.status === 'PENDING' && isReady(task, book.now());
      if (!isThere || !isWaiting || this.isWaitingForTurn(task)) broken.add(gang);
    }
    return broken;
  }

  /** Writes a placement down, unless the world moved on while the planner thought. */
  #place({ taskId, place, why }: Placement): void {
    const { book, fleet } = this.#parts;
    const isThere = fleet.node(place.nodeId)?.state === 'online';
    const task = book.active(taskId);
    const hasTurn = task === undefined || !this.isWaitingForTurn(task);
    const outcome =
      isThere && hasTurn ? book.apply(taskId, { kind: 'placed', place, why }) : undefined;
    if (outcome !== undefined && !('refused' in outcome)) return;
    this.#tellTruth(taskId);
    if (!isThere) this.#onNode(place.nodeId);
  }

  /** The planner counts a task as placed that is not. */
  #tellTruth(id: TaskId): void {
    const task = this.#parts.book.active(id);
    if (task === undefined) this.#deltas.push({ kind: 'forget-task', id });
    else this.#deltas.push(...this.#deltaOf(undefined, task));
    this.wake();
  }
}
