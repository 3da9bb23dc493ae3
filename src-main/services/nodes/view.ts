// A node as clients and the planner see it.
import type { NodeView } from '../../contract/node.ts';
import { foreignUser } from '../../domain/nodes/foreign-gpus.ts';
import type { PlannerGpu, PlannerNode } from '../../domain/planner/model.ts';
import type { NodeRecord } from '../../store/node-rows.ts';
import type { FleetNode } from '../fleet.ts';
import type { ManagedNode } from './managed-node.ts';

function allocatedOn(node: ManagedNode): NodeView['allocated'] {
  const { holdings, session } = node;
  const sum = (value: (place: (typeof holdings)[number]['place']) => number) =>
    holdings.reduce((total, { place }) => total + value(place), 0);
  const ours = holdings.flatMap(({ taskId, place }) =>
    place.gpus.map(({ uuid }) => ({ uuid, taskId, core: null })),
  );
  const theirs = [...(session?.foreign.gpus ?? [])].map(([uuid, core]) => ({
    uuid,
    taskId: null,
    core,
  }));
  return {
    cores: sum((place) => place.cores) + (session?.foreign.cores ?? 0),
    memoryBytes: sum((place) => place.memoryBytes) + (session?.foreign.memoryBytes ?? 0),
    gpus: [...ours, ...theirs],
  };
}

function describeJump({
  user,
  host,
  port,
}: {
  user?: string | undefined;
  host: string;
  port?: number | undefined;
}): string {
  const name = host.includes(':') ? `[${host}]` : host;
  return `${user === undefined ? '' : `${user}@`}${name}:${String(port ?? 22)}`;
}

function whereabouts({
  address,
}: NodeRecord): Pick<NodeView, 'address' | 'port' | 'user' | 'jumps'> {
  if (address === null) return { address: null, port: null, user: null, jumps: [] };
  const { destination, resolved, jumps } = address;
  return {
    address: resolved?.host ?? destination.host,
    port: resolved?.port ?? destination.port ?? 22,
    user: resolved?.user ?? destination.user ?? null,
    jumps: jumps.map(describeJump),
  };
}

/** The node as every client sees it. */
export function viewOf(node: ManagedNode): NodeView {
  const { record, absence, state } = node;
  return {
    id: record.id,
    name: record.name,
    local: record.local,
    ...whereabouts(record),
    auth: record.auth.kind,
    state,
    reasonKind: state === 'offline' ? (absence?.kind ?? null) : null,
    reason: absence?.reason ?? null,
    drained: record.drained,
    lastSeen: record.lastSeen,
    addedAt: record.addedAt,
    labels: record.labels,
    facts: record.facts,
    findings: node.findings,
    allocated: allocatedOn(node),
    activeTasks: node.holdings.length,
  };
}

/** The node as the task side sees it. */
export function fleetNodeOf(node: ManagedNode): FleetNode {
  const { record, state, absence } = node;
  const disabled = state === 'disabled' ? 'The node is disabled.' : null;
  return {
    id: record.id,
    name: record.name,
    state,
    reason: absence?.reason ?? disabled,
    facts: record.facts,
  };
}

function plannerGpus(node: ManagedNode): PlannerGpu[] {
  const { session, record } = node;
  const samples = new Map(session?.gpus.samples.map((sample) => [sample.uuid, sample]));
  return (record.facts?.gpus ?? []).map((gpu) => {
    const by = session?.foreign.gpus.get(gpu.uuid) ?? foreignUser(samples.get(gpu.uuid));
    return {
      uuid: gpu.uuid,
      index: gpu.index,
      model: gpu.name,
      memoryBytes: gpu.memoryBytes,
      numa: gpu.numa,
      foreign: by === null ? null : { by },
      healthy: session?.isHealthy(gpu) ?? record.facts?.gpuProblem === null,
    };
  });
}

/** What the hardware offers; without facts, nothing. */
function capacityOf(
  node: ManagedNode,
): Pick<PlannerNode, 'cores' | 'memoryBytes' | 'numa' | 'gpus'> {
  const { facts } = node.record;
  if (facts === null) return { cores: 0, memoryBytes: 0, numa: [], gpus: [] };
  const numa = facts.numa.map(({ id, cores, memoryBytes }) => ({
    id,
    cores: cores.length,
    memoryBytes,
  }));
  return { cores: facts.cores, memoryBytes: facts.memoryBytes, numa, gpus: plannerGpus(node) };
}

/** What can be used now. While the node is away, what it last could do: a task may wait for it. */
function usableOn({
  session,
  record: { facts },
}: ManagedNode): Pick<PlannerNode, 'runtimes' | 'foreignUse' | 'images'> {
  if (session === undefined) {
    return {
      runtimes: {
        docker: facts !== null && facts.docker !== null,
        process: facts?.process === true,
      },
      foreignUse: { cores: 0, memoryBytes: 0, gpuUuids: [] },
      images: new Set(),
    };
  }
  const { cores, memoryBytes, gpus } = session.foreign;
  return {
    runtimes: {
      docker: session.runtime('docker') !== undefined,
      process: session.runtime('process') !== undefined,
    },
    foreignUse: { cores, memoryBytes, gpuUuids: [...gpus.keys()] },
    images: session.images,
  };
}

/** The node as the planner sees it. Without facts it has room for nothing. */
export function plannerNodeOf(node: ManagedNode): PlannerNode {
  const { record, state } = node;
  return {
    id: record.id,
    name: record.name,
    state,
    drained: record.drained,
    labels: record.labels,
    ...capacityOf(node),
    ...usableOn(node),
    load: node.history.newest?.cpu ?? 0,
  };
}
