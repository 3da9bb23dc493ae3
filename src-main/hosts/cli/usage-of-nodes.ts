import type { Api } from '../../contract/client.ts';
import type { MetricsSample, NodeView } from '../../contract/node.ts';
import { snapshotOf } from './first-item.ts';

export interface NodeWithUsage {
  readonly node: NodeView;
  /** Undefined while nothing is measured; what was measured before a node went away is not shown as now. */
  readonly sample: MetricsSample | undefined;
}

/** Nodes with their newest sample. */
export async function withUsage(api: Api, nodes: readonly NodeView[]): Promise<NodeWithUsage[]> {
  const samples = await snapshotOf(await api.nodes.watchUsage());
  const byId = new Map(samples.map(({ nodeId, sample }) => [nodeId, sample]));
  return nodes.map((node) => ({
    node,
    sample: node.state === 'online' ? byId.get(node.id) : undefined,
  }));
}
