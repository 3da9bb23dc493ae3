// Brings one attempt from ASSIGNING to its end: prepare, create, start, collect the log, report the
// end. It looks before it acts, so it can be started at any point of an attempt's life: after a
// crash, after a lost link, in the middle of a start. It stops without a verdict when the node is
// out of reach; somebody starts it again when the node is back.
import { isAppError, type AppError } from '../../contract/errors.ts';
import type { TaskId } from '../../contract/ids.ts';
import { endEvents, eventsFor } from '../../domain/reconcile.ts';
import type { Active, Task, TaskEvent, TaskState } from '../../domain/task.ts';
import type {
  AttemptRef,
  AttemptSpec,
  ObservedAttempt,
  PrepareOptions,
  Runtime,
} from '../../runtimes/runtime.ts';
import type { TaskBook } from '../tasks/task-book.ts';

export interface AttemptParts {
  readonly book: TaskBook;
  readonly runtime: Runtime;
  readonly spec: () => AttemptSpec;
  /** Placed just now by this process, and nobody was told to start it before: nothing is to be found. */
  readonly isNew: boolean;
  /** Copies the attempt's log until it is complete and safely stored. */
  readonly collectLog: (runtime: Runtime, ref: AttemptRef, signal: AbortSignal) => Promise<void>;
  /** Sees to it that what it runs in is on the node, where that is for us to bring. */
  readonly bring?: (spec: AttemptSpec, work: PrepareOptions) => Promise<void>;
}

type ActiveState = Extract<TaskState, Active>;
type Begun = ObservedAttempt | 'started' | undefined;

/** Errors that say nothing about the attempt, only that the way to it is not open now. */
const outOfReach: ReadonlySet<string> = new Set([
  'link/lost',
  'link/unreachable',
  'link/refused',
  'link/timeout',
  'link/channel-refused',
  'link/command-timeout',
  'link/shell-hangs',
  'docker/connection',
  'docker/denied',
  'docker/absent',
  // Its files cannot be put there at the moment.
  'files/unavailable',
  // Its secret variables cannot be read until somebody unlocks the vault.
  'vault/locked',
]);

export function isOutOfReach(error: unknown): boolean {
  return isAppError(error) && outOfReach.has(error.code);
}

export class AttemptDriver {
  readonly #parts: AttemptParts;
  readonly #ref: AttemptRef;
  readonly #abort = new AbortController();
  /** Aborted to cancel a start under way because the task is to be killed. */
  readonly #starting = new AbortController();
  /** Stops that were sent and whose outcome decides how the end is read. */
  readonly #stopping = new Map<string, Promise<void>>();
  #isStarting = false;
  readonly done: Promise<void>;

  constructor(ref: AttemptRef, parts: AttemptParts) {
    this.#ref = ref;
    this.#parts = parts;
    this.done = this.#drive();
  }

  get isAbandoned(): boolean {
    return this.#abort.signal.aborted;
  }

  /** Stops driving; the attempt itself goes on. */
  abandon(reason: Error): void {
    this.#abort.abort(reason);
    this.#starting.abort(reason);
  }

  /**
   * Acts on a kill wish that is stored: cancels the start under way, or signals what runs. Resolves
   * when that is done; the end itself is reported by the drive. The same order twice at a time is one:
   * some programs take a second signal for «at once».
   */
  async stop(options: { signal: string; graceMs: number }): Promise<void> {
    if (this.#state() === undefined) return;
    if (this.#isStarting) {
      this.#starting.abort(new KillRequested());
      return;
    }
    const key = `${options.signal} ${options.graceMs}`;
    const underWay = this.#stopping.get(key);
    if (underWay !== undefined) return underWay;
    const sent = this.#sendStop(options).finally(() => this.#stopping.delete(key));
    this.#stopping.set(key, sent);
    await sent;
  }

  async #sendStop(options: { signal: string; graceMs: number }): Promise<void> {
    const { delivered } = await this.#parts.runtime.stop(this.#ref, options);
    if (delivered) this.#apply({ kind: 'kill-delivered', attempt: this.#ref.attempt });
  }

  /** The state while this attempt is still the task's current one and holds something. */
  #state(): ActiveState | undefined {
    const task = this.#task();
    if (task === undefined || !('place' in task.state) || !('kill' in task.state)) return undefined;
    return task.state;
  }

  #task(): Task | undefined {
    const task = this.#parts.book.active(this.#ref.taskId);
    return task?.attempt === this.#ref.attempt ? task : undefined;
  }

  #apply(event: Parameters<TaskBook['apply']>[1]): void {
    this.#parts.book.apply(this.#ref.taskId, event);
  }

  async #drive(): Promise<void> {
    const { runtime, isNew, book } = this.#parts;
    const found = isNew ? undefined : await runtime.inspect(this.#ref);
    const task = this.#task();
    if (task === undefined || this.#state() === undefined) return;
    const isThere = found !== undefined && found.condition.kind !== 'created';
    if (!isThere && hasBegun(task)) {
      this.#apply({ kind: 'vanished', attempt: task.attempt, why: goneWords(runtime) });
      await book.flushed();
      return;
    }
    const begun = isThere ? found : await this.#start(found);
    if (begun === undefined) return;
    if (begun !== 'started') this.#reportBegin(begun);
    await book.flushed();
    await this.#followToTheEnd();
  }

  /**
   * Somebody saw the attempt in another condition than its task says. Looks again and tells the task;
   * what our own orders change meanwhile is theirs to tell.
   */
  async lookAgain(): Promise<void> {
    if (this.#isStarting) return;
    const before = this.#task();
    const observed = await this.#parts.runtime.inspect(this.#ref);
    if (before === undefined || this.#task() !== before || observed === undefined) return;
    if (observed.condition.kind === 'running' || observed.condition.kind === 'paused')
      this.#tell(eventsFor(before, observed));
  }

  /** Creates and starts. Undefined: it did not come to that, and the task says why. `started`: and the task knows. */
  async #start(found: ObservedAttempt | undefined): Promise<Begun> {
    this.#isStarting = true;
    try {
      return await this.#createAndStart(found);
    } catch (error) {
      if (this.#abort.signal.aborted) throw error;
      if (error instanceof KillRequested || this.#starting.signal.aborted)
        return await this.#undoStart();
      if (isOutOfReach(error) || !isAppError(error)) throw error;
      return await this.#failStart(error);
    } finally {
      this.#isStarting = false;
    }
  }

  async #createAndStart(found: ObservedAttempt | undefined): Promise<Begun> {
    const { runtime, isNew } = this.#parts;
    this.#checkWish();
    // A VPS that is there may have to be given other limits before it starts.
    const isMade = found !== undefined && this.#ref.vps === undefined;
    const imageDigest = isMade ? null : await this.#create();
    if (isMade || runtime.launch === undefined) {
      this.#checkWish();
      await runtime.start(this.#ref);
    }
    if (isNew) {
      // Nobody else could have started it, so it began now.
      const at = this.#parts.book.now();
      this.#apply({ kind: 'started', attempt: this.#ref.attempt, at, imageDigest });
      return 'started';
    }
    const started = await runtime.inspect(this.#ref);
    if (started === undefined) {
      this.#apply({ kind: 'start-failed', attempt: this.#ref.attempt, why: goneWords(runtime) });
    }
    return started;
  }

  /** Also starts it, where the runtime does both in one go. Returns the digest of the image, where it is one. */
  async #create(): Promise<string | null> {
    const { runtime, book } = this.#parts;
    const spec = this.#parts.spec();
    const onProgress = (phase: string) => book.setPhase(this.#ref.taskId, phase);
    const work = { signal: this.#starting.signal, onProgress };
    await this.#parts.bring?.(spec, work);
    const prepared = await runtime.prepare(spec, work);
    this.#checkWish();
    const task = this.#task();
    if (task !== undefined && prepared.imageDigest !== null)
      book.note(task, 'image-ready', prepared.imageDigest);
    await (runtime.launch?.(spec, prepared) ?? runtime.create(spec, prepared));
    return prepared.imageDigest;
  }

  /** A wish to kill wins over a start under way. */
  #checkWish(): void {
    if (this.#abort.signal.aborted) throw this.#abort.signal.reason as Error;
    const state = this.#state();
    if (state?.kill !== null) throw new KillRequested();
  }

  /** The error is the attempt's fault, unless it came too late and the attempt began all the same. */
  async #failStart(error: AppError): Promise<Begun> {
    const made = await this.#parts.runtime.inspect(this.#ref);
    if (made !== undefined && hasReallyBegun(made)) return made;
    const { attempt } = this.#ref;
    const why = error.message;
    if (error.code === 'docker/start-unknown') {
      // It may have begun: then it is one that was lost, which is tried again only where that is wanted.
      this.#apply({ kind: 'started', attempt, at: this.#parts.book.now(), imageDigest: null });
      this.#apply({ kind: 'vanished', attempt, why });
    } else this.#apply({ kind: 'start-failed', attempt, why });
    await this.#parts.book.flushed();
    return undefined;
  }

  /** The task is to be killed. What never began is given up; what has is followed, and stopped like any other. */
  async #undoStart(): Promise<Begun> {
    const { runtime, book } = this.#parts;
    const made = await runtime.inspect(this.#ref);
    if (made !== undefined && hasReallyBegun(made)) return made;
    const why = 'Killed before it started.';
    this.#apply({ kind: 'start-deferred', attempt: this.#ref.attempt, why });
    await book.flushed();
    return undefined;
  }

  #tell(events: readonly TaskEvent[]): void {
    for (const event of events) this.#apply(event);
  }

  /** Tells the task that it began, was found again, or was frozen or thawed meanwhile; not yet that it ended. */
  #reportBegin(observed: ObservedAttempt): void {
    const task = this.#task();
    if (task === undefined) return;
    const { condition } = observed;
    if (condition.kind !== 'ended') this.#tell(eventsFor(task, observed));
    else if (condition.startedAt !== null) {
      const events = eventsFor(task, observed);
      this.#tell(events.filter(({ kind }) => kind === 'started'));
    }
  }

  async #followToTheEnd(): Promise<void> {
    const { runtime, book } = this.#parts;
    const last = await this.#waitAndCollect();
    await Promise.allSettled(this.#stopping.values());
    const task = this.#task();
    if (task === undefined) return;
    const { attempt } = task;
    if (last === undefined) this.#apply({ kind: 'vanished', attempt, why: goneWords(runtime) });
    else if (last.condition.kind === 'ended')
      this.#tell(endEvents(task, { ...last.condition, imageDigest: last.imageDigest }));
    await book.flushed();
  }

  /** Follows until it has ended and its log is stored. When one part fails, the others are let go first: whoever drives this attempt next needs all that is open here. */
  async #waitAndCollect(): Promise<ObservedAttempt | undefined> {
    const { runtime, collectLog } = this.#parts;
    const failed = new AbortController();
    const signal = AbortSignal.any([this.#abort.signal, failed.signal]);
    const onFailure = (error: unknown): never => {
      failed.abort(error);
      throw error;
    };
    // A wish from before we came (a crash, a lost link) has to be acted on now.
    const wish = this.#state()?.kill ?? null;
    if (wish !== null) this.stop(wish).catch((error: unknown) => failed.abort(error));
    const [end, log] = await Promise.allSettled([
      runtime.waitForEnd(this.#ref, signal).catch(onFailure),
      collectLog(runtime, this.#ref, signal).catch(onFailure),
    ]);
    if (end.status === 'rejected') throw end.reason;
    if (log.status === 'rejected') throw log.reason;
    return end.value;
  }
}

/** Whether the task's newest attempt was seen running. */
function hasBegun({ state }: Task): boolean {
  return state.status !== 'ASSIGNING' && 'startedAt' in state && state.startedAt !== null;
}

/** Whether it ran, if only for a moment. */
function hasReallyBegun({ condition }: ObservedAttempt): boolean {
  return condition.kind !== 'created' && condition.startedAt !== null;
}

function goneWords(runtime: Runtime): string {
  return runtime.kind === 'docker'
    ? 'Its container is not on the node any more; somebody or something else removed it.'
    : 'Its process and its directory are not on the node any more.';
}

/** Not an error of anybody: unwinds a start whose task is to be killed. */
class KillRequested extends Error {
  constructor() {
    super('the task is to be killed');
    this.name = 'KillRequested';
  }
}

/** The reason of a drive that was told to let go; no error of anybody. */
export class AttemptAbandoned extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'AttemptAbandoned';
  }
}

export type DriverKey = `${TaskId}/${number}`;
export function driverKey(ref: AttemptRef): DriverKey {
  return `${ref.taskId}/${ref.attempt}`;
}
