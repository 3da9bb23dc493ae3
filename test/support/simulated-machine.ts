// A machine that exists only in memory and in virtual time: it runs attempts, survives links and
// cores, and remembers what really happened. What it runs is told by the argument vector:
// ['sim', 'seconds=3', 'exit=1', 'print=hello', 'ticks=4', 'oom', 'ignore-term'].
import type { CoreId } from '../../src-main/contract/ids.ts';
import type { Clock, Timers } from '../../src-main/domain/clock.ts';
import { Emitter } from '../../src-main/domain/emitter.ts';
import type { AttemptEnd } from '../../src-main/domain/task.ts';
import type { AttemptRef, AttemptSpec, ObservedAttempt } from '../../src-main/runtimes/runtime.ts';

export interface SimulatedWork {
  readonly ref: AttemptRef;
  readonly core: CoreId;
  readonly spec: AttemptSpec;
  condition: ObservedAttempt['condition'];
  readonly output: { stream: 'stdout' | 'stderr'; bytes: Uint8Array; timeNs: bigint }[];
  readonly ended: PromiseWithResolvers<undefined>;
  readonly timers: Disposable[];
  /** Ends as told when it has run this long; set anew by a pause. */
  remainingMs: number;
  resumedAt: number;
  isKept: boolean;
  /** Somebody else removed it. */
  isVanished: boolean;
}

export interface Script {
  readonly ms: number;
  readonly end: AttemptEnd;
  readonly prints: readonly string[];
  /** Lines printed one after the other while it runs, every other one to stderr. */
  readonly ticks: number;
  readonly ignoresTerm: boolean;
}

export function scriptOf(spec: AttemptSpec): Script {
  const words = spec.work.kind === 'command' ? spec.work.argv.slice(1) : [];
  const value = (key: string) =>
    words.find((word) => word.startsWith(`${key}=`))?.slice(key.length + 1);
  const oomKilled = words.includes('oom');
  const exitCode = oomKilled ? 137 : Number(value('exit') ?? 0);
  return {
    ms: Number(value('seconds') ?? 1) * 1000,
    end: { exitCode, signal: oomKilled ? 'SIGKILL' : null, oomKilled },
    prints: words.filter((word) => word.startsWith('print=')).map((word) => word.slice(6)),
    ticks: Number(value('ticks') ?? 0),
    ignoresTerm: words.includes('ignore-term'),
  };
}

/** An order on its way to a machine. */
export interface Order {
  readonly name: string;
  readonly ref: AttemptRef | null;
  /** Asked before it takes effect, and after it did and before the core hears of it. */
  readonly when: 'before' | 'after';
}

/**
 * What happens to an order: it arrives; the link says it is lost; nothing is heard until the link
 * drops; it arrives twice; it (or its answer) takes a while. One that is late when its link drops
 * takes effect at that moment or never: no order outlives the link it was sent over.
 */
export type Fault = 'lost' | 'hang' | 'twice' | Late | undefined;

export interface Late {
  readonly lateMs: number;
  readonly whenLost: 'done' | 'dropped';
}

export interface SimulatedTime extends Clock, Timers {}

export function keyOf(ref: AttemptRef): string {
  return `${ref.taskId}/${ref.attempt}`;
}

/** One machine: survives links and cores; `reboot` ends what ran. */
export class SimulatedMachine {
  readonly works = new Map<string, SimulatedWork>();
  /** Everything that was ever created here, also what was removed since. */
  readonly history = new Map<string, SimulatedWork>();
  /** How often each attempt was really started. */
  readonly starts = new Map<string, number>();
  /** What must never happen and did. */
  readonly violations: string[] = [];
  readonly time: SimulatedTime;
  isReachable = true;
  /** Asked before and after each order; the default never interferes. */
  fault: (order: Order) => Fault = () => undefined;
  /** Thrown by `prepare`, `create` or `start` of a work, as a runtime would. */
  refuse: (order: string, spec: AttemptSpec) => Error | undefined = () => undefined;
  /** Told when an attempt really begins. */
  onStart: (work: SimulatedWork) => void = () => undefined;
  readonly changed = new Emitter<void>();

  constructor(time: SimulatedTime) {
    this.time = time;
  }

  create(spec: AttemptSpec, core: CoreId): SimulatedWork {
    const ref = { taskId: spec.taskId, attempt: spec.attempt };
    const key = keyOf(ref);
    // What somebody took away before the core heard that it began looks as if it had never been.
    if (this.history.get(key)?.isVanished === false)
      this.violations.push(`${key} was created again`);
    const work: SimulatedWork = {
      ref,
      core,
      spec,
      condition: { kind: 'created' },
      output: [],
      ended: Promise.withResolvers<undefined>(),
      timers: [],
      remainingMs: scriptOf(spec).ms,
      resumedAt: 0,
      isKept: false,
      isVanished: false,
    };
    this.works.set(key, work);
    this.history.set(key, work);
    return work;
  }

  start(work: SimulatedWork): void {
    const key = keyOf(work.ref);
    this.starts.set(key, (this.starts.get(key) ?? 0) + 1);
    this.#checkGpus(work);
    this.onStart(work);
    work.condition = { kind: 'running', startedAt: this.time.now() };
    for (const text of scriptOf(work.spec).prints) this.print(work, text);
    this.#run(work);
  }

  /** A GPU of a machine is given to one at a time, whatever anybody's books say. */
  #checkGpus(work: SimulatedWork): void {
    const mine = new Set(work.spec.gpus.map((gpu) => gpu.uuid));
    for (const other of this.works.values()) {
      if (!isAlive(other)) continue;
      const shared = other.spec.gpus.find((gpu) => mine.has(gpu.uuid));
      if (shared === undefined) continue;
      this.violations.push(`${keyOf(work.ref)} got ${shared.uuid} of ${keyOf(other.ref)}`);
    }
  }

  #run(work: SimulatedWork): void {
    const script = scriptOf(work.spec);
    work.resumedAt = this.time.monotonic();
    const ranMs = script.ms - work.remainingMs;
    for (let tick = 0; tick < script.ticks; tick += 1) {
      const at = Math.floor((script.ms * tick) / script.ticks);
      if (at < ranMs) continue;
      const stream = tick % 2 === 0 ? 'stdout' : 'stderr';
      const text = `tick ${String(tick)} of ${keyOf(work.ref)}`;
      work.timers.push(this.time.after(at - ranMs, () => this.print(work, text, stream)));
    }
    work.timers.push(this.time.after(work.remainingMs, () => this.finish(work, script.end, null)));
  }

  #stopTimers(work: SimulatedWork): void {
    for (const timer of work.timers.splice(0)) timer[Symbol.dispose]();
  }

  print(work: SimulatedWork, text: string, stream: 'stdout' | 'stderr' = 'stdout'): void {
    const timeNs = BigInt(Math.floor(this.time.now())) * 1_000_000n;
    work.output.push({ stream, bytes: Buffer.from(`${text}\n`), timeNs });
    this.changed.emit();
  }

  pause(work: SimulatedWork): void {
    if (work.condition.kind !== 'running') return;
    work.condition = { kind: 'paused', startedAt: work.condition.startedAt };
    this.#stopTimers(work);
    work.remainingMs -= this.time.monotonic() - work.resumedAt;
  }

  resume(work: SimulatedWork): void {
    if (work.condition.kind !== 'paused') return;
    work.condition = { kind: 'running', startedAt: work.condition.startedAt };
    this.#run(work);
  }

  /** Sends a signal; false when nothing runs. */
  signal(work: SimulatedWork, signal: string): boolean {
    if (!isAlive(work)) return false;
    if (signal !== 'SIGKILL' && scriptOf(work.spec).ignoresTerm) return true;
    this.finish(work, { exitCode: null, signal, oomKilled: false }, null);
    return true;
  }

  finish(work: SimulatedWork, end: AttemptEnd, problem: string | null): void {
    const { condition } = work;
    if (condition.kind !== 'running' && condition.kind !== 'paused') return;
    this.#stopTimers(work);
    const { startedAt } = condition;
    work.condition = { kind: 'ended', end, startedAt, finishedAt: this.time.now(), problem };
    work.ended.resolve(undefined);
    this.changed.emit();
  }

  remove(work: SimulatedWork, options: { keep: boolean }): void {
    const key = keyOf(work.ref);
    if (isAlive(work)) this.violations.push(`${key} was removed while it ran`);
    if (options.keep) work.isKept = true;
    else this.works.delete(key);
  }

  /** Everything that ran is gone without an exit code. */
  reboot(): void {
    for (const work of this.works.values()) this.lose(work);
  }

  /** It ends with its machine: how it would have ended nobody knows. */
  lose(work: SimulatedWork): void {
    const end = { exitCode: null, signal: null, oomKilled: false, lostWithNode: true } as const;
    this.finish(work, end, 'Lost with its node, which was restarted while it ran.');
  }

  /** Somebody else removed it, with everything that is known of it. */
  vanish(work: SimulatedWork): void {
    const end = { exitCode: null, signal: 'SIGKILL', oomKilled: false };
    this.works.delete(keyOf(work.ref));
    work.isVanished = true;
    this.finish(work, end, null);
    work.ended.resolve(undefined);
  }
}

export function isAlive(work: SimulatedWork): boolean {
  return work.condition.kind === 'running' || work.condition.kind === 'paused';
}
