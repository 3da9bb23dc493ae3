// One registered node: what is remembered of it, the way to it, and its state as people read it.
import { AppError } from '../../contract/errors.ts';
import type { Finding, MetricsSample, NodeState, OfflineReason } from '../../contract/node.ts';
import type { Holding } from '../../domain/planner/model.ts';
import { offlineReasonOf } from '../../link/errors.ts';
import type { NodeLink } from '../../link/node-link.ts';
import { LinkSupervisor, type SupervisorState } from '../../link/supervisor.ts';
import type { NodeRecord } from '../../store/node-rows.ts';
import type { Logger } from '../logger.ts';
import type { LinkStory } from './link-story.ts';
import { NodeSession } from './node-session.ts';
import type { NodesParts } from './ports.ts';
import { SampleRing } from './sample-ring.ts';

/** What a node tells the service. */
export interface NodeEvents {
  /** The view of it, or what the planner reads, changed. */
  changed(node: ManagedNode): void;
  cameOnline(node: ManagedNode): void;
  wentOffline(node: ManagedNode, reason: string, counted: boolean): void;
  sampled(node: ManagedNode, sample: MetricsSample): void;
  /** To be written down. */
  recordChanged(node: ManagedNode): void;
}

/** Why a node cannot be reached at the moment. */
export interface Absence {
  readonly kind: OfflineReason;
  readonly reason: string;
}

export interface ManagedNodeParts {
  readonly record: NodeRecord;
  readonly nodes: NodesParts;
  readonly events: NodeEvents;
  /** One attempt to reach it. */
  readonly connect: (signal: AbortSignal) => Promise<NodeLink>;
}

function absenceOf(error: Error): Absence {
  const reason =
    error instanceof AppError
      ? error.message
      : 'It cannot be reached for a reason the core did not expect; its log has the story.';
  return { kind: offlineReasonOf(error), reason };
}

export class ManagedNode implements AsyncDisposable {
  record: NodeRecord;
  readonly history = new SampleRing();
  readonly #parts: ManagedNodeParts;
  readonly #log: Logger;
  #supervisor: LinkSupervisor | undefined;
  #session: NodeSession | undefined;
  #absence: Absence | null = null;
  /** Told to be offline, and not online since. */
  #isCountedOffline = false;
  #watchers = 0;
  #drops = 0;
  #settled = Promise.withResolvers<undefined>();

  constructor(parts: ManagedNodeParts) {
    this.record = parts.record;
    this.#parts = parts;
    this.#log = parts.nodes.log.child({ node: parts.record.name });
  }

  /** Begins to reach it, unless it is disabled. */
  start(): void {
    if (this.record.disabled || this.#supervisor !== undefined) return;
    this.#settled = Promise.withResolvers();
    const { clock, timers, random, settings } = this.#parts.nodes;
    const supervisor = new LinkSupervisor({
      connect: this.#parts.connect,
      clock,
      timers,
      random,
      // Half of the time until a silent node is offline goes into noticing (see NodesService), half here.
      offlineAfterMs: settings().offlineAfterSeconds * 500,
    });
    this.#supervisor = supervisor;
    supervisor.onDidChange((state) => this.#onLink(supervisor, state));
    supervisor.start();
  }

  /** Lets go of it. Work there goes on. */
  async stop(): Promise<void> {
    const supervisor = this.#supervisor;
    this.#supervisor = undefined;
    this.#absence = null;
    this.#isCountedOffline = false;
    this.#settled.resolve(undefined);
    await this.#endSession();
    await supervisor?.stop();
  }

  async disable(): Promise<void> {
    if (this.#supervisor === undefined && this.record.disabled) return;
    this.record = { ...this.record, disabled: true };
    await this.stop();
    this.#parts.events.wentOffline(this, 'The node was disabled.', true);
    this.#parts.events.changed(this);
  }

  enable(): void {
    this.record = { ...this.record, disabled: false };
    this.start();
    this.#parts.events.changed(this);
  }

  /** Tries again now. */
  wake(): void {
    if (this.record.disabled) return;
    if (this.#supervisor === undefined) this.start();
    else this.#supervisor.wake();
  }

  get state(): NodeState {
    if (this.record.disabled) return 'disabled';
    if (this.#session?.isReady === true) return 'online';
    return this.#supervisor?.state.kind === 'offline' ? 'offline' : 'connecting';
  }

  /** Why it is not online; null while it is, and while there is nothing to say yet. */
  get absence(): Absence | null {
    return this.state === 'online' || this.state === 'disabled' ? null : this.#absence;
  }

  /** There while the node is online. */
  get session(): NodeSession | undefined {
    return this.#session?.isReady === true ? this.#session : undefined;
  }

  get findings(): Finding[] {
    return this.session?.findings() ?? [];
  }

  get holdings(): readonly Holding[] {
    return this.#parts.nodes.work.activeTasks(this.record.id);
  }

  /** How its link stands and stood. */
  get linkStory(): LinkStory {
    const { id, name, local } = this.record;
    const link = this.#supervisor?.state;
    return {
      nodeId: id,
      name,
      local,
      state: this.state,
      since: link === undefined || link.kind === 'stopped' ? null : link.since,
      reason: this.absence?.reason ?? null,
      drops: this.#drops,
      link: link?.kind === 'online' ? link.link : undefined,
    };
  }

  /** Resolves when the first attempt since `start` came to something: online, or a reason why not. */
  settled(): Promise<undefined> {
    return this.#settled.promise;
  }

  /** A sample a second for as long as somebody looks. */
  watch(): Disposable {
    this.#watchers += 1;
    if (this.#watchers === 1) this.#session?.setFast(true);
    let isWatching = true;
    return {
      [Symbol.dispose]: () => {
        if (!isWatching) return;
        isWatching = false;
        this.#watchers -= 1;
        if (this.#watchers === 0) this.#session?.setFast(false);
      },
    };
  }

  noteHoldings(): void {
    this.#session?.noteHoldings();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #onLink(supervisor: LinkSupervisor, state: SupervisorState): void {
    // What a supervisor says after it was let go of is of no interest.
    if (this.#supervisor !== supervisor) return;
    switch (state.kind) {
      case 'online':
        void this.#open(state.link);
        return;
      case 'connecting':
        if (state.error !== undefined) this.#onDropped(state.error);
        return;
      case 'offline':
        this.#onOffline(state.error);
        return;
      case 'stopped':
        return;
    }
  }

  async #open(link: NodeLink): Promise<void> {
    await this.#endSession();
    const { nodes, events } = this.#parts;
    const session = new NodeSession({
      link,
      nodes,
      log: this.#log,
      node: () => this.record,
      events: {
        factsChanged: (facts) => {
          this.record = { ...this.record, facts };
          events.recordChanged(this);
        },
        changed: () => events.changed(this),
        runtimeAppeared: () => events.cameOnline(this),
        sampled: (sample) => this.#onSample(sample),
      },
    });
    this.#session = session;
    session.setFast(this.#watchers > 0);
    try {
      await session.start();
    } catch (error) {
      this.#log.error({ err: error }, 'taking up a node failed in an unexpected way');
    }
    if (this.#session !== session || !session.isReady) return;
    this.#absence = null;
    this.#isCountedOffline = false;
    this.#seen();
    this.#log.info({}, 'online');
    events.cameOnline(this);
    events.changed(this);
    this.#settled.resolve(undefined);
  }

  /** The link is gone, and may be back soon: until it counts as offline it is merely connecting. */
  #onDropped(error: Error): void {
    this.#absence = absenceOf(error);
    const wasOnline = this.#session?.isReady === true;
    void this.#endSession();
    if (wasOnline) {
      this.#drops += 1;
      this.#seen();
      this.#log.warn({ err: error }, 'the link is gone');
      this.#parts.events.wentOffline(this, this.#absence.reason, false);
    }
    this.#parts.events.changed(this);
  }

  #onOffline(error: Error): void {
    const { kind, reason } = absenceOf(error);
    const isNews = this.#absence?.reason !== reason || !this.#isCountedOffline;
    this.#absence = { kind, reason };
    this.#settled.resolve(undefined);
    if (!this.#isCountedOffline) {
      this.#isCountedOffline = true;
      this.#log.info({ reason: kind }, 'offline');
      this.#parts.events.wentOffline(this, reason, true);
    }
    if (isNews) this.#parts.events.changed(this);
  }

  #seen(): void {
    const at = this.#parts.nodes.clock.now();
    this.record = { ...this.record, lastSeen: at };
    this.#parts.nodes.records.setLastSeen(this.record.id, at);
  }

  #onSample(sample: MetricsSample): void {
    this.record = { ...this.record, lastSeen: sample.at };
    this.history.add(sample, this.#parts.nodes.settings().metricsIntervalSeconds * 1000);
    this.#parts.events.sampled(this, sample);
  }

  async #endSession(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    try {
      await session?.[Symbol.asyncDispose]();
    } catch (error) {
      // What is being let go of over a dead link may well complain.
      this.#log.debug({ err: error }, 'ending the work on a link failed');
    }
  }
}
