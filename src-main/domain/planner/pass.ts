// One pass: what fits is placed, in the order of the queue; for the first that do not fit room is kept.
import { seatGang, startGang } from './gang-start.ts';
import { Heads } from './heads.ts';
import { guardFromNow, hasWaited, unkept, waitedAt } from './keeping.ts';
import type { Placement } from './model.ts';
import { guardUntil, soonestOpening } from './openings.ts';
import { isCapped, place, type Books } from './placing.ts';
import type { Entry, Lane } from './shape.ts';
import { Turns } from './turns.ts';

/** Places all that fits, counts it as placed, and claims what is kept. */
export function runPass(books: Books): Placement[] {
  const { tasks, nodes, accounts, moment } = books;
  tasks.age(moment);
  nodes.clearClaims();
  const placements: Placement[] = [];
  const heads = new Heads(tasks.shapes);
  const turns = new Turns(tasks.readyLanes(), (owner) => accounts.scoreOf(owner));
  for (let lane = turns.next; lane !== undefined && heads.isOpen; lane = turns.next) {
    const placed = placeNext(lane, heads, books);
    placements.push(...placed);
    // Nothing frees within a pass: what does not fit now does not fit later in it.
    if (placed.length > 0) turns.moveOn();
    else turns.drop();
  }
  nodes.trimChanges();
  return placements;
}

/** Places the first of a lane, or all of a gang; or has room kept for it. */
function placeNext(lane: Lane, heads: Heads, books: Books): readonly Placement[] {
  if (lane.gang !== null) return placeGang(lane, heads, books);
  const entry = lane.queue.head();
  if (entry === undefined) return [];
  const placement = place(entry, books, heads.count > 0);
  if (placement !== undefined) return [placement];
  keepRoom(entry, heads, books);
  return [];
}

function placeGang(lane: Lane, heads: Heads, books: Books): readonly Placement[] {
  const placements = startGang(lane, books, heads.count > 0);
  if (placements !== undefined) return placements;
  if (heads.isFull) return [];
  const seating = seatGang(lane, books, heads.count > 0);
  if (seating === undefined) return [];
  if (seating.placements.length > 0) return seating.placements;
  for (const guard of seating.guards) books.nodes.claim(guard);
  addHead(heads, books);
  return [];
}

/**
 * Keeps room for one of the first that do not fit: until it can start, where time limits tell when; or
 * as it frees up, once it has waited.
 */
function keepRoom(entry: Entry, heads: Heads, books: Books): void {
  const { task, shape } = entry;
  const { nodes, moment } = books;
  if (!heads.mayTake(shape) || isCapped(entry, books)) return;
  const states = unkept(shape.hopefulNodes(nodes.log()));
  if (states.length === 0) {
    heads.giveUp(shape);
    return;
  }
  const asking = { task, need: shape.need, moment };
  const opening = soonestOpening(states, asking);
  if (opening !== undefined) nodes.claim(guardUntil(opening, task));
  else if (hasWaited(task, moment)) {
    const guard = guardFromNow(states, asking);
    if (guard !== undefined) nodes.claim(guard);
  } else nodes.noteWait(waitedAt(task, moment));
  addHead(heads, books);
}

function addHead(heads: Heads, { nodes }: Books): void {
  heads.count += 1;
  if (heads.isFull) heads.closeAllBut((shape) => shape.fitsAnywhere(nodes.log()));
}
