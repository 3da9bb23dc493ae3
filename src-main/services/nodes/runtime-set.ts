// The runtimes of one node while its link is open. Docker may come and go; processes are there or not.
import { AppError } from '../../contract/errors.ts';
import type { NodeFacts } from '../../contract/node.ts';
import type { RuntimeKind } from '../../contract/task.ts';
import type { Timers } from '../../domain/clock.ts';
import { Emitter } from '../../domain/emitter.ts';
import type { NodeLink } from '../../link/node-link.ts';
import type { ContainerAccess } from '../../runtimes/docker/access.ts';
import { DockerError } from '../../runtimes/docker/errors.ts';
import type { ObservedAttempt, Runtime } from '../../runtimes/runtime.ts';
import type { Logger } from '../logger.ts';
import type { RuntimeContext, RuntimeFactories } from './ports.ts';

/** Docker that is not there: somebody may install it, start it, or grant the group. */
const recheckMs = 60_000;
/** Docker that was there and stopped answering usually restarts: it is tried this soon, so often. */
const soonMs = 5_000;
const soonTries = 24;

export interface RuntimeSetParts {
  readonly link: NodeLink;
  readonly factories: RuntimeFactories;
  readonly timers: Timers;
  readonly log: Logger;
  readonly context: () => RuntimeContext;
}

export type DockerStatus =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'up'; readonly facts: NonNullable<NodeFacts['docker']> }
  | { readonly kind: 'down'; readonly problem: string };

export class RuntimeSet implements AsyncDisposable {
  readonly #parts: RuntimeSetParts;
  readonly #runtimes = new Map<RuntimeKind, Runtime>();
  readonly #listening = new Map<RuntimeKind, Disposable>();
  readonly #changed = new Emitter<void>();
  readonly #appeared = new Emitter<RuntimeKind>();
  #docker: DockerStatus = { kind: 'unknown' };
  #trying: Promise<void> | undefined;
  #retry: Disposable | undefined;
  #soonTriesLeft = 0;
  #isClosed = false;
  #dockerClosing: Disposable | undefined;
  #images: (() => Promise<ReadonlySet<string>> | undefined) | undefined;
  #access: ContainerAccess | undefined;

  /** What runs there may have changed. */
  readonly onDidChange = this.#changed.event;
  /** A runtime can be used that could not before, or Docker went away. */
  readonly onDidChangeKinds = this.#appeared.event;

  constructor(parts: RuntimeSetParts) {
    this.#parts = parts;
  }

  get(kind: RuntimeKind): Runtime | undefined {
    return this.#runtimes.get(kind);
  }

  get docker(): DockerStatus {
    return this.#docker;
  }

  /** Programs in containers; undefined while Docker does not answer. */
  get containers(): ContainerAccess | undefined {
    return this.#access;
  }

  /** Makes the process runtime, where the facts allow one and there is none yet. */
  async openProcess(facts: NodeFacts): Promise<void> {
    if (!facts.process || this.#runtimes.has('process')) return;
    const { factories, link, context } = this.#parts;
    await this.#add('process', await factories.process(link, { ...context(), facts }));
  }

  /** Tries Docker now, unless it is in use or being tried already. Never throws: `docker` says how it went. */
  tryDocker(): Promise<void> {
    if (this.#isClosed || this.#runtimes.has('docker')) return Promise.resolve();
    this.#trying ??= this.#openDocker().finally(() => (this.#trying = undefined));
    return this.#trying;
  }

  /** Everything managed there, of every core and runtime that answers. A failing Docker counts as down and is tried again. */
  async list(): Promise<readonly ObservedAttempt[]> {
    const lists = await Promise.all(
      [...this.#runtimes].map(([kind, runtime]) => this.#listOne(kind, runtime)),
    );
    return lists.flat();
  }

  /** References of the images that are there; empty where Docker does not tell. */
  async images(): Promise<ReadonlySet<string>> {
    try {
      return (await this.#images?.()) ?? new Set();
    } catch (error) {
      // They only make placement better.
      this.#parts.log.debug({ err: error }, 'the images could not be listed');
      return new Set();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#dockerClosing?.[Symbol.dispose]();
    this.#retry?.[Symbol.dispose]();
    await Promise.all([...this.#runtimes.keys()].map((kind) => this.#remove(kind)));
  }

  async #openDocker(): Promise<void> {
    this.#retry?.[Symbol.dispose]();
    const { factories, link, context, log } = this.#parts;
    try {
      const { runtime, facts } = await factories.docker(link, context());
      this.#docker = { kind: 'up', facts };
      this.#dockerClosing = runtime.onDidClose?.((error) => void this.#dockerFailed(error));
      this.#images = runtime.images === undefined ? undefined : () => runtime.images?.();
      this.#access = runtime.access;
      await this.#add('docker', runtime);
    } catch (error) {
      if (!(error instanceof AppError))
        log.error({ err: error }, 'reaching Docker failed in an unexpected way');
      const problem = error instanceof AppError ? error.message : 'Docker could not be reached.';
      this.#docker = { kind: 'down', problem };
      this.#retryAfter(this.#soonTriesLeft > 0 ? soonMs : recheckMs);
      this.#soonTriesLeft -= 1;
    }
  }

  async #add(kind: RuntimeKind, runtime: Runtime): Promise<void> {
    if (this.#isClosed) {
      await runtime.close();
      return;
    }
    this.#runtimes.set(kind, runtime);
    this.#listening.set(
      kind,
      runtime.onDidChange(() => this.#changed.emit()),
    );
    this.#appeared.emit(kind);
  }

  async #listOne(kind: RuntimeKind, runtime: Runtime): Promise<readonly ObservedAttempt[]> {
    try {
      return await runtime.list();
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      // A dropped link is the supervisor's to notice; Docker alone may fail while the link is open.
      const isDockerAlone = kind === 'docker' && this.#parts.link.isOpen;
      if (isDockerAlone && error instanceof DockerError) await this.#dockerFailed(error);
      return [];
    }
  }

  /** Docker was in use and stopped answering. */
  async #dockerFailed(error: Error | undefined): Promise<void> {
    if (this.#isClosed || this.#docker.kind !== 'up') return;
    const problem =
      error instanceof AppError ? error.message : 'The Docker Engine does not answer any more.';
    this.#docker = { kind: 'down', problem };
    this.#dockerClosing?.[Symbol.dispose]();
    this.#images = undefined;
    this.#access = undefined;
    await this.#remove('docker');
    this.#appeared.emit('docker');
    this.#soonTriesLeft = soonTries;
    this.#retryAfter(soonMs);
  }

  #retryAfter(delayMs: number): void {
    if (this.#isClosed) return;
    this.#retry?.[Symbol.dispose]();
    this.#retry = this.#parts.timers.after(delayMs, () => void this.tryDocker());
  }

  async #remove(kind: RuntimeKind): Promise<void> {
    const runtime = this.#runtimes.get(kind);
    this.#runtimes.delete(kind);
    this.#listening.get(kind)?.[Symbol.dispose]();
    this.#listening.delete(kind);
    try {
      await runtime?.close();
    } catch (error) {
      // Nothing of it is used any more; the way to it may be what broke.
      this.#parts.log.debug({ err: error, runtime: kind }, 'closing a runtime failed');
    }
  }
}
