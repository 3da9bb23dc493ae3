// Running attempts as plain processes: a directory for each on the node, a session of their own, and
// small scripts (resources/node/process-*.sh) that do one thing for many in one round trip. The files
// on the node are the truth; this class remembers nothing that matters.
import { RequestError } from '../../contract/errors.ts';
import type { CoreId } from '../../contract/ids.ts';
import { sleep, type Clock, type Timers } from '../../domain/clock.ts';
import { Emitter } from '../../domain/emitter.ts';
import type { NodeLink } from '../../link/node-link.ts';
import { silentLog, type RuntimeLog } from '../log.ts';
import { readNodeScript } from '../node-scripts.ts';
import type {
  AttemptRef,
  AttemptSpec,
  LogChunk,
  ObservedAttempt,
  Prepared,
  PrepareOptions,
  Runtime,
} from '../runtime.ts';
import { failure, notThere, ProcessCreationError } from './errors.ts';
import { followLog } from './follow-log.ts';
import { Gathered } from './gathered.ts';
import { LaunchedAttempts } from './launched.ts';
import { LogPosition } from './log-position.ts';
import { openLogs } from './log-file.ts';
import { LookAround } from './look-around.ts';
import { lookSoonMs, nextNotice, type NextNotice } from './next-notice.ts';
import { Orders } from './orders.ts';
import { parseRecords, toObserved, type NodeRecords } from './records.ts';
import { Signals } from './signals.ts';
import { TakeOver, wordOfConnection } from './take-over.ts';
import { Watcher } from './watcher.ts';

export interface ProcessRuntimeOptions {
  readonly link: NodeLink;
  readonly coreId: CoreId;
  /** /etc/machine-id, or another name of the machine: homes are often shared. */
  readonly machineId: string;
  /** systemd-run can be used here (NodeFacts.processLimits). */
  readonly limits: boolean;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log?: RuntimeLog;
  /** When many starts are given to a program of their own on the node. Default: from the first burst on. */
  readonly runner?: 'for-bursts' | 'always' | 'never';
}

/** The process runtime of one node. */
export interface ProcessRuntime extends Runtime {
  readonly kind: 'process';
  /** While live, logs arrive within 0.2 s; otherwise a quiet log may take 2 s. Live at first. */
  setLive(isLive: boolean): void;
}

/** Makes the runtime. Nothing happens on the node before the first call. */
export function createProcessRuntime(options: ProcessRuntimeOptions): ProcessRuntime {
  return new SessionRuntime(options);
}

const scriptTimeoutMs = 60_000;
/** Attempts on one node are hundreds at most; each takes about 300 bytes. */
const listBytes = 8 * 1024 * 1024;
/** Attempts that are looked at together, where each was asked for: those of a kill of many, say. */
const mostLooks = 256;
/** For ends nobody tells of: the script around the work was killed. */
const lookAgainMs = 15_000;
/** How long SIGKILL may take to show before it is sent again, and how often that is. */
const settleMs = 2000;
const killTries = 5;
/** A launch forks its work within milliseconds; on a busy node within seconds. */
const reachTries = 40;
const reachPauseMs = 100;

interface StopOptions {
  readonly signal: string;
  readonly graceMs: number;
}

class SessionRuntime implements ProcessRuntime {
  readonly kind = 'process';
  readonly #options: ProcessRuntimeOptions;
  readonly #link: NodeLink;
  readonly #watcher: Watcher;
  readonly #lookAround: LookAround;
  readonly #changed = new Emitter<undefined>();
  readonly #launched: LaunchedAttempts;
  readonly #orders: Orders;
  readonly #signals: Signals;
  /** By `TASK/ATTEMPT`. */
  readonly #looks: Gathered<string, ObservedAttempt | undefined>;
  readonly #takeOver: TakeOver;

  constructor(options: ProcessRuntimeOptions) {
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(options.machineId)) {
      throw new RequestError('input/invalid', `${options.machineId} is not the ID of a machine.`);
    }
    this.#options = options;
    this.#link = options.link;
    this.#launched = new LaunchedAttempts(options.coreId);
    const log = options.log ?? silentLog;
    const watcher = new Watcher({ ...options, log });
    this.#watcher = watcher;
    this.#lookAround = new LookAround({
      ...options,
      log,
      pauseMs: () => (watcher.isListening ? lookAgainMs : lookSoonMs),
      living: () => this.#living(),
    });
    const word = wordOfConnection(options.clock);
    this.#takeOver = new TakeOver({ ...options, word });
    this.#orders = new Orders({
      ...options,
      log,
      word,
      takeOver: this.#takeOver,
      onExit: (line) => watcher.hear(line),
      onLoss: () => watcher.mayHaveMissed(),
    });
    this.#signals = new Signals(options);
    this.#looks = new Gathered(options.timers, { pauseMs: null, most: mostLooks }, (paths) =>
      this.#lookAt(paths),
    );
    this.#watcher.onDidNotice((notice) => {
      if (notice.kind === 'growth') return;
      const now = options.clock.now();
      if (notice.kind === 'reset') this.#launched.reset();
      else this.#launched.hear(notice.path, notice.exit, { hasLog: notice.hasLog, now });
      this.#changed.emit(undefined);
    });
  }

  onDidChange(listener: () => void): Disposable {
    return this.#changed.event(listener);
  }

  setLive(isLive: boolean): void {
    this.#watcher.setLive(isLive);
  }

  async list(): Promise<readonly ObservedAttempt[]> {
    const node = await this.#look(['all']);
    const observed = node.attempts
      .filter((record) => !record.path.endsWith('.kept'))
      .map((record) => toObserved(record, node));
    return observed.filter((attempt) => attempt !== undefined);
  }

  async inspect(ref: AttemptRef): Promise<ObservedAttempt | undefined> {
    const known = this.#launched.end(pathOf(ref));
    if (known !== undefined) return known.observed;
    const observed = await this.#looks.ask(pathOf(ref));
    if (observed?.core !== this.#options.coreId) return undefined;
    if (observed.condition.kind === 'ended') this.#launched.found(pathOf(ref), observed);
    return observed;
  }

  prepare(_spec: AttemptSpec, options: PrepareOptions): Promise<Prepared> {
    options.signal.throwIfAborted();
    return Promise.resolve({ imageDigest: null, imageId: null });
  }

  async create(spec: AttemptSpec): Promise<void> {
    const answer = await this.#orders.create(spec);
    if (answer !== 'created' && answer !== 'exists') throw failure(answer, spec);
  }

  async start(ref: AttemptRef): Promise<void> {
    // Its end should not be missed; it comes up beside the start.
    this.#watcher.ensure();
    const answer = await this.#orders.start(ref);
    if (answer !== 'started' && answer !== 'already') throw failure(answer, ref);
  }

  /** On the node this is `create` and then `start`: broken off at any point it is found as one of the two. */
  async launch(spec: AttemptSpec): Promise<void> {
    this.#watcher.ensure();
    const { root } = this.#orders;
    const path = pathOf(spec);
    if (root !== undefined && this.#watcher.isListening)
      this.#launched.begin(path, spec, { root, at: this.#options.clock.now() });
    let answer: string | undefined;
    try {
      answer = await this.#orders.launch(spec);
    } finally {
      if (answer !== 'started') this.#launched.forget(path);
    }
    if (answer !== 'started' && answer !== 'already') throw failure(answer, spec);
  }

  async stop(ref: AttemptRef, options: StopOptions): Promise<{ delivered: boolean }> {
    const signal = signalName(options.signal);
    if (!(await this.#reach(ref, signal))) return { delivered: false };
    if (signal !== 'KILL' && (await this.#endsWithin(ref, options.graceMs))) {
      return { delivered: true };
    }
    // Again and again, since processes may be born while others are signalled.
    for (let tries = 0; tries < killTries; tries += 1) {
      await this.#signals.send(ref, { signal: 'KILL', whom: 'work', rounds: 20 });
      if (await this.#endsWithin(ref, settleMs)) break;
    }
    return { delivered: true };
  }

  /**
   * Signals the work. It may be between its launch and its first process: then nothing is reached
   * although nothing has ended, and it is tried again. False: it has ended.
   */
  async #reach(ref: AttemptRef, signal: string): Promise<boolean> {
    for (let tries = 0; tries < reachTries; tries += 1) {
      if ((await this.#signals.send(ref, { signal, whom: 'work', rounds: 1 })) > 0) return true;
      if (isOver(await this.inspect(ref))) return false;
      await sleep(this.#options.timers, reachPauseMs);
    }
    // It never got so far as to run the work: end it whole.
    return (await this.#signals.send(ref, { signal: 'KILL', whom: 'all', rounds: 20 })) > 0;
  }

  async pause(ref: AttemptRef): Promise<void> {
    await this.#freezeOrThaw(ref, 'STOP');
  }

  async resume(ref: AttemptRef): Promise<void> {
    await this.#freezeOrThaw(ref, 'CONT');
  }

  async #freezeOrThaw(ref: AttemptRef, signal: 'STOP' | 'CONT'): Promise<void> {
    const reached = await this.#signals.send(ref, { signal, whom: 'all', rounds: 2 });
    if (reached === 0) throw notThere(ref, 'does not run');
  }

  waitForEnd(ref: AttemptRef, signal: AbortSignal): Promise<ObservedAttempt | undefined> {
    return this.#waitForEnd(ref, signal, null);
  }

  async #waitForEnd(
    ref: AttemptRef,
    signal: AbortSignal,
    pollMs: number | null,
  ): Promise<ObservedAttempt | undefined> {
    this.#watcher.ensure();
    let pauseMs = pollMs;
    // What was launched here and is not heard of since runs: the first look can be spared.
    for (let mustLook = this.#launched.running(pathOf(ref)) === undefined; ; mustLook = true) {
      using next = this.#nextNotice(ref, { signal, pollMs: pauseMs, withGrowth: false });
      const observed = mustLook ? await this.inspect(ref) : this.#launched.running(pathOf(ref));
      signal.throwIfAborted();
      if (mustLook && isOver(observed)) return observed;
      await next.take();
      // What is told need not be looked for often.
      if (pauseMs !== null && this.#watcher.isListening) pauseMs *= 2;
    }
  }

  async #endsWithin(ref: AttemptRef, ms: number): Promise<boolean> {
    const { timers } = this.#options;
    const limit = new AbortController();
    const timeout = timers.after(ms, () => {
      limit.abort();
    });
    try {
      await this.#waitForEnd(ref, limit.signal, lookSoonMs);
      return true;
    } catch (error) {
      if (limit.signal.aborted) return false;
      throw error;
    } finally {
      timeout[Symbol.dispose]();
    }
  }

  async *logs(
    ref: AttemptRef,
    cursor: string | null,
    signal: AbortSignal,
  ): AsyncGenerator<LogChunk, void, undefined> {
    this.#watcher.ensure();
    const path = pathOf(ref);
    const position = LogPosition.parse(cursor);
    const launched = this.#launched.running(path);
    const found = launched ?? (await this.#found(ref));
    const hasEnded = isOver(found);
    using _follow = hasEnded ? undefined : this.#watcher.follow(path);
    const followed = {
      hasEnded,
      mayBeSilent: launched !== undefined,
      next: () => this.#nextNotice(ref, { signal, pollMs: null, withGrowth: true }),
      hasEndedNow: async () => isOver(await this.inspect(ref)),
      endedSilently: () => this.#launched.end(path)?.isSilent === true,
      open: () => openLogs(this.#link, found.name),
    };
    for await (const chunk of followLog(followed, position, signal)) {
      const timeNs = BigInt(Math.floor(this.#options.clock.now())) * 1_000_000n;
      yield { ...chunk, timeNs, cursor: position.toString() };
    }
  }

  async letGoOfLog(ref: AttemptRef, cursor: string): Promise<void> {
    const { stdout, stderr } = LogPosition.parse(cursor);
    const words = [cursor, String(stdout), String(stderr)];
    const answer = await this.#script('process-let-go.sh', ref, words);
    if (answer !== 'done' && answer !== 'missing') throw failure(answer, ref);
  }

  async remove(ref: AttemptRef, options: { keep: boolean }): Promise<void> {
    this.#launched.forget(pathOf(ref));
    const answer = await this.#orders.remove(ref, options.keep ? 'keep' : 'drop');
    if (answer === 'removed') return;
    if (answer === 'running') {
      throw new ProcessCreationError(
        `Task ${ref.taskId} still runs: it has to end before it is removed.`,
      );
    }
    throw failure(answer, ref);
  }

  async close(): Promise<void> {
    await Promise.all([this.#watcher.close(), this.#orders.close()]);
  }

  #nextNotice(
    ref: AttemptRef,
    options: { signal: AbortSignal; pollMs: number | null; withGrowth: boolean },
  ): NextNotice {
    const { timers } = this.#options;
    const [watcher, lookAround, path] = [this.#watcher, this.#lookAround, pathOf(ref)];
    return nextNotice({ watcher, lookAround, link: this.#link, timers, path, ...options });
  }

  async #found(ref: AttemptRef): Promise<ObservedAttempt> {
    const observed = await this.inspect(ref);
    if (observed === undefined) throw notThere(ref, 'is not on the node');
    return observed;
  }

  async #living(): Promise<ReadonlySet<string>> {
    const living = (await this.list()).filter((seen) => !isOver(seen));
    return new Set(living.map(({ taskId, attempt }) => `${taskId ?? ''}/${String(attempt)}`));
  }

  async #lookAt(paths: readonly string[]): Promise<(path: string) => ObservedAttempt | undefined> {
    const node = await this.#look([...new Set(paths)]);
    const found = new Map(
      node.attempts.map((record) => [record.path.replace('.kept', ''), toObserved(record, node)]),
    );
    return (path) => found.get(path);
  }

  async #look(what: readonly string[]): Promise<NodeRecords> {
    await this.#takeOver.ensure();
    const result = await this.#link.runScript(
      readNodeScript('process-list.sh'),
      [this.#options.machineId, ...what],
      { timeoutMs: scriptTimeoutMs, maxOutputBytes: listBytes },
    );
    const records = result.isTruncated
      ? undefined
      : parseRecords(result.stdout.toString(), this.#options.clock.now());
    if (records !== undefined) return records;
    throw new ProcessCreationError(
      'The node did not say which processes it has. Its home directory or /proc may be broken.',
      { retry: 'later', details: { stderr: result.stderr.toString().slice(0, 300) } },
    );
  }

  /** Runs one of our scripts for an attempt and returns the first line it printed. */
  async #script(name: `${string}.sh`, ref: AttemptRef, words: readonly string[]): Promise<string> {
    const { machineId, coreId } = this.#options;
    const args = [machineId, coreId, ref.taskId, String(ref.attempt), ...words];
    const result = await this.#link.runScript(readNodeScript(name), args, {
      timeoutMs: scriptTimeoutMs,
    });
    const [answer = ''] = result.stdout.toString().split('\n');
    return answer === '' ? `failed ${result.stderr.toString().slice(0, 300)}` : answer;
  }
}

function isOver(observed: ObservedAttempt | undefined): boolean {
  return observed === undefined || observed.condition.kind === 'ended';
}

function pathOf(ref: AttemptRef): string {
  return `${ref.taskId}/${String(ref.attempt)}`;
}

function signalName(signal: string): string {
  const match = /^(?:SIG)?([A-Z][A-Z0-9]{1,9})$/.exec(signal);
  if (match?.[1] !== undefined) return match[1];
  throw new RequestError('input/invalid', `${signal} is not the name of a signal such as SIGTERM.`);
}
