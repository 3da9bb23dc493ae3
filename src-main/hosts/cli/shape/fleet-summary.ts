import { nodeStates } from '../../../contract/node.ts';
import type { NodeWithUsage } from '../usage-of-nodes.ts';

/** All nodes as one computer: what there is, what is held, what others use. Only online nodes count as capacity. */
export function fleetSummary(nodes: readonly NodeWithUsage[]) {
  const online = nodes.filter(({ node }) => node.state === 'online');
  const sum = (value: (entry: NodeWithUsage) => number): number =>
    online.reduce((total, entry) => total + value(entry), 0);
  return {
    nodes: Object.fromEntries(
      nodeStates.map((state) => [state, nodes.filter(({ node }) => node.state === state).length]),
    ) as Record<(typeof nodeStates)[number], number>,
    drained: nodes.filter(({ node }) => node.drained).length,
    cores: {
      total: sum(({ node }) => node.facts?.cores ?? 0),
      held: sum(({ node }) => node.allocated.cores),
    },
    memoryBytes: {
      total: sum(({ node }) => node.facts?.memoryBytes ?? 0),
      held: sum(({ node }) => node.allocated.memoryBytes),
      used: sum(({ sample }) => sample?.memoryUsedBytes ?? 0),
    },
    gpus: {
      total: sum(({ node }) => node.facts?.gpus.length ?? 0),
      held: sum(({ node }) => node.allocated.gpus.length),
      foreign: sum(foreignGpus),
    },
    tasks: sum(({ node }) => node.activeTasks),
  };
}

/** GPUs somebody uses who holds them by no core. */
function foreignGpus({ node, sample }: NodeWithUsage): number {
  const held = new Set(node.allocated.gpus.map(({ uuid }) => uuid));
  return (sample?.gpus ?? []).filter((gpu) => gpu.foreign && !held.has(gpu.uuid)).length;
}
