// Nodes that exist only in memory, for running the whole task side of a core in virtual time or at
// sizes no test machine has. What they run is told by the argument vector:
// ['sim', 'seconds=3', 'exit=1', 'print=hello', 'oom', 'ignore-term'].
import type { CoreId, NodeId } from '../../src-main/contract/ids.ts';
import type { RuntimeKind } from '../../src-main/contract/task.ts';
import type { Clock, Timers } from '../../src-main/domain/clock.ts';
import { Emitter } from '../../src-main/domain/emitter.ts';
import type { PlannerNode } from '../../src-main/domain/planner/model.ts';
import type { AttemptEnd } from '../../src-main/domain/task.ts';
import { LinkError } from '../../src-main/link/errors.ts';
import type {
  AttemptRef,
  AttemptSpec,
  LogChunk,
  ObservedAttempt,
  Prepared,
  PrepareOptions,
  Runtime,
} from '../../src-main/runtimes/runtime.ts';
import type { Fleet, FleetNode } from '../../src-main/services/fleet.ts';

interface SimulatedWork {
  readonly ref: AttemptRef;
  readonly core: CoreId;
  readonly spec: AttemptSpec;
  condition: ObservedAttempt['condition'];
  readonly output: { stream: 'stdout' | 'stderr'; bytes: Uint8Array; timeNs: bigint }[];
  readonly ended: PromiseWithResolvers<undefined>;
  timer: Disposable | undefined;
}

interface Script {
  readonly ms: number;
  readonly end: AttemptEnd;
  readonly prints: readonly string[];
  readonly ignoresTerm: boolean;
}

function scriptOf(spec: AttemptSpec): Script {
  const words = spec.work.kind === 'command' ? spec.work.argv.slice(1) : [];
  const value = (key: string) =>
    words.find((word) => word.startsWith(`${key}=`))?.slice(key.length + 1);
  const oomKilled = words.includes('oom');
  const exitCode = oomKilled ? 137 : Number(value('exit') ?? 0);
  return {
    ms: Number(value('seconds') ?? 1) * 1000,
    end: { exitCode, signal: oomKilled ? 'SIGKILL' : null, oomKilled },
    prints: words.filter((word) => word.startsWith('print=')).map((word) => word.slice(6)),
    ignoresTerm: words.includes('ignore-term'),
  };
}

/** What happens to one order on its way: done or not, and heard of or not. */
export type Fault = 'before' | 'after' | undefined;

export interface SimulatedTime extends Clock, Timers {}

/** One machine: survives links and cores; `reboot` ends what ran. */
export class SimulatedMachine {
  readonly works = new Map<string, SimulatedWork>();
  /** How often each attempt was really started. */
  readonly starts = new Map<string, number>();
  readonly time: SimulatedTime;
  isReachable = true;
  /** Asked before and after each order; the default never interferes. */
  fault: (order: string) => Fault = () => undefined;
  readonly changed = new Emitter<void>();

  constructor(time: SimulatedTime) {
    this.time = time;
  }

  /** Everything that ran is gone without an exit code. */
  reboot(): void {
    for (const work of this.works.values()) {
      if (work.condition.kind === 'running' || work.condition.kind === 'paused') {
        this.#finish(
          work,
          { exitCode: 137, signal: 'SIGKILL', oomKilled: false },
          'the node rebooted',
        );
      }
    }
  }

  start(work: SimulatedWork): void {
    const key = keyOf(work.ref);
    this.starts.set(key, (this.starts.get(key) ?? 0) + 1);
    const script = scriptOf(work.spec);
    work.condition = { kind: 'running', startedAt: this.time.now() };
    for (const text of script.prints) this.print(work, text);
    work.timer = this.time.after(script.ms, () => this.#finish(work, script.end, null));
  }

  print(work: SimulatedWork, text: string): void {
    work.output.push({
      stream: 'stdout',
      bytes: Buffer.from(`${text}\n`),
      timeNs: BigInt(this.time.now()) * 1_000_000n,
    });
    this.changed.emit();
  }

  signal(work: SimulatedWork, options: { signal: string; graceMs: number }): boolean {
    if (work.condition.kind !== 'running' && work.condition.kind !== 'paused') return false;
    const end = { exitCode: null, signal: 'SIGKILL', oomKilled: false };
    if (options.signal === 'SIGKILL') this.#finish(work, end, null);
    else if (!scriptOf(work.spec).ignoresTerm)
      this.#finish(work, { ...end, signal: options.signal }, null);
    else this.time.after(options.graceMs, () => this.#finish(work, end, null));
    return true;
  }

  #finish(work: SimulatedWork, end: AttemptEnd, problem: string | null): void {
    const { condition } = work;
    if (condition.kind !== 'running' && condition.kind !== 'paused') return;
    work.timer?.[Symbol.dispose]();
    work.condition = {
      kind: 'ended',
      end,
      startedAt: condition.startedAt,
      finishedAt: this.time.now(),
      problem,
    };
    work.ended.resolve(undefined);
    this.changed.emit();
  }
}

function keyOf(ref: AttemptRef): string {
  return `${ref.taskId}/${ref.attempt}`;
}

/** A runtime on a simulated machine, for one core over one life of its link. */
export class SimulatedRuntime implements Runtime {
  readonly kind: RuntimeKind;
  readonly #machine: SimulatedMachine;
  readonly #core: CoreId;
  readonly #lost = new AbortController();

  constructor(machine: SimulatedMachine, core: CoreId, kind: RuntimeKind = 'process') {
    this.#machine = machine;
    this.#core = core;
    this.kind = kind;
  }

  /** The link drops: everything pending fails. */
  lose(): void {
    this.#lost.abort(linkLost());
  }

  async #order<T>(name: string, effect: () => T): Promise<T> {
    const fault = this.#machine.fault(name);
    await Promise.resolve();
    if (this.#lost.signal.aborted || !this.#machine.isReachable || fault === 'before')
      throw linkLost();
    const result = effect();
    await Promise.resolve();
    if (fault === 'after') throw linkLost();
    return result;
  }

  #mine(ref: AttemptRef): SimulatedWork | undefined {
    const work = this.#machine.works.get(keyOf(ref));
    return work?.core === this.#core ? work : undefined;
  }

  list(): Promise<readonly ObservedAttempt[]> {
    return this.#order('list', () =>
      [...this.#machine.works.values()].map((work) => this.#observe(work)),
    );
  }

  inspect(ref: AttemptRef): Promise<ObservedAttempt | undefined> {
    return this.#order('inspect', () => {
      const work = this.#mine(ref);
      return work === undefined ? undefined : this.#observe(work);
    });
  }

  prepare(_spec: AttemptSpec, { signal }: PrepareOptions): Promise<Prepared> {
    return this.#order('prepare', () => {
      signal.throwIfAborted();
      return { imageDigest: null, imageId: null };
    });
  }

  create(spec: AttemptSpec): Promise<void> {
    return this.#order('create', () => {
      const key = keyOf(spec);
      if (this.#machine.works.has(key)) return;
      const ended = Promise.withResolvers<undefined>();
      const ref = { taskId: spec.taskId, attempt: spec.attempt };
      this.#machine.works.set(key, {
        ref,
        core: this.#core,
        spec,
        condition: { kind: 'created' },
        output: [],
        ended,
        timer: undefined,
      });
    });
  }

  start(ref: AttemptRef): Promise<void> {
    return this.#order('start', () => {
      const work = this.#mine(ref);
      if (work?.condition.kind === 'created') this.#machine.start(work);
    });
  }

  stop(
    ref: AttemptRef,
    options: { signal: string; graceMs: number },
  ): Promise<{ delivered: boolean }> {
    return this.#order('stop', () => {
      const work = this.#mine(ref);
      return { delivered: work !== undefined && this.#machine.signal(work, options) };
    });
  }

  pause(ref: AttemptRef): Promise<void> {
    return this.#order('pause', () => {
      const work = this.#mine(ref);
      if (work?.condition.kind === 'running')
        work.condition = { kind: 'paused', startedAt: work.condition.startedAt };
    });
  }

  resume(ref: AttemptRef): Promise<void> {
    return this.#order('resume', () => {
      const work = this.#mine(ref);
      if (work?.condition.kind === 'paused')
        work.condition = { kind: 'running', startedAt: work.condition.startedAt };
    });
  }

  async waitForEnd(ref: AttemptRef, signal: AbortSignal): Promise<ObservedAttempt | undefined> {
    const work = await this.#order('wait', () => this.#mine(ref));
    if (work === undefined) return undefined;
    await this.#unlessLost(work.ended.promise, signal);
    return this.#order('inspect', () => this.#observe(work));
  }

  async *logs(
    ref: AttemptRef,
    cursor: string | null,
    signal: AbortSignal,
  ): AsyncGenerator<LogChunk> {
    const work = await this.#order('logs', () => this.#mine(ref));
    if (work === undefined) return;
    let index = cursor === null ? 0 : Number(cursor);
    for (;;) {
      const next = work.output[index];
      if (next !== undefined) {
        index += 1;
        yield { ...next, cursor: String(index) };
        continue;
      }
      if (work.condition.kind === 'ended') return;
      const news = Promise.withResolvers<undefined>();
      using _listening = this.#machine.changed.event(() => news.resolve(undefined));
      await this.#unlessLost(Promise.race([news.promise, work.ended.promise]), signal);
    }
  }

  remove(ref: AttemptRef): Promise<void> {
    return this.#order('remove', () => {
      if (this.#mine(ref) !== undefined) this.#machine.works.delete(keyOf(ref));
    });
  }

  onDidChange(listener: () => void): Disposable {
    return this.#machine.changed.event(listener);
  }

  close(): Promise<void> {
    this.lose();
    return Promise.resolve();
  }

  #unlessLost<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
    const both = AbortSignal.any([signal, this.#lost.signal]);
    return new Promise((resolve, reject) => {
      const onAbort = () => reject(both.reason as Error);
      if (both.aborted) onAbort();
      both.addEventListener('abort', onAbort, { once: true });
      promise.then(resolve, reject).finally(() => both.removeEventListener('abort', onAbort));
    });
  }

  #observe(work: SimulatedWork): ObservedAttempt {
    return {
      core: work.core,
      taskId: work.ref.taskId,
      attempt: work.ref.attempt,
      runtime: this.kind,
      name: keyOf(work.ref),
      condition: work.condition,
      uses: {
        cores: work.spec.cores,
        memoryBytes: work.spec.memoryBytes ?? 0,
        gpuUuids: work.spec.gpus.map((gpu) => gpu.uuid),
      },
      owner: work.spec.owner,
      imageDigest: null,
    };
  }
}

function linkLost(): LinkError {
  return new LinkError('link/lost', 'The simulated link is down.', { retry: 'later' });
}

/** A fleet of simulated machines as one core sees it. */
export class SimulatedFleet implements Fleet {
  readonly #core: CoreId;
  readonly #nodes = new Map<
    NodeId,
    { plan: PlannerNode; machine: SimulatedMachine; runtime: SimulatedRuntime | undefined }
  >();
  readonly #online = new Emitter<NodeId>();
  readonly #offline = new Emitter<{ id: NodeId; reason: string; counted: boolean }>();
  readonly #capacity = new Emitter<NodeId>();
  readonly onDidComeOnline = this.#online.event;
  readonly onDidGoOffline = this.#offline.event;
  readonly onDidChangeCapacity = this.#capacity.event;

  constructor(core: CoreId) {
    this.#core = core;
  }

  add(plan: Omit<PlannerNode, 'state'>, machine: SimulatedMachine): void {
    this.#nodes.set(plan.id, { plan: { ...plan, state: 'offline' }, machine, runtime: undefined });
    this.#capacity.emit(plan.id);
  }

  connect(id: NodeId): void {
    const node = this.#nodes.get(id);
    if (node?.machine.isReachable !== true) return;
    node.runtime = new SimulatedRuntime(node.machine, this.#core);
    this.#setState(id, 'online');
    this.#online.emit(id);
  }

  disconnect(id: NodeId, counted: boolean): void {
    const node = this.#nodes.get(id);
    node?.runtime?.lose();
    if (node !== undefined) node.runtime = undefined;
    this.#setState(id, counted ? 'offline' : 'connecting');
    this.#offline.emit({ id, reason: 'The link dropped.', counted });
  }

  #setState(id: NodeId, state: PlannerNode['state']): void {
    const node = this.#nodes.get(id);
    if (node === undefined) return;
    node.plan = { ...node.plan, state };
    this.#capacity.emit(id);
  }

  plannerNodes(): readonly PlannerNode[] {
    return [...this.#nodes.values()].map(({ plan }) => plan);
  }

  node(id: NodeId): FleetNode | undefined {
    const plan = this.#nodes.get(id)?.plan;
    if (plan === undefined) return undefined;
    return { id, name: plan.name, state: plan.state, reason: null, facts: null };
  }

  find(reference: string): FleetNode | undefined {
    const found = [...this.#nodes.values()].find(
      ({ plan }) => plan.name === reference || plan.id === reference,
    );
    return found === undefined ? undefined : this.node(found.plan.id);
  }

  runtime(id: NodeId, kind: RuntimeKind): Runtime | undefined {
    const runtime = this.#nodes.get(id)?.runtime;
    return runtime?.kind === kind ? runtime : undefined;
  }
}
