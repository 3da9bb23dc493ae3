// The machines work runs on: registered, reached, probed, measured. What is remembered of a node
// lies in its record; what is true of it now, in its session. The planner and the tasks see the
// nodes through Fleet.
import type { Instant, NodeId } from '../../contract/ids.ts';
import type { HostKeyConsent, MetricsSample, NodeView } from '../../contract/node.ts';
import type { RuntimeKind } from '../../contract/task.ts';
import { Emitter } from '../../domain/emitter.ts';
import type { PlannerNode } from '../../domain/planner/model.ts';
import type { NodeLink } from '../../link/node-link.ts';
import type { ContainerAccess } from '../../runtimes/docker/access.ts';
import type { Runtime } from '../../runtimes/runtime.ts';
import type { NodeRecord } from '../../store/node-rows.ts';
import type { Fleet, FleetNode } from '../fleet.ts';
import { UnknownNodeError } from './errors.ts';
import type { LinkStory } from './link-story.ts';
import { ManagedNode } from './managed-node.ts';
import { NodeCalls } from './node-calls.ts';
import { Pace } from './pace.ts';
import type { NodesParts } from './ports.ts';
import { accessTo, Registry } from './registry.ts';
import { UsageHistory } from './usage-history.ts';
import { fleetNodeOf, plannerNodeOf, viewOf } from './view.ts';
import { localRecord } from './local-node.ts';

/** Handshakes cost CPU on both sides, and 200 at once would trip over each other's timeouts. */
const connectsAtOnce = 8;
/** Views of a node change in bursts; clients get the last of each. */
const tellAfterMs = 50;

/** A change of the list of nodes. */
export type NodeChange = { readonly upsert: NodeView } | { readonly removed: NodeId };

export class NodesService implements Fleet, AsyncDisposable {
  /** The contract's calls about nodes. */
  readonly calls: NodeCalls;
  readonly #parts: NodesParts;
  readonly #registry = new Registry();
  readonly #pace = new Pace(connectsAtOnce);
  readonly #usage: UsageHistory;
  readonly #changed = new Emitter<NodeChange>();
  readonly #sampled = new Emitter<{ nodeId: NodeId; sample: MetricsSample }>();
  readonly #cameOnline = new Emitter<NodeId>();
  readonly #wentOffline = new Emitter<{ id: NodeId; reason: string; counted: boolean }>();
  readonly #capacityChanged = new Emitter<NodeId>();
  /** A link that was opened to try a host, to be taken over by its node. */
  readonly #handedOver = new Map<NodeId, NodeLink>();
  readonly #untold = new Set<NodeId>();
  #telling: Disposable | undefined;
  /** As the planner sees them, while one thing is done: a batch asks for each of its submissions. */
  #plannerNodes: readonly PlannerNode[] | undefined;

  /** Nodes added, changed and removed; coalesced. */
  readonly onDidChange = this.#changed.event;
  /** Every new sample of every node. */
  readonly onDidSample = this.#sampled.event;
  readonly onDidComeOnline = this.#cameOnline.event;
  readonly onDidGoOffline = this.#wentOffline.event;
  readonly onDidChangeCapacity = this.#capacityChanged.event;

  constructor(parts: NodesParts) {
    this.#parts = parts;
    this.#usage = new UsageHistory({ ...parts, records: parts.metrics });
    this.calls = new NodeCalls({
      nodes: parts,
      registry: this.#registry,
      register: (record, link) => this.#register(record, link),
      unregister: (node) => this.#unregister(node),
      changed: (node) => this.#noteChange(node.record.id),
    });
  }

  /** Takes up every remembered node, and this computer where it is new. */
  start(): void {
    const { records, write } = this.#parts;
    const known = records.all().filter(({ removedAt }) => removedAt === null);
    if (!known.some(({ local }) => local)) {
      const record = localRecord(
        this.#parts,
        known.map(({ name }) => name),
      );
      write(() => records.insert(record));
      known.push(record);
    }
    const nodes = known.map((record) => this.#manage(record));
    for (const node of nodes) node.start();
  }

  // What clients watch

  list(): NodeView[] {
    return this.#registry.all().map(viewOf);
  }

  /** The newest sample of every node that has one. */
  newestSamples(): { nodeId: NodeId; sample: MetricsSample }[] {
    return this.#registry
      .all()
      .flatMap(({ record, history: { newest } }) =>
        newest === undefined ? [] : [{ nodeId: record.id, sample: newest }],
      );
  }

  /** The samples of the last hour, oldest first. @throws UnknownNodeError */
  samples(id: NodeId): MetricsSample[] {
    return this.#need(id).history.all();
  }

  /** Has the node measured every second until disposed. @throws UnknownNodeError */
  watchMetrics(id: NodeId): Disposable {
    return this.#need(id).watch();
  }

  /**
   * To be called when the holdings of a node changed: its view is told anew and, where there are GPUs
   * among them, those are judged.
   */
  noteHoldings(id: NodeId, { withGpus }: { readonly withGpus: boolean }): void {
    if (withGpus) this.#registry.get(id)?.noteHoldings();
    this.#noteView(id);
  }

  /** Tries every node now: the computer woke up, or the network changed. */
  wakeAll(): void {
    for (const node of this.#registry.all()) node.wake();
  }

  /** How the links stand, for diagnosis; in the order of names. */
  linkStories(): readonly LinkStory[] {
    return this.#registry.all().map((node) => node.linkStory);
  }

  // Fleet

  plannerNodes(): readonly PlannerNode[] {
    if (this.#plannerNodes === undefined) {
      this.#plannerNodes = this.#registry.all().map(plannerNodeOf);
      queueMicrotask(() => (this.#plannerNodes = undefined));
    }
    return this.#plannerNodes;
  }

  node(id: NodeId): FleetNode | undefined {
    const node = this.#registry.get(id);
    return node === undefined ? undefined : fleetNodeOf(node);
  }

  find(reference: string): FleetNode | undefined {
    const node = this.#registry.find(reference);
    return node === undefined ? undefined : fleetNodeOf(node);
  }

  runtime(id: NodeId, kind: RuntimeKind): Runtime | undefined {
    return this.#registry.get(id)?.session?.runtime(kind);
  }

  /** The open link of an online node: terminals and files go over it. */
  link(id: NodeId): NodeLink | undefined {
    return this.#registry.get(id)?.session?.link;
  }

  /** Programs in the containers of an online node whose Docker answers. */
  containers(id: NodeId): ContainerAccess | undefined {
    return this.#registry.get(id)?.session?.runtimes.containers;
  }

  /** Lets go of every node and writes what is still to be written. Work on nodes goes on. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#telling?.[Symbol.dispose]();
    await Promise.all(this.#registry.all().map((node) => node.stop()));
    this.#usage[Symbol.dispose]();
  }

  #need(id: NodeId): ManagedNode {
    const node = this.#registry.get(id);
    if (node === undefined) throw new UnknownNodeError(id);
    return node;
  }

  #manage(record: NodeRecord): ManagedNode {
    const node = new ManagedNode({
      record,
      nodes: this.#parts,
      connect: (signal) => this.#connect(record.id, signal),
      events: {
        changed: ({ record: { id } }) => this.#noteChange(id),
        cameOnline: ({ record: { id } }) => this.#cameOnline.emit(id),
        wentOffline: ({ record: { id } }, reason, counted) =>
          this.#wentOffline.emit({ id, reason, counted }),
        sampled: ({ record: { id } }, sample) => this.#onSample(id, sample),
        recordChanged: (changed) => this.#save(changed),
      },
    });
    this.#registry.add(node);
    return node;
  }

  async #connect(id: NodeId, signal: AbortSignal): Promise<NodeLink> {
    const ready = this.#handedOver.get(id);
    this.#handedOver.delete(id);
    if (ready?.isOpen === true) return ready;
    const { links, secrets, settings } = this.#parts;
    const { record } = this.#need(id);
    const access = accessTo(record, secrets);
    if (access === undefined) return links.openLocal();
    const { connectTimeoutSeconds, offlineAfterSeconds } = settings();
    const consent: HostKeyConsent | null = null;
    // Half of the time until a silent node is offline goes into noticing, half into trying again.
    const options = {
      consent,
      timeoutMs: connectTimeoutSeconds * 1000,
      silenceMs: offlineAfterSeconds * 500,
      signal,
    };
    return this.#pace.run(() => links.connect(access, options), signal);
  }

  #register(record: NodeRecord, link: NodeLink): ManagedNode {
    this.#handedOver.set(record.id, link);
    const node = this.#manage(record);
    node.start();
    this.#noteChange(record.id);
    return node;
  }

  async #unregister(node: ManagedNode): Promise<void> {
    const { id } = node.record;
    await node.stop();
    this.#wentOffline.emit({ id, reason: 'The node was removed.', counted: true });
    this.#registry.delete(id);
    this.#plannerNodes = undefined;
    this.#usage.forget(id);
    this.#untold.delete(id);
    this.#changed.emit({ removed: id });
    this.#capacityChanged.emit(id);
  }

  #onSample(nodeId: NodeId, sample: MetricsSample): void {
    this.#usage.add(nodeId, sample);
    this.#sampled.emit({ nodeId, sample });
  }

  #save({ record }: ManagedNode): void {
    try {
      this.#parts.write(() => this.#parts.records.update(record));
    } catch (error) {
      // Facts are found again by the next probe.
      this.#parts.log.warn(
        { err: error, node: record.name },
        'the facts of a node could not be written',
      );
    }
    this.#noteChange(record.id);
  }

  #noteChange(id: NodeId): void {
    this.#plannerNodes = undefined;
    this.#capacityChanged.emit(id);
    this.#noteView(id);
  }

  #noteView(id: NodeId): void {
    this.#untold.add(id);
    this.#telling ??= this.#parts.timers.after(tellAfterMs, () => this.#tell());
  }

  #tell(): void {
    this.#telling = undefined;
    const ids = [...this.#untold];
    this.#untold.clear();
    for (const id of ids) {
      const node = this.#registry.get(id);
      if (node !== undefined) this.#changed.emit({ upsert: viewOf(node) });
    }
  }

  /** When the core last had an answer from the node. */
  lastSeen(id: NodeId): Instant | null {
    return this.#registry.get(id)?.record.lastSeen ?? null;
  }
}
