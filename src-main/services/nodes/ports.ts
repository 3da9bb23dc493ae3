// What the nodes service is handed in. The rooms to its left satisfy these as they are or through a
// line in core.ts; tests hand in simulated ones.
import type { CoreId, Instant, NodeId } from '../../contract/ids.ts';
import type {
  HostKeyConsent,
  HostKeyReport,
  MetricsPoint,
  MetricsSample,
  MetricsSpan,
  NodeFacts,
  SshAddress,
  SshDestination,
} from '../../contract/node.ts';
import type { Clock, Random, Timers } from '../../domain/clock.ts';
import type { Event } from '../../domain/emitter.ts';
import type { Holding } from '../../domain/planner/model.ts';
import type { NodeLink } from '../../link/node-link.ts';
import type { ContainerAccess } from '../../runtimes/docker/access.ts';
import type { Runtime } from '../../runtimes/runtime.ts';
import type { NodeRecord, SecretId } from '../../store/node-rows.ts';
import type { Logger } from '../logger.ts';

/** The store's NodeRepository. Writes are durable when `flushed` resolves. */
export interface NodeRecords {
  all(): NodeRecord[];
  insert(node: NodeRecord): void;
  update(node: NodeRecord): void;
  setLastSeen(id: NodeId, at: Instant): void;
}

/** The store's MetricsRepository. */
export interface MetricsRecords {
  append(node: NodeId, points: readonly MetricsPoint[]): void;
  read(node: NodeId, span: MetricsSpan, now: Instant): Promise<MetricsPoint[]>;
  /** Rolls up and drops what is too old. */
  prune(now: Instant): Promise<void>;
}

/** Passwords and passphrases of nodes. Values go in and come out here and nowhere else. */
export interface NodeSecrets {
  /** Keeps a value, in the place of another of the same scope and name. Throws VaultError (`vault/…`). */
  put(entry: { scope: string; name: string; value: string }): SecretId;
  /** Undefined when it is gone. Throws VaultError while the vault is locked. */
  get(id: SecretId): string | undefined;
  delete(id: SecretId): void;
}

/** How a host is reached, with its secrets: never stored, logged or shown in this form. */
export interface HostAccess {
  readonly destination: SshDestination;
  readonly jumps: readonly SshDestination[];
  readonly useSshConfig: boolean;
  readonly identityFile: string | null;
  readonly password: string | null;
  readonly passphrase: string | null;
}

export interface ConnectOptions {
  /** Which host keys not seen before may be accepted; null accepts none. */
  readonly consent: HostKeyConsent | null;
  readonly timeoutMs: number;
  /** Silence after which the link counts as lost. */
  readonly silenceMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** The link room. */
export interface Links {
  /** One attempt. Throws LinkError; an aborted signal rejects with its reason. */
  connect(access: HostAccess, options: ConnectOptions): Promise<NodeLink>;
  /** The keys that the host, and each hop that can be seen without signing in, shows. */
  inspect(
    access: HostAccess,
    options: Pick<ConnectOptions, 'timeoutMs'>,
  ): Promise<readonly HostKeyReport[]>;
  /** The hosts on the way as `~/.ssh/config` has them; the last is the destination. */
  resolve(access: HostAccess): Promise<readonly SshAddress[]>;
  /** Names of `~/.ssh/config` that could be connected to. */
  configHosts(): Promise<readonly string[]>;
  /** This computer. */
  openLocal(): Promise<NodeLink>;
}

/** A Docker runtime. Simulated ones may leave out what tells of the Engine itself. */
export interface DockerLike extends Runtime {
  /** Fires once when the Engine does not answer any more: this runtime is then of no use. */
  readonly onDidClose?: Event<Error | undefined>;
  /** References of the images that are there. */
  images?(): Promise<ReadonlySet<string>>;
  /** Programs in its containers. */
  readonly access?: ContainerAccess;
}

/** The runtimes room. */
export interface RuntimeFactories {
  /** Throws DockerError: absent, denied, not answering. */
  docker(
    link: NodeLink,
    context: RuntimeContext,
  ): Promise<{ runtime: DockerLike; facts: NonNullable<NodeFacts['docker']> }>;
  /** Only for nodes whose facts say that processes can be run. */
  process(
    link: NodeLink,
    context: RuntimeContext & { readonly facts: NodeFacts },
  ): Promise<Runtime>;
}

export interface RuntimeContext {
  readonly coreId: CoreId;
  readonly nodeId: NodeId;
  readonly nodeName: string;
  readonly isLocal: boolean;
  /** Engine sockets the probe found that the user may use. */
  readonly dockerSockets: readonly string[];
}

/** What the tasks say of the nodes. */
export interface NodeWork {
  /** Attempts of this core that hold something there (ASSIGNING, RUNNING, PAUSED, LOST). */
  activeTasks(node: NodeId): readonly Holding[];
}

/** This computer as Node.js sees it, for where there is no /proc to read. */
export interface LocalHost {
  readonly hostname: string;
  /** True where the scripts of resources/node work: Linux. */
  readonly hasScripts: boolean;
  facts(): NodeFacts;
  sample(at: Instant): MetricsSample;
}

export interface NodeSettings {
  readonly metricsIntervalSeconds: number;
  readonly offlineAfterSeconds: number;
  readonly connectTimeoutSeconds: number;
}

/** All of the above: what NodesService is constructed with. */
export interface NodesParts {
  readonly coreId: CoreId;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
  readonly newNodeId: () => NodeId;
  readonly records: NodeRecords;
  readonly metrics: MetricsRecords;
  readonly secrets: NodeSecrets;
  /** Runs writes in one transaction of the store. */
  readonly write: <T>(change: () => T) => T;
  readonly flushed: () => Promise<void>;
  readonly links: Links;
  readonly runtimes: RuntimeFactories;
  readonly localHost: LocalHost;
  readonly settings: () => NodeSettings;
  readonly work: NodeWork;
  /** The text of a script of resources/node. */
  readonly readScript: (name: `${string}.sh`) => string;
}
