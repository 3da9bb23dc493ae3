// A gang in a pass: all of its members are placed, or none of them, and then room may be kept for it.
import { isCapped, place, placeThere, type Books } from './placing.ts';
import { seatsFor, type Member } from './gang-seats.ts';
import type { Guard } from './guards.ts';
import { hasWaited, unkept, waitedAt } from './keeping.ts';
import type { Placement } from './model.ts';
import type { NodeState } from './node-state.ts';
import type { Entry, Lane, Shape } from './shape.ts';

type PlaceOne = (entry: Entry, index: number) => Placement | undefined;

/** Places all, each where it fits best, one after the other; or none where one finds no room. */
export function startGang(
  lane: Lane,
  books: Books,
  isBackfilled: boolean,
): readonly Placement[] | undefined {
  return tryAll(lane.queue.all(), books, (entry) => place(entry, books, isBackfilled));
}

/** How many of a gang find room one after the other. All is left as it was. */
export function countFitting(lane: Lane, books: Books): number {
  let count = 0;
  const placed: Entry[] = [];
  for (const entry of lane.queue.all()) {
    if (place(entry, books, false) === undefined) break;
    placed.push(entry);
    count += 1;
  }
  takeBack(placed, books);
  return count;
}

/** What is kept for a gang that has waited, or its start where nothing lacks on what was kept. */
export interface Seating {
  readonly placements: readonly Placement[];
  readonly guards: readonly Guard[];
}

/** Undefined where nothing can be kept for it, or not yet. */
export function seatGang(lane: Lane, books: Books, isBackfilled: boolean): Seating | undefined {
  const entries = lane.queue.all();
  const { moment, nodes } = books;
  const isDue = entries.every(({ task }) => hasWaited(task, moment));
  if (!isDue) nodes.noteWait(Math.max(...entries.map(({ task }) => waitedAt(task, moment))));
  if (!isDue || entries.some((entry) => isCapped(entry, books))) return undefined;
  const seats = seatsFor(membersOf(entries, books), moment);
  if (seats === undefined) return undefined;
  const { guards, areFree } = seats;
  const placements = areFree
    ? tryAll(entries, books, (entry, index) => {
        const state = stateOf(guards[index], books);
        return state && placeThere(entry, state, { books, isBackfilled });
      })
    : undefined;
  return placements === undefined ? { placements: [], guards } : { placements, guards: [] };
}

function stateOf(guard: Guard | undefined, { nodes }: Books): NodeState | undefined {
  return guard && nodes.states.get(guard.place.nodeId);
}

function membersOf(entries: readonly Entry[], { nodes }: Books): Member[] {
  const open = new Map<Shape, readonly NodeState[]>();
  return entries.map(({ task, shape }) => {
    const known = open.get(shape) ?? unkept(shape.hopefulNodes(nodes.log()));
    open.set(shape, known);
    return { task, need: shape.need, nodes: known };
  });
}

function tryAll(
  entries: readonly Entry[],
  books: Books,
  placeOne: PlaceOne,
): readonly Placement[] | undefined {
  const placements: Placement[] = [];
  for (const [index, entry] of entries.entries()) {
    const placement = placeOne(entry, index);
    if (placement === undefined) {
      takeBack(entries.slice(0, index), books);
      return undefined;
    }
    placements.push(placement);
  }
  return placements;
}

function takeBack(entries: readonly Entry[], { tasks, moment }: Books): void {
  for (const { task } of entries) tasks.upsert(task, moment);
}
