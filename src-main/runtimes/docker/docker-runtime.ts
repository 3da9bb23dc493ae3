// Running attempts in containers of a node's Docker Engine. What the Engine has is the truth; of them
// this class remembers only which nobody was told to start.
import type { LinkAgent } from './agent.ts';
import type Dockerode from 'dockerode';
import type { CoreId } from '../../contract/ids.ts';
import { sleep, type Clock, type Timers } from '../../domain/clock.ts';
import { Emitter, type Event } from '../../domain/emitter.ts';
import type { NodeLink } from '../../link/node-link.ts';
import type { FindAccount } from '../image-engine.ts';
import { KeyedLock } from '../keyed-lock.ts';
import { silentLog, type RuntimeLog } from '../log.ts';
import type {
  AttemptRef,
  AttemptSpec,
  Inside,
  LogChunk,
  ObservedAttempt,
  Prepared,
  PrepareOptions,
  Runtime,
} from '../runtime.ts';
import { containerAccess, type ContainerAccess } from './access.ts';
import { findAmdDevices } from './amd-devices.ts';
import { containerInside } from './inside.ts';
import { engineClient, type DockerConnection } from './connect.ts';
import { containerConfig } from './container-config.ts';
import { findAttempt, inspectContainer, listManaged } from './containers.ts';
import {
  ContainerCreationError,
  ContainerExecutionError,
  ContainerNotFoundError,
  fromDocker,
  NameTakenError,
  readComplaint,
} from './errors.ts';
import { engineGone, watchEvents } from './events.ts';
import { ensureImage } from './images.ts';
import { isAttempt, isKeptName, keptName } from './labels.ts';
import { LogCursor } from './log-cursor.ts';
import { readLog } from './logs.ts';
import { replaceUnstarted } from './made-again.ts';
import type { FoundContainer } from './observed.ts';
import { DockerImages } from './environments/docker-images.ts';
import { imageOf } from './reference.ts';
import { stopContainer } from './stop.ts';
import { TrueEnds } from './true-ends.ts';
import { DockerVps } from './vps/docker-vps.ts';
import { ensureVps, findVps, stopVps } from './vps/vps-container.ts';
import { nextChange, waitForContainer } from './wait.ts';

export interface DockerRuntimeOptions {
  readonly link: NodeLink;
  /** What connectDocker found. Without it: the usual socket. */
  readonly connection?: Pick<DockerConnection, 'door' | 'memoryBytes'>;
  readonly coreId: CoreId;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log?: RuntimeLog;
  /** What is kept for registries. Without it: nothing. */
  readonly account?: FindAccount;
}

/** The Docker runtime of one node. */
export interface DockerRuntime extends Runtime {
  readonly kind: 'docker';
  /** Fires once when the Engine does not answer any more: drop this runtime and connect again. Undefined after `close`. */
  readonly onDidClose: Event<Error | undefined>;
  /** References of the images on the node, for placement. */
  images(): Promise<ReadonlySet<string>>;
  /** Programs in containers, for terminals and SSH. */
  readonly access: ContainerAccess;
}

/** Makes the runtime of a node whose Engine answered. It follows the Engine's events until closed. */
export function createDockerRuntime(options: DockerRuntimeOptions): DockerRuntime {
  return new EngineRuntime(options);
}

/** How often and how far apart a name is tried that is taken and belongs to no container yet. */
const nameRounds = 20;
const nameRoundMs = 100;
/** More references than that tell placement nothing new. */
const mostImageReferences = 10_000;

class EngineRuntime implements DockerRuntime {
  readonly kind = 'docker';
  readonly access: ContainerAccess;
  readonly #docker: Dockerode;
  readonly #agent: LinkAgent;
  readonly #link: NodeLink;
  readonly #core: CoreId;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #log: RuntimeLog;
  readonly #nodeMemoryBytes: number;
  readonly #account: FindAccount;
  readonly #locks = new KeyedLock();
  readonly #changed = new Emitter<undefined>();
  readonly #closed = new Emitter<Error | undefined>();
  readonly #abort = new AbortController();
  /** Containers that were made here and that nobody can have been told to start yet. */
  readonly #untold = new Set<string>();
  readonly #ends: TrueEnds;
  readonly vps: DockerVps;
  readonly imageEngine: DockerImages;

  constructor(options: DockerRuntimeOptions) {
    const { door, memoryBytes } = options.connection ?? {
      door: { kind: 'socket', path: '/var/run/docker.sock' },
      memoryBytes: 0,
    };
    const { docker, agent } = engineClient(options.link, door);
    this.#docker = docker;
    this.#agent = agent;
    this.#link = options.link;
    this.#ends = new TrueEnds({ docker, timers: options.timers }, options.link);
    this.#core = options.coreId;
    this.#clock = options.clock;
    this.#timers = options.timers;
    this.#nodeMemoryBytes = memoryBytes;
    const log = options.log ?? silentLog;
    this.#log = log;
    this.access = containerAccess({ docker, timers: options.timers, log }, options.coreId);
    this.vps = new DockerVps(docker, this.#core);
    this.#account = options.account ?? (() => undefined);
    this.imageEngine = new DockerImages({
      docker,
      core: this.#core,
      clock: options.clock,
      account: this.#account,
    });
    void this.#follow(log);
  }

  get onDidClose(): Event<Error | undefined> {
    return this.#closed.event;
  }

  onDidChange(listener: () => void): Disposable {
    return this.#changed.event(listener);
  }

  async list(): Promise<readonly ObservedAttempt[]> {
    const found = await listManaged(this.#docker);
    const isKept = ({ name, attempt }: FoundContainer) =>
      isKeptName(name) && attempt.condition.kind === 'ended';
    return found
      .filter((container) => !container.labels.isEnvironment && !isKept(container))
      .map(({ attempt }) => attempt);
  }

  async inspect(ref: AttemptRef): Promise<ObservedAttempt | undefined> {
    return (await this.#find(ref))?.attempt;
  }

  async images(): Promise<ReadonlySet<string>> {
    try {
      const images = await this.#docker.listImages();
      const tags = images.flatMap((image) => image.RepoTags ?? []);
      return new Set(tags.filter((tag) => tag !== '<none>:<none>').slice(0, mostImageReferences));
    } catch (error) {
      throw fromDocker(error, { kind: 'ask' });
    }
  }

  async prepare(spec: AttemptSpec, options: PrepareOptions): Promise<Prepared> {
    const reference = imageOf(spec.vessel);
    // A VPS that is there has its disk: its image may be long gone.
    const found = spec.vps === undefined ? undefined : await this.#find(spec);
    if (found !== undefined) {
      const { imageDigest } = found.attempt;
      return { imageDigest, imageId: imageDigest };
    }
    return ensureImage(this.#docker, reference, {
      ...options,
      clock: this.#clock,
      account: this.#account,
    });
  }

  create(spec: AttemptSpec, prepared: Prepared): Promise<void> {
    return this.#locks.run(keyOf(spec), () => this.#create(spec, prepared));
  }

  async #create(spec: AttemptSpec, prepared: Prepared): Promise<void> {
    const { imageId, imageDigest } = prepared;
    if (imageId === null) throw new ContainerCreationError('The image was not prepared.');
    const config = containerConfig(spec, {
      core: this.#core,
      imageReference: imageOf(spec.vessel).text,
      imageId,
      imageDigest: imageDigest ?? imageId,
      nodeMemoryBytes: this.#nodeMemoryBytes,
      amdDevices: await findAmdDevices(this.#link, spec),
    });
    if (spec.vps !== undefined) {
      await ensureVps(spec, { docker: this.#docker, core: this.#core, config });
      return;
    }
    for (let round = 0; ; round += 1) {
      try {
        const { id } = await this.#docker.createContainer(config);
        this.#untold.add(id);
        return;
      } catch (error) {
        if (readComplaint(error).status !== 409 || round === nameRounds) {
          throw fromDocker(error, { kind: 'create', container: config.name ?? '' });
        }
      }
      if ((await this.#settleName(spec, config.name ?? '')) === 'is-this-attempt') return;
      // Taken by a creation under way, which shows in a moment.
      if (round > 0) await sleep(this.#timers, nameRoundMs);
    }
  }

  /** Looks at who has the name. Only an older attempt of the same task and core is moved away. */
  async #settleName(spec: AttemptSpec, name: string): Promise<'is-this-attempt' | 'is-free'> {
    const holder = await inspectContainer(this.#docker, name);
    if (holder === undefined) return 'is-free';
    if (isAttempt(holder.labels, this.#core, spec)) return 'is-this-attempt';
    const { core, taskId, attempt } = holder.labels;
    if (core !== this.#core || taskId !== spec.taskId || attempt >= spec.attempt) {
      throw new NameTakenError(
        `A container named ${name} is on the node and does not belong to this attempt. It was left alone.`,
        { details: { name, core: core ?? 'none', attempt } },
      );
    }
    await this.#rename(holder.id, keptName({ taskId, attempt }));
    return 'is-free';
  }

  start(ref: AttemptRef): Promise<void> {
    return this.#locks.run(keyOf(ref), () => this.#start(ref));
  }

  /**
   * The Engine would start an ended container again: only one that never ran may be started. Where an
   * order to start it may be under way already, another takes its place first: it could come once this
   * attempt has ended.
   */
  async #start(ref: AttemptRef): Promise<void> {
    const found = await this.#found(ref);
    if (found.attempt.condition.kind !== 'created') return;
    const isUntold = this.#untold.delete(found.id) || ref.vps !== undefined;
    const id = isUntold
      ? found.id
      : await replaceUnstarted(this.#docker, found, await this.#ends.life());
    if (id === undefined) return;
    try {
      await this.#docker.getContainer(id).start();
    } catch (error) {
      if (readComplaint(error).status === 304) return;
      throw fromDocker(error, { kind: 'start', container: found.name });
    }
  }

  async stop(
    ref: AttemptRef,
    options: { signal: string; graceMs: number },
  ): Promise<{ delivered: boolean }> {
    const found = await this.#find(ref);
    if (found === undefined) return { delivered: false };
    if (ref.vps !== undefined && options.signal !== 'SIGKILL') {
      return { delivered: await stopVps(this.#docker, found, options.graceMs) };
    }
    const delivered = await stopContainer(this.#docker, found, {
      ...options,
      timers: this.#timers,
    });
    return { delivered };
  }

  async pause(ref: AttemptRef): Promise<void> {
    const found = await this.#found(ref);
    if (found.status !== 'paused') {
      await this.#change(found, () => this.#docker.getContainer(found.id).pause());
    }
  }

  async resume(ref: AttemptRef): Promise<void> {
    const found = await this.#found(ref);
    if (found.status === 'paused') {
      await this.#change(found, () => this.#docker.getContainer(found.id).unpause());
    }
  }

  waitForEnd(ref: AttemptRef, signal: AbortSignal): Promise<ObservedAttempt | undefined> {
    return waitForContainer(this.#docker, () => this.#find(ref), {
      signal,
      timers: this.#timers,
      onDidChange: this.#changed.event,
    });
  }

  async *logs(
    ref: AttemptRef,
    cursor: string | null,
    signal: AbortSignal,
  ): AsyncGenerator<LogChunk, void, undefined> {
    let position = LogCursor.parse(cursor);
    for (;;) {
      // Asked before reading: what has ended by now has all its output written.
      const found = await this.#awaitStart(ref, signal);
      const hasEnded = found.attempt.condition.kind === 'ended';
      const container = this.#docker.getContainer(found.id);
      for await (const chunk of readLog(container, position, { follow: !hasEnded, signal })) {
        yield chunk;
        position = LogCursor.parse(chunk.cursor);
      }
      if (hasEnded) return;
    }
  }

  /** The Engine ends the log of what never started at once: wait until there is something to read. */
  async #awaitStart(ref: AttemptRef, signal: AbortSignal): Promise<FoundContainer> {
    for (;;) {
      using next = nextChange(this.#changed.event, this.#timers, signal);
      const found = await this.#found(ref);
      if (found.status !== 'created') return found;
      await next.happened;
    }
  }

  async remove(ref: AttemptRef, options: { keep: boolean }): Promise<void> {
    const found = await this.#find(ref);
    if (found === undefined) return;
    if (options.keep) {
      if (found.name !== keptName(ref)) await this.#rename(found.id, keptName(ref));
      return;
    }
    this.#untold.delete(found.id);
    const kind = found.attempt.condition.kind;
    if (kind === 'running' || kind === 'paused') {
      throw new ContainerExecutionError(
        `${found.name} still runs: it has to end before it is removed.`,
      );
    }
    try {
      await this.#docker.getContainer(found.id).remove({ v: true, force: false });
    } catch (error) {
      const { status, text } = readComplaint(error);
      if (status === 404 || text.includes('already in progress')) return;
      throw fromDocker(error, { kind: 'other', container: found.name });
    }
  }

  async inside(ref: AttemptRef): Promise<Inside> {
    const { id, name, attempt } = await this.#found(ref);
    if (attempt.condition.kind !== 'running') {
      throw new ContainerExecutionError(
        `${name} does not run at the moment: its files can be seen while it does.`,
        { retry: 'later' },
      );
    }
    return containerInside({ docker: this.#docker, timers: this.#timers, log: this.#log }, id);
  }

  async close(): Promise<void> {
    this.#abort.abort();
    this.#agent.destroy();
    await Promise.resolve();
  }

  async #follow(log: RuntimeLog): Promise<void> {
    const reason = await watchEvents(this.#docker, {
      timers: this.#timers,
      log,
      signal: this.#abort.signal,
      onChange: () => {
        this.#changed.emit(undefined);
      },
    });
    this.#closed.emit(reason === undefined ? undefined : engineGone(reason));
  }

  async #find(ref: AttemptRef): Promise<FoundContainer | undefined> {
    if (ref.vps !== undefined) return findVps(this.#docker, this.#core, ref);
    const found = await findAttempt(this.#docker, this.#core, ref);
    return found && this.#ends.tell(found);
  }

  async #found(ref: AttemptRef): Promise<FoundContainer> {
    const found = await this.#find(ref);
    if (found !== undefined) return found;
    throw new ContainerNotFoundError(
      `The container of attempt ${String(ref.attempt)} of task ${ref.taskId} is not on the node.`,
      { details: { taskId: ref.taskId, attempt: ref.attempt } },
    );
  }

  async #change(found: FoundContainer, action: () => Promise<unknown>): Promise<void> {
    try {
      await action();
    } catch (error) {
      throw fromDocker(error, { kind: 'other', container: found.name });
    }
  }

  async #rename(id: string, name: string): Promise<void> {
    try {
      await this.#docker.getContainer(id).rename({ name });
    } catch (error) {
      throw fromDocker(error, { kind: 'other', container: name });
    }
  }
}

function keyOf(ref: AttemptRef): string {
  return `${ref.taskId}/${String(ref.attempt)}`;
}
