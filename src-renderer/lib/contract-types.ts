// Types the contract defines only as schemas.
import type { z } from 'zod';
import type { NodeId } from '../../src-main/contract/ids.ts';
import type { MetricsSample, NodeView } from '../../src-main/contract/node.ts';
import type { coreStatus, taskWindowChange } from '../../src-main/contract/procedures.ts';

export type CoreStatus = z.infer<typeof coreStatus>;
/** What the feed of nodes says. */
export type NodeChange = { upsert: NodeView } | { removed: NodeId };
export interface NodeUsage {
  nodeId: NodeId;
  sample: MetricsSample;
}
export type TaskWindowChange = z.infer<typeof taskWindowChange>;
