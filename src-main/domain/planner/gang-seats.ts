// Where the members of a gang go that cannot all start yet: a node for each, on which what it needs is
// kept as it frees up, until there is room for all of them.
import { fitsOn } from './constraints.ts';
import { compareFits, measureFit, placeOn, type Fit } from './fit.ts';
import { viewFor, type Guard, type Moment } from './guards.ts';
import { Heap } from './heap.ts';
import { guardOn, missingOn } from './keeping.ts';
import type { QueuedTask } from './model.ts';
import type { Need } from './need.ts';
import type { NodeState } from './node-state.ts';

export interface Member {
  readonly task: QueuedTask;
  readonly need: Need;
  /** Those that come into question for it. */
  readonly nodes: readonly NodeState[];
}

export interface Seats {
  /** One for each member, in their order. */
  readonly guards: readonly Guard[];
  /** Whether nothing is lacking on any of them. */
  readonly areFree: boolean;
}

/**
 * A node for each member, one member after the other: of those that have room for it beside the members
 * before it once nothing else runs there, and leave the rest room on others, the one on which it lacks
 * least now. Undefined where the nodes have no room for all even when they are empty.
 *
 * Which nodes may be chosen does not depend on what runs. So while the seats are kept, the first member
 * lacks less with everything that ends on its node, and moves only to where it lacks less still; once it
 * stays, the same goes for the second; all start after a bounded number of ends.
 */
export function seatsFor(members: readonly Member[], moment: Moment): Seats | undefined {
  const hall = new Hall(moment);
  // Between members that need the same, no choice takes away more room than another.
  const areAlike = members.every(({ need }) => need === members[0]?.need);
  const guards: Guard[] = [];
  let areFree = true;
  for (const [at, member] of members.entries()) {
    const rest = areAlike ? [] : members.slice(at + 1);
    const bid = hall.leastLacking(member, (node) => hall.leavesRoom({ member, node, rest }));
    if (bid === undefined) return undefined;
    areFree &&= bid.missing === 0;
    guards.push(hall.seat(member, bid.node));
  }
  return { guards, areFree };
}

/** What a member lacks on a node beside those that were seated there before. */
interface Bid {
  readonly node: NodeState;
  readonly missing: number;
  /** So many were seated on the node when it was made; it is void when there are more. */
  readonly seated: number;
}

interface Room {
  /** The node with nothing on it but the members seated there. */
  readonly empty: NodeState;
  /** What they have of it. Replaced, not changed: views of the node are known by it. */
  guards: readonly Guard[];
}

interface Choice {
  readonly member: Member;
  readonly node: NodeState;
  readonly rest: readonly Member[];
}

class Hall {
  readonly #moment: Moment;
  readonly #rooms = new Map<NodeState, Room>();
  /** Members that need the same lack the same. */
  readonly #bids = new Map<Need, Heap<Bid>>();

  constructor(moment: Moment) {
    this.#moment = moment;
  }

  /** Of the nodes that may be chosen the one on which the member lacks least, by name where two are alike. */
  leastLacking(member: Member, mayChoose: (node: NodeState) => boolean): Bid | undefined {
    const bids = this.#bidsOf(member);
    const passedOver: Bid[] = [];
    let best: Bid | undefined;
    for (let bid = bids.top; bid !== undefined && best === undefined; bid = bids.top) {
      bids.pop();
      if (bid.seated < this.#roomOn(bid.node).guards.length) this.#bid(member, bid.node);
      else if (mayChoose(bid.node)) best = bid;
      else passedOver.push(bid);
    }
    for (const bid of passedOver) bids.push(bid);
    return best;
  }

  seat({ task, need }: Member, node: NodeState): Guard {
    const guard = guardOn(this.#viewOf(node, task), { task, need, moment: this.#moment });
    const room = this.#roomOn(node);
    room.guards = [...room.guards, guard];
    room.empty.hold(task.id, placeOn(need, room.empty, this.#moment.policy));
    this.#bid({ task, need }, node);
    return guard;
  }

  /** Whether the rest finds room on empty nodes, each on its best fit, once the member is on this one. */
  leavesRoom({ member, node, rest }: Choice): boolean {
    if (rest.length === 0) return true;
    const { policy } = this.#moment;
    const trial = new Map<NodeState, NodeState>();
    const emptyOf = (one: NodeState) => trial.get(one) ?? this.#roomOn(one).empty;
    const put = ({ task, need }: Member, on: NodeState) => {
      const copy = emptyOf(on).copy();
      copy.hold(task.id, placeOn(need, copy, policy));
      trial.set(on, copy);
    };
    put(member, node);
    for (const other of rest) {
      const best = this.#bestOf(other, emptyOf);
      if (best === undefined) return false;
      put(other, best);
    }
    return true;
  }

  #bestOf({ need, nodes }: Member, emptyOf: (node: NodeState) => NodeState): NodeState | undefined {
    const { policy } = this.#moment;
    let best: { readonly node: NodeState; readonly fit: Fit } | undefined;
    for (const node of nodes) {
      const empty = emptyOf(node);
      if (!fitsOn(need, empty, policy)) continue;
      const fit = measureFit(need, empty, policy);
      if (best === undefined || compareFits(fit, best.fit) < 0) best = { node, fit };
    }
    return best?.node;
  }

  #bidsOf(member: Member): Heap<Bid> {
    const known = this.#bids.get(member.need);
    if (known !== undefined) return known;
    const bids = new Heap<Bid>(compareBids);
    this.#bids.set(member.need, bids);
    for (const node of member.nodes) this.#bid(member, node);
    return bids;
  }

  /** Nothing where the node has no room for it any more, even without what runs there. */
  #bid({ task, need }: Pick<Member, 'task' | 'need'>, node: NodeState): void {
    const { empty, guards } = this.#roomOn(node);
    if (!fitsOn(need, empty, this.#moment.policy)) return;
    const missing = missingOn(this.#viewOf(node, task), need, this.#moment);
    this.#bids.get(need)?.push({ node, missing, seated: guards.length });
  }

  /** The node as the gang may use it, without what its members before have. */
  #viewOf(node: NodeState, task: QueuedTask): NodeState {
    const view = viewFor(node, task, this.#moment);
    const { guards } = this.#roomOn(node);
    return guards.length === 0 ? view : view.without(guards);
  }

  #roomOn(node: NodeState): Room {
    const known = this.#rooms.get(node);
    if (known !== undefined) return known;
    const room = { empty: node.emptied().copy(), guards: [] };
    this.#rooms.set(node, room);
    return room;
  }
}

function compareBids(a: Bid, b: Bid): number {
  return a.missing - b.missing || (a.node.node.name < b.node.node.name ? -1 : 1);
}
