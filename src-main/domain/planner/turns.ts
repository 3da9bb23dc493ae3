// Whose turn it is in a pass: lanes by the rank of their first tasks. An owner's score moves with every
// task of theirs that is placed; therefore owners are ordered, and within each owner their lanes.
import { Heap } from './heap.ts';
import { compareRanks, type Rank } from './ranks.ts';
import type { Lane } from './shape.ts';

/** A lane, ranked as its first task but for its owner's score. */
interface Turn extends Rank {
  readonly lane: Lane;
}

interface OwnerTurns extends Rank {
  readonly owner: string;
  readonly lanes: Heap<Turn>;
}

export class Turns {
  readonly #owners: Heap<OwnerTurns>;
  readonly #scoreOf: (owner: string) => number;

  /** @param scoreOf read anew after each placement. */
  constructor(lanes: Iterable<Lane>, scoreOf: (owner: string) => number) {
    this.#scoreOf = scoreOf;
    const byOwner = new Map<string, Turn[]>();
    for (const lane of lanes) {
      const turn = turnOf(lane);
      const others = byOwner.get(lane.owner);
      if (turn === undefined) continue;
      if (others === undefined) byOwner.set(lane.owner, [turn]);
      else others.push(turn);
    }
    const owners = [...byOwner].flatMap(
      ([owner, turns]) => this.#ranked(owner, new Heap<Turn>(compareRanks, turns)) ?? [],
    );
    this.#owners = new Heap<OwnerTurns>(compareRanks, owners);
  }

  /** The lane whose first task comes first of all. */
  get next(): Lane | undefined {
    return this.#owners.top?.lanes.top?.lane;
  }

  /** The first task of the next lane has been placed. */
  moveOn(): void {
    const owner = this.#owners.top;
    if (owner === undefined) return;
    const turn = owner.lanes.top === undefined ? undefined : turnOf(owner.lanes.top.lane);
    if (turn === undefined) owner.lanes.pop();
    else owner.lanes.replaceTop(turn);
    this.#settle(owner);
  }

  /** Nothing more of the next lane can be placed. */
  drop(): void {
    const owner = this.#owners.top;
    owner?.lanes.pop();
    if (owner !== undefined) this.#settle(owner);
  }

  #settle({ owner, lanes }: OwnerTurns): void {
    const ranked = this.#ranked(owner, lanes);
    if (ranked === undefined) this.#owners.pop();
    else this.#owners.replaceTop(ranked);
  }

  #ranked(owner: string, lanes: Heap<Turn>): OwnerTurns | undefined {
    const first = lanes.top;
    if (first === undefined) return undefined;
    return { owner, lanes, step: first.step, score: this.#scoreOf(owner), id: first.id };
  }
}

function turnOf(lane: Lane): Turn | undefined {
  const head = lane.queue.head();
  return head === undefined ? undefined : { lane, step: head.step, score: 0, id: head.task.id };
}
