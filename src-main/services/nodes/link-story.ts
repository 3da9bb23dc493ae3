import type { Instant, NodeId } from '../../contract/ids.ts';
import type { NodeState } from '../../contract/node.ts';
import type { NodeLink } from '../../link/node-link.ts';

/** How the link of a node stands and stood, for diagnosis. */
export interface LinkStory {
  readonly nodeId: NodeId;
  readonly name: string;
  readonly local: boolean;
  readonly state: NodeState;
  /** Since when; null for one that is disabled. */
  readonly since: Instant | null;
  /** A sentence while it is not online. */
  readonly reason: string | null;
  /** How often it dropped since the core started. */
  readonly drops: number;
  /** There while it is open. */
  readonly link: NodeLink | undefined;
}
