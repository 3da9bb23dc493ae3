// What the task side of the core needs of the nodes. The nodes service implements it; simulated
// nodes do in tests.
import type { NodeId } from '../contract/ids.ts';
import type { RuntimeKind } from '../contract/task.ts';
import type { NodeFacts } from '../contract/node.ts';
import type { PlannerNode } from '../domain/planner/model.ts';
import type { Event } from '../domain/emitter.ts';
import type { Runtime } from '../runtimes/runtime.ts';

export interface FleetNode {
  readonly id: NodeId;
  readonly name: string;
  readonly state: 'online' | 'connecting' | 'offline' | 'disabled';
  /** A sentence; null while online. */
  readonly reason: string | null;
  readonly facts: NodeFacts | null;
}

export interface Fleet {
  /** Every registered node as the planner sees it, in the order of names. Cheap to call. */
  plannerNodes(): readonly PlannerNode[];
  node(id: NodeId): FleetNode | undefined;
  /** By name or ID. */
  find(reference: string): FleetNode | undefined;
  /** Undefined unless the node is online and can do this. */
  runtime(id: NodeId, kind: RuntimeKind): Runtime | undefined;
  /** The node is online and its runtimes are usable: reconcile now. Fires again after each reconnect, and when a runtime appears that was not there (Docker came up). */
  readonly onDidComeOnline: Event<NodeId>;
  /** The link is gone; whatever ran there goes on or not, we cannot know. Fires at once when the link drops (`grace` false→ state is `connecting`) and again when it counts as offline. */
  readonly onDidGoOffline: Event<{
    readonly id: NodeId;
    readonly reason: string;
    readonly counted: boolean;
  }>;
  /** Something the planner reads changed: facts, labels, drain, foreign use, a node added or removed. */
  readonly onDidChangeCapacity: Event<NodeId>;
}
