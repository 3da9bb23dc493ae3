// A runtime on a simulated machine, for one core over one life of its link. Orders can be lost, half
// done, or never answered; see `SimulatedMachine.fault`.
import type { CoreId } from '../../src-main/contract/ids.ts';
import type { RuntimeKind } from '../../src-main/contract/task.ts';
import { LinkLostError } from '../../src-main/link/errors.ts';
import { ProcessCreationError } from '../../src-main/runtimes/process/errors.ts';
import type {
  AttemptRef,
  AttemptSpec,
  LogChunk,
  ObservedAttempt,
  Prepared,
  PrepareOptions,
  Runtime,
} from '../../src-main/runtimes/runtime.ts';
import {
  isAlive,
  keyOf,
  type Fault,
  type Late,
  type Order,
  type SimulatedMachine,
  type SimulatedWork,
} from './simulated-machine.ts';

export class SimulatedRuntime implements Runtime {
  readonly kind: RuntimeKind;
  readonly #machine: SimulatedMachine;
  readonly #core: CoreId;
  readonly #lost = new AbortController();
  /** Orders that are late; called when no more of them arrives over this link. */
  readonly #late = new Set<() => void>();
  #isDead = false;

  constructor(machine: SimulatedMachine, core: CoreId, kind: RuntimeKind) {
    this.#machine = machine;
    this.#core = core;
    this.kind = kind;
  }

  /** The link drops: everything pending fails. */
  lose(): void {
    for (const settle of this.#late) settle();
    this.#lost.abort(linkLost());
  }

  /** The core is gone: nobody hears anything any more, and nobody orders anything. */
  die(): void {
    for (const settle of this.#late) settle();
    this.#isDead = true;
  }

  async #order<T>(name: string, ref: AttemptRef | null, effect: () => T): Promise<T> {
    const way = await this.#onTheWay({ name, ref, when: 'before' });
    const result = isLate(way) ? await this.#later(way, effect) : effect();
    if (way === 'twice') again(effect);
    const back = await this.#onTheWay({ name, ref, when: 'after' });
    if (isLate(back)) await this.#later(back, () => undefined);
    return result;
  }

  async #onTheWay(order: Order): Promise<Fault> {
    await Promise.resolve();
    if (this.#isDead) await never();
    if (this.#lost.signal.aborted || !this.#machine.isReachable) throw linkLost();
    const fault = this.#machine.fault(order);
    if (this.#isDead) await never();
    if (fault === 'lost') throw linkLost();
    if (fault === 'hang') await this.#unlessLost(never(), this.#lost.signal);
    return fault;
  }

  /** The effect after a while; when the link drops meanwhile, then or never. */
  async #later<T>({ lateMs, whenLost }: Late, effect: () => T): Promise<T> {
    const arrived = Promise.withResolvers<T>();
    const arrive = () => {
      this.#late.delete(settle);
      // An effect that refuses does so to whoever ordered it.
      new Promise<T>((resolve) => resolve(effect())).then(arrived.resolve, arrived.reject);
    };
    const timer = this.#machine.time.after(lateMs, arrive);
    const settle = () => {
      timer[Symbol.dispose]();
      if (whenLost === 'done') arrive();
      this.#late.delete(settle);
    };
    this.#late.add(settle);
    // It set out while the link was there, and that is gone already.
    if (this.#isDead || this.#lost.signal.aborted) settle();
    arrived.promise.catch(() => undefined);
    return this.#unlessLost(arrived.promise, this.#lost.signal);
  }

  #mine(ref: AttemptRef): SimulatedWork | undefined {
    const work = this.#machine.works.get(keyOf(ref));
    return work?.core === this.#core ? work : undefined;
  }

  #checkRefused(order: string, spec: AttemptSpec): void {
    const refusal = this.#machine.refuse(order, spec);
    if (refusal !== undefined) throw refusal;
  }

  list(): Promise<readonly ObservedAttempt[]> {
    return this.#order('list', null, () =>
      [...this.#machine.works.values()]
        .filter((work) => !work.isKept)
        .map((work) => this.#observe(work)),
    );
  }

  inspect(ref: AttemptRef): Promise<ObservedAttempt | undefined> {
    return this.#order('inspect', ref, () => {
      const work = this.#mine(ref);
      return work === undefined ? undefined : this.#observe(work);
    });
  }

  prepare(spec: AttemptSpec, { signal }: PrepareOptions): Promise<Prepared> {
    return this.#order('prepare', spec, () => {
      signal.throwIfAborted();
      this.#checkRefused('prepare', spec);
      return { imageDigest: null, imageId: null };
    });
  }

  create(spec: AttemptSpec): Promise<void> {
    return this.#order('create', spec, () => {
      this.#checkRefused('create', spec);
      if (!this.#machine.works.has(keyOf(spec))) this.#machine.create(spec, this.#core);
    });
  }

  start(ref: AttemptRef): Promise<void> {
    return this.#order('start', ref, () => {
      const work = this.#mine(ref);
      if (work === undefined) throw new ProcessCreationError('There is nothing to start.');
      this.#checkRefused('start', work.spec);
      if (work.condition.kind === 'created') this.#machine.start(work);
    });
  }

  async stop(
    ref: AttemptRef,
    options: { signal: string; graceMs: number },
  ): Promise<{ delivered: boolean }> {
    const delivered = await this.#order('stop', ref, () => {
      const work = this.#mine(ref);
      return work !== undefined && this.#machine.signal(work, options.signal);
    });
    const work = this.#mine(ref);
    if (!delivered || work === undefined || !isAlive(work)) return { delivered };
    // The escalation is the core's: without a link nobody sends the second signal.
    const grace = Promise.withResolvers<undefined>();
    using _timer = this.#machine.time.after(options.graceMs, () => grace.resolve(undefined));
    await this.#unlessLost(Promise.race([work.ended.promise, grace.promise]), this.#lost.signal);
    await this.#order('stop', ref, () => this.#machine.signal(work, 'SIGKILL'));
    return { delivered };
  }

  pause(ref: AttemptRef): Promise<void> {
    return this.#order('pause', ref, () => this.#machine.pause(this.#running(ref)));
  }

  resume(ref: AttemptRef): Promise<void> {
    return this.#order('resume', ref, () => this.#machine.resume(this.#running(ref)));
  }

  #running(ref: AttemptRef): SimulatedWork {
    const work = this.#mine(ref);
    if (work !== undefined && isAlive(work)) return work;
    throw new ProcessCreationError('It does not run.');
  }

  async waitForEnd(ref: AttemptRef, signal: AbortSignal): Promise<ObservedAttempt | undefined> {
    const work = await this.#order('wait', ref, () => this.#mine(ref));
    if (work === undefined) return undefined;
    await this.#unlessLost(work.ended.promise, signal);
    return this.inspect(ref);
  }

  async *logs(
    ref: AttemptRef,
    cursor: string | null,
    signal: AbortSignal,
  ): AsyncGenerator<LogChunk> {
    const work = await this.#order('logs', ref, () => this.#mine(ref));
    if (work === undefined) throw new ProcessCreationError('It is not on the node.');
    let index = cursor === null ? 0 : Number(cursor);
    for (;;) {
      const next = work.output[index];
      if (next !== undefined) {
        index += 1;
        await this.#onTheWay({ name: 'chunk', ref, when: 'before' });
        yield { ...next, cursor: String(index) };
        continue;
      }
      if (work.condition.kind === 'ended') return;
      const news = Promise.withResolvers<undefined>();
      using _listening = this.#machine.changed.event(() => news.resolve(undefined));
      await this.#unlessLost(Promise.race([news.promise, work.ended.promise]), signal);
    }
  }

  remove(ref: AttemptRef, options: { keep: boolean }): Promise<void> {
    return this.#order('remove', ref, () => {
      const work = this.#mine(ref);
      if (work !== undefined) this.#machine.remove(work, options);
    });
  }

  onDidChange(listener: () => void): Disposable {
    return this.#machine.changed.event(listener);
  }

  close(): Promise<void> {
    this.lose();
    return Promise.resolve();
  }

  /** Waits for something on the far side: rejects when the link drops, hears nothing when the core is gone. */
  async #unlessLost<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
    const both = AbortSignal.any([signal, this.#lost.signal]);
    const result = await new Promise<T>((resolve, reject) => {
      const onAbort = () => reject(both.reason as Error);
      if (both.aborted) onAbort();
      both.addEventListener('abort', onAbort, { once: true });
      promise.then(resolve, reject).finally(() => both.removeEventListener('abort', onAbort));
    });
    if (this.#isDead) await never();
    return result;
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

function isLate(fault: Fault): fault is Late {
  return typeof fault === 'object';
}

/** What the second of two same orders is told nobody hears. */
function again(effect: () => unknown): void {
  try {
    effect();
  } catch {
    // It was refused.
  }
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}

function linkLost(): LinkLostError {
  return new LinkLostError('link/lost', 'The simulated link is down.', { retry: 'later' });
}
