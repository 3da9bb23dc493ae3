// The contract's calls about nodes, one method each. Authorisation and validation come before.
import type { NodeId } from '../../contract/ids.ts';
import type {
  Finding,
  HostKeyConsent,
  HostKeyReport,
  HostOptions,
  MetricsPoint,
  MetricsSpan,
  NodeFacts,
  NodeView,
  ProcessInfo,
  SshAddress,
} from '../../contract/node.ts';
import type { Labels } from '../../contract/task.ts';
import { doctorFindings } from '../../domain/nodes/findings.ts';
import { nodeNameFrom, uniqueName } from '../../domain/nodes/node-names.ts';
import { parseProcesses } from '../../domain/nodes/parse-processes.ts';
import type { NodeLink } from '../../link/node-link.ts';
import type { NodeRecord } from '../../store/node-rows.ts';
import { NodeInUseError, NodeStateError } from './errors.ts';
import { accessOf, HostTrial, type TriedHost } from './host-trial.ts';
import type { ManagedNode } from './managed-node.ts';
import type { NodesParts } from './ports.ts';
import { authOf, changedLabels, type Registry } from './registry.ts';
import { viewOf } from './view.ts';

/** How long `add` and `enable` wait for the node to be usable, so that their answer says something. */
const settleMs = 30_000;
const processesTimeoutMs = 15_000;

export interface NodeCallsParts {
  readonly nodes: NodesParts;
  readonly registry: Registry;
  /** Takes up a new node; the link is its first. */
  readonly register: (record: NodeRecord, link: NodeLink) => ManagedNode;
  readonly unregister: (node: ManagedNode) => Promise<void>;
  /** What the planner or a view reads of it changed. */
  readonly changed: (node: ManagedNode) => void;
}

export interface AddRequest extends HostOptions {
  readonly name?: string | undefined;
  readonly labels: Labels;
  readonly consent?: HostKeyConsent | undefined;
}

/** A host that is about to become a node. */
interface Found {
  readonly tried: TriedHost;
  readonly destination: SshAddress | null;
}

interface ByNode {
  /** Name or ID. */
  readonly node: string;
}

/** Every method with a `node` throws UnknownNodeError for one that is not there. */
export class NodeCalls {
  readonly #parts: NodeCallsParts;
  readonly #trial: HostTrial;

  constructor(parts: NodeCallsParts) {
    this.#parts = parts;
    this.#trial = new HostTrial(parts.nodes);
  }

  get({ node }: ByNode): NodeView {
    return viewOf(this.#parts.registry.need(node));
  }

  /** Throws LinkError. */
  async inspectHost(options: HostOptions): Promise<{ hostKeys: HostKeyReport[] }> {
    return { hostKeys: [...(await this.#trial.inspect(accessOf(options)))] };
  }

  /** Signs in and probes; stores nothing. Throws LinkError. */
  async tryHost(
    options: HostOptions & { consent?: HostKeyConsent | undefined },
  ): Promise<{ facts: NodeFacts; findings: Finding[]; auth: string }> {
    const { link, facts, findings } = await this.#trial.open(accessOf(options), options.consent);
    const auth = link.authenticatedBy;
    await link.close();
    return { facts, findings, auth };
  }

  /** Signs in, probes and stores. Throws LinkError, NodeNameTakenError, AlreadyAddedError, VaultError: nothing is stored then. */
  async add(request: AddRequest): Promise<NodeView> {
    const { registry } = this.#parts;
    if (request.name !== undefined) registry.refuseTakenName(request.name);
    const access = accessOf(request);
    const destination = (await this.#parts.nodes.links.resolve(access)).at(-1) ?? null;
    if (destination !== null) registry.refuseKnownAddress(destination);
    const tried = await this.#trial.open(access, request.consent);
    try {
      const node = this.#insert(request, { tried, destination });
      await this.#kept(node);
      await this.#settle(node);
      return viewOf(node);
    } catch (error) {
      await tried.link.close();
      throw error;
    }
  }

  /** Hosts of `~/.ssh/config` that could be added; `known` are nodes already. Throws LinkError `link/config`. */
  async sshConfigHosts(): Promise<
    { alias: string; host: string; user: string | null; port: number; known: boolean }[]
  > {
    const { links } = this.#parts.nodes;
    const entries = await Promise.all(
      (await links.configHosts()).map(async (alias) => {
        const access = accessOf({ destination: { host: alias }, jumps: [], useSshConfig: true });
        // One entry that cannot be used (ProxyCommand, say) does not hide the others.
        const [found] = await Promise.allSettled([links.resolve(access)]);
        const hop = found.status === 'fulfilled' ? found.value.at(-1) : undefined;
        return hop === undefined
          ? []
          : [{ alias, host: hop.host, user: hop.user, port: hop.port, known: this.#isKnown(hop) }];
      }),
    );
    return entries.flat();
  }

  /** No new work is placed there; what runs goes on. */
  drain({ node }: ByNode): Promise<NodeView> {
    return this.#change(node, (record) => ({ ...record, drained: true }));
  }

  undrain({ node }: ByNode): Promise<NodeView> {
    return this.#change(node, (record) => ({ ...record, drained: false }));
  }

  /** Lets go of it until it is enabled again. Work there goes on, unseen. */
  async disable({ node: reference }: ByNode): Promise<NodeView> {
    const node = this.#parts.registry.need(reference);
    await this.#change(reference, (record) => ({ ...record, disabled: true }));
    await node.disable();
    return viewOf(node);
  }

  async enable({ node: reference }: ByNode): Promise<NodeView> {
    const node = this.#parts.registry.need(reference);
    await this.#change(reference, (record) => ({ ...record, disabled: false }));
    node.enable();
    await this.#settle(node);
    return viewOf(node);
  }

  /** Tries it now, or checks that an open link still answers. */
  reconnect({ node: reference }: ByNode): NodeView {
    const node = this.#parts.registry.need(reference);
    if (node.state === 'disabled') {
      throw new NodeStateError(
        `${node.record.name} is disabled. Enable it first.`,
        node.record.name,
      );
    }
    node.wake();
    return viewOf(node);
  }

  /** @throws NodeNameTakenError */
  rename({ node, name }: ByNode & { readonly name: string }): Promise<NodeView> {
    const { registry } = this.#parts;
    registry.refuseTakenName(name, registry.need(node).record.id);
    return this.#change(node, (record) => ({ ...record, name }));
  }

  /** Sets labels; null removes one. @throws RequestError `input/invalid` */
  label({
    node,
    labels,
  }: ByNode & { readonly labels: Readonly<Record<string, string | null>> }): Promise<NodeView> {
    return this.#change(node, (record) => ({
      ...record,
      labels: changedLabels(record.labels, labels),
    }));
  }

  /**
   * Forgets a node. What runs there goes on only when forced; `left` then names it.
   * @throws NodeInUseError while tasks hold something there; NodeStateError for this computer
   */
  async remove({
    node: reference,
    force,
  }: ByNode & { readonly force: boolean }): Promise<{ id: NodeId; left: string[] }> {
    const node = this.#parts.registry.need(reference);
    const { record, holdings } = node;
    if (record.local) {
      throw new NodeStateError(
        `${record.name} is this computer, which is always a node. It can be disabled instead.`,
        record.name,
      );
    }
    if (holdings.length > 0 && !force) throw new NodeInUseError(record.name, holdings.length);
    const left = holdings.map(({ taskId, place }) =>
      place.runtime === 'docker'
        ? `container kohakuriver-task-${taskId}`
        : `processes of task ${taskId}`,
    );
    const { nodes } = this.#parts;
    await this.#save({ ...record, removedAt: nodes.clock.now() }, () => {
      for (const secret of [record.auth.password, record.auth.passphrase])
        if (secret !== null) nodes.secrets.delete(secret);
    });
    await this.#parts.unregister(node);
    return { id: record.id, left };
  }

  /** Looks at a node afresh: what is well, what is not, and the commands that would mend it. */
  async doctor({ node: reference }: ByNode): Promise<Finding[]> {
    const node = this.#parts.registry.need(reference);
    const { session, state, absence, record } = node;
    if (session === undefined) {
      const title = state === 'disabled' ? 'The node is disabled' : `The node is ${state}`;
      return [
        {
          id: 'state',
          level: state === 'disabled' ? 'info' : 'error',
          title,
          detail: absence?.reason ?? null,
          fix: null,
        },
      ];
    }
    const report = await session.examine();
    this.#parts.changed(node);
    return report === undefined ? session.findings() : doctorFindings(report, record.local);
  }

  /** `doctor` for this computer. */
  doctorHere(): Promise<Finding[]> {
    const local = this.#parts.registry.all().find(({ record }) => record.local);
    return local === undefined ? Promise.resolve([]) : this.doctor({ node: local.record.id });
  }

  /** The busiest processes. @throws NodeStateError unless online; LinkError */
  async processes({
    node: reference,
    limit,
  }: ByNode & { readonly limit: number }): Promise<ProcessInfo[]> {
    const node = this.#parts.registry.need(reference);
    const { nodes } = this.#parts;
    if (node.session === undefined) {
      throw new NodeStateError(
        `${node.record.name} is ${node.state}; its processes cannot be read.`,
        node.record.name,
      );
    }
    const script = nodes.readScript('processes.sh');
    const result = await node.session.link.runScript(script, [String(limit)], {
      timeoutMs: processesTimeoutMs,
    });
    return parseProcesses(result.stdout.toString('utf8'), nodes.clock.now()).slice(0, limit);
  }

  /** Points of history, oldest first: a minute each, or 15 for `90d`. */
  history({ node, span }: ByNode & { readonly span: MetricsSpan }): Promise<MetricsPoint[]> {
    const { clock, metrics } = this.#parts.nodes;
    return metrics.read(this.#parts.registry.need(node).record.id, span, clock.now());
  }

  #isKnown(hop: { host: string; port: number }): boolean {
    return this.#parts.registry
      .all()
      .some(
        ({ record: { address } }) =>
          address?.resolved?.host === hop.host && address.resolved.port === hop.port,
      );
  }

  /** Checks once more, inserts and registers in one turn, so that of two equal requests one is refused. */
  #insert(request: AddRequest, found: Found): ManagedNode {
    const { registry, nodes } = this.#parts;
    if (request.name !== undefined) registry.refuseTakenName(request.name);
    if (found.destination !== null) registry.refuseKnownAddress(found.destination);
    registry.refuseKnownMachine(found.tried.facts);
    const record = nodes.write(() => {
      const made = this.#newRecord(nodes.newNodeId(), request, found);
      nodes.records.insert(made);
      return made;
    });
    return this.#parts.register(record, found.tried.link);
  }

  /** Resolves when a new node is on disk; takes it back where that fails. */
  async #kept(node: ManagedNode): Promise<void> {
    try {
      await this.#parts.nodes.flushed();
    } catch (error) {
      await this.#parts.unregister(node);
      throw error;
    }
  }

  #newRecord(id: NodeId, request: AddRequest, { tried, destination }: Found): NodeRecord {
    const { facts } = tried;
    const { registry, nodes } = this.#parts;
    const { host } = request.destination;
    const isAlias = destination !== null && destination.host !== host;
    const name =
      request.name ?? uniqueName(nodeNameFrom(isAlias ? host : facts.hostname), registry.names());
    const { destination: asked, jumps, useSshConfig } = request;
    return {
      id,
      name,
      local: false,
      address: { destination: asked, resolved: destination, jumps, useSshConfig },
      auth: authOf(id, request, nodes.secrets),
      labels: request.labels,
      drained: false,
      disabled: false,
      facts,
      addedAt: nodes.clock.now(),
      lastSeen: nodes.clock.now(),
      removedAt: null,
    };
  }

  /** Changes what is remembered, at once here and durably when it resolves; not at all when it rejects. */
  async #change(reference: string, change: (record: NodeRecord) => NodeRecord): Promise<NodeView> {
    const node = this.#parts.registry.need(reference);
    const before = node.record;
    node.record = change(before);
    try {
      await this.#save(node.record);
    } catch (error) {
      node.record = { ...before, facts: node.record.facts, lastSeen: node.record.lastSeen };
      throw error;
    } finally {
      this.#parts.changed(node);
    }
    return viewOf(node);
  }

  /** Durable when it resolves. */
  async #save(record: NodeRecord, also: () => void = () => undefined): Promise<void> {
    const { write, records, flushed } = this.#parts.nodes;
    write(() => {
      records.update(record);
      also();
    });
    await flushed();
  }

  /** Waits until the node is usable or said why not, but not for ever. */
  async #settle(node: ManagedNode): Promise<void> {
    const late = Promise.withResolvers<undefined>();
    using _timer = this.#parts.nodes.timers.after(settleMs, () => late.resolve(undefined));
    await Promise.race([node.settled(), late.promise]);
  }
}
