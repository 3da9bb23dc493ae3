// Brings one attempt from ASSIGNING to its end: prepare, create, start, collect the log, report the
// end. It looks before it acts, so it can be started at any point of an attempt's life: after a
// crash, after a lost link, in the middle of a start. It stops without a verdict when the node is
// out of reach; somebody starts it again when the node is back.
import { isAppError, type AppError } from '../../contract/errors.ts';
import type { TaskId } from '../../contract/ids.ts';
import type { Active, Task, TaskState } from '../../domain/task.ts';
import type { AttemptRef, AttemptSpec, ObservedAttempt, Runtime } from '../../runtimes/runtime.ts';
import type { TaskBook } from '../tasks/task-book.ts';

export interface AttemptParts {
  readonly book: TaskBook;
  readonly runtime: Runtime;
  readonly spec: () => AttemptSpec;
  /** Copies the attempt's log until it is complete and safely stored. */
  readonly collectLog: (runtime: Runtime, ref: AttemptRef, signal: AbortSignal) => Promise<void>;
}

type ActiveState = Extract<TaskState, Active>;

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
  /** A stop that was sent and whose outcome decides how the end is read. */
  #stopping: Promise<void> | undefined;
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
   * when that is done; the end itself is reported by the drive.
   */
  async stop(options: { signal: string; graceMs: number }): Promise<void> {
    if (this.#state() === undefined) return;
    if (this.#isStarting) {
      this.#starting.abort(new KillRequested());
      return;
    }
    const earlier = this.#stopping ?? Promise.resolve();
    const sent = this.#sendStop(options);
    this.#stopping = Promise.all([earlier, sent.catch(() => undefined)]).then(() => undefined);
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
    const { runtime } = this.#parts;
    const found = await runtime.inspect(this.#ref);
    const state = this.#state();
    if (state === undefined) return;
    const hasRun =
      state.status !== 'ASSIGNING' && !(state.status === 'LOST' && state.startedAt === null);
    if (found === undefined && hasRun) {
      this.#apply({ kind: 'vanished', attempt: this.#ref.attempt, why: goneWords(runtime) });
      return;
    }
    const begun =
      found === undefined || found.condition.kind === 'created' ? await this.#start(found) : found;
    if (begun === undefined) return;
    this.#reportCondition(begun);
    await this.#parts.book.flushed();
    await this.#followToTheEnd(begun);
  }

  /** Creates and starts. Undefined: it did not come to that, and the task says why. */
  async #start(found: ObservedAttempt | undefined): Promise<ObservedAttempt | undefined> {
    this.#isStarting = true;
    try {
      return await this.#createAndStart(found);
    } catch (error) {
      if (this.#abort.signal.aborted) throw error;
      if (error instanceof KillRequested || this.#starting.signal.aborted) {
        await this.#undoStart();
        return undefined;
      }
      if (isOutOfReach(error) || !isAppError(error)) throw error;
      await this.#failStart(error);
      return undefined;
    } finally {
      this.#isStarting = false;
    }
  }

  async #createAndStart(found: ObservedAttempt | undefined): Promise<ObservedAttempt | undefined> {
    const { runtime, book } = this.#parts;
    const spec = this.#parts.spec();
    const signal = this.#starting.signal;
    this.#checkWish();
    if (found === undefined) {
      const onProgress = (phase: string) => book.setPhase(this.#ref.taskId, phase);
      const prepared = await runtime.prepare(spec, { signal, onProgress });
      this.#checkWish();
      const task = this.#task();
      if (task !== undefined && prepared.imageDigest !== null)
        book.note(task, 'image-ready', prepared.imageDigest);
      await runtime.create(spec, prepared);
      this.#checkWish();
    }
    await runtime.start(this.#ref);
    const started = await runtime.inspect(this.#ref);
    if (started === undefined) {
      this.#apply({ kind: 'start-failed', attempt: this.#ref.attempt, why: goneWords(runtime) });
    }
    return started;
  }

  /** A wish to kill wins over a start under way. */
  #checkWish(): void {
    if (this.#abort.signal.aborted) throw this.#abort.signal.reason as Error;
    const state = this.#state();
    if (state?.kill !== null) throw new KillRequested();
  }

  async #failStart(error: AppError): Promise<void> {
    const { runtime } = this.#parts;
    const made = await runtime.inspect(this.#ref);
    if (made !== undefined) await runtime.remove(this.#ref, { keep: false });
    this.#apply({ kind: 'start-failed', attempt: this.#ref.attempt, why: error.message });
    await this.#parts.book.flushed();
  }

  /** The task is to be killed: whatever was made so far goes, and so does what ran for a moment. */
  async #undoStart(): Promise<void> {
    const { runtime, book } = this.#parts;
    const made = await runtime.inspect(this.#ref);
    if (
      made !== undefined &&
      made.condition.kind !== 'created' &&
      made.condition.kind !== 'ended'
    ) {
      await runtime.stop(this.#ref, { signal: 'SIGKILL', graceMs: 0 });
      this.#apply({ kind: 'kill-delivered', attempt: this.#ref.attempt });
    }
    if (made !== undefined) await runtime.remove(this.#ref, { keep: false });
    this.#apply({
      kind: 'start-deferred',
      attempt: this.#ref.attempt,
      why: 'Killed before it started.',
    });
    await book.flushed();
  }

  /** Tells the task what was found, in the words its state needs. */
  #reportCondition(observed: ObservedAttempt): void {
    const state = this.#state();
    if (state === undefined) return;
    const attempt = this.#ref.attempt;
    const { condition } = observed;
    const startedAt = condition.kind === 'created' ? null : condition.startedAt;
    if (state.status === 'ASSIGNING') {
      this.#apply({
        kind: 'started',
        attempt,
        at: startedAt ?? state.since,
        imageDigest: observed.imageDigest,
      });
    } else if (condition.kind === 'running' || condition.kind === 'paused') {
      const before =
        state.status === 'LOST' ? 'lost' : condition.kind === 'paused' ? 'PAUSED' : 'RUNNING';
      if (state.status === 'LOST') {
        this.#apply({
          kind: 'found',
          attempt,
          condition: condition.kind,
          startedAt: condition.startedAt,
        });
      } else if (state.status !== before) {
        // Somebody paused or resumed it on the node itself.
        this.#apply({
          kind: condition.kind === 'paused' ? 'paused' : 'resumed',
          attempt,
          by: 'node',
        });
      }
    }
  }

  async #followToTheEnd(begun: ObservedAttempt): Promise<void> {
    const { runtime, book } = this.#parts;
    const signal = this.#abort.signal;
    const wish = this.#state()?.kill ?? null;
    const isOver = begun.condition.kind === 'ended';
    const [last] = await Promise.all([
      runtime.waitForEnd(this.#ref, signal),
      this.#parts.collectLog(runtime, this.#ref, signal),
      // A wish from before we came (a crash, a lost link) has to be acted on now.
      wish === null || isOver ? undefined : this.stop(wish),
    ]);
    await this.#stopping;
    const attempt = this.#ref.attempt;
    if (last === undefined) {
      this.#apply({ kind: 'vanished', attempt, why: goneWords(runtime) });
    } else if (last.condition.kind === 'ended') {
      const { end, problem } = last.condition;
      this.#apply({ kind: 'ended', attempt, end, why: problem });
    }
    await book.flushed();
  }
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

export type DriverKey = `${TaskId}/${number}`;
export function driverKey(ref: AttemptRef): DriverKey {
  return `${ref.taskId}/${ref.attempt}`;
}
