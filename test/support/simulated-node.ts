// A fleet of nodes that exist only in memory, as one core sees it: for running the whole task side
// of a core in virtual time, or at sizes no test machine has.
import { nodeId, type CoreId, type NodeId } from '../../src-main/contract/ids.ts';
import type { RuntimeKind } from '../../src-main/contract/task.ts';
import { Emitter } from '../../src-main/domain/emitter.ts';
import type { PlannerGpu, PlannerNode } from '../../src-main/domain/planner/model.ts';
import type { Runtime } from '../../src-main/runtimes/runtime.ts';
import type { Fleet, FleetNode } from '../../src-main/services/fleet.ts';
import type { SimulatedMachine } from './simulated-machine.ts';
import { SimulatedRuntime } from './simulated-runtime.ts';

export { SimulatedMachine } from './simulated-machine.ts';
export { SimulatedRuntime } from './simulated-runtime.ts';

/** A node as it is registered, apart from whether it can be reached. */
export type NodePlan = Omit<PlannerNode, 'state'>;

/** A node called `n<number>` with cores, memory and GPUs. */
export function aNodePlan(number: number, size: { cores: number; gpus: number }): NodePlan {
  const gpus = Array.from({ length: size.gpus }, (_, index): PlannerGpu => ({
    uuid: `GPU-${String(number)}-${String(index)}`,
    index,
    model: 'Simulated 24G',
    memoryBytes: 24 * 2 ** 30,
    numa: null,
    foreign: null,
    healthy: true,
  }));
  return {
    id: nodeId.parse(String(7000 + number)),
    name: `n${String(number)}`,
    drained: false,
    labels: {},
    cores: size.cores,
    memoryBytes: 64 * 2 ** 30,
    numa: [],
    gpus,
    runtimes: { docker: true, process: true },
    foreignUse: { cores: 0, memoryBytes: 0, gpuUuids: [] },
    load: 0,
    images: new Set(),
  };
}

interface SimulatedNode {
  plan: PlannerNode;
  readonly machine: SimulatedMachine;
  runtimes: readonly SimulatedRuntime[];
}

/** A fleet of simulated machines as one core sees it. */
export class SimulatedFleet implements Fleet {
  readonly #core: CoreId;
  readonly #kinds: readonly RuntimeKind[];
  readonly #nodes = new Map<NodeId, SimulatedNode>();
  readonly #online = new Emitter<NodeId>();
  readonly #offline = new Emitter<{ id: NodeId; reason: string; counted: boolean }>();
  readonly #capacity = new Emitter<NodeId>();
  readonly onDidComeOnline = this.#online.event;
  readonly onDidGoOffline = this.#offline.event;
  readonly onDidChangeCapacity = this.#capacity.event;

  /** @param kinds the runtimes that every machine of it has; one alone unless attempts are told apart by it */
  constructor(core: CoreId, kinds: readonly RuntimeKind[] = ['process']) {
    this.#core = core;
    this.#kinds = kinds;
  }

  add(plan: NodePlan, machine: SimulatedMachine): void {
    this.#nodes.set(plan.id, { plan: { ...plan, state: 'offline' }, machine, runtimes: [] });
    this.#capacity.emit(plan.id);
  }

  /** As the nodes service does it: work there is given up first, then the node is not known any more. */
  remove(id: NodeId): void {
    this.disconnect(id, true);
    this.#nodes.delete(id);
    this.#capacity.emit(id);
  }

  connect(id: NodeId): void {
    const node = this.#nodes.get(id);
    if (node?.machine.isReachable !== true || node.plan.state === 'online') return;
    node.runtimes = this.#kinds.map((kind) => new SimulatedRuntime(node.machine, this.#core, kind));
    this.#setState(id, 'online');
    this.#online.emit(id);
  }

  disconnect(id: NodeId, counted: boolean): void {
    const node = this.#nodes.get(id);
    if (node === undefined) return;
    for (const runtime of node.runtimes) runtime.lose();
    node.runtimes = [];
    this.#setState(id, counted ? 'offline' : 'connecting');
    this.#offline.emit({ id, reason: 'The link dropped.', counted });
  }

  /** Its core is gone: no order of it reaches a machine any more. */
  die(): void {
    for (const { runtimes } of this.#nodes.values()) for (const runtime of runtimes) runtime.die();
  }

  /** Facts, labels, drain or foreign use of a node changed. */
  change(id: NodeId, changes: Partial<NodePlan>): void {
    const node = this.#nodes.get(id);
    if (node === undefined) return;
    node.plan = { ...node.plan, ...changes };
    this.#capacity.emit(id);
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
    return this.#nodes.get(id)?.runtimes.find((runtime) => runtime.kind === kind);
  }
}
