// When a task that does not fit could start, as far as time limits tell; and what has to be kept for
// it until then (EASY backfill).
import type { Instant } from '../../contract/ids.ts';
import type { Place } from '../task.ts';
import { fitsOn } from './constraints.ts';
import { placeOn } from './fit.ts';
import { lets, viewFor, type Guard, type Moment, type Passer } from './guards.ts';
import type { QueuedTask } from './model.ts';
import type { Need } from './need.ts';
import type { Ending, NodeState } from './node-state.ts';

/** A moment at which a node has room for a task. */
export interface Opening {
  readonly state: NodeState;
  readonly at: Instant;
  /** Whose end makes the room; null where it is the end of a reservation. */
  readonly after: string | null;
  readonly place: Place;
  /** What comes free until then. */
  readonly freed: readonly Ending[];
}

export interface Asking {
  readonly task: QueuedTask;
  readonly need: Need;
  readonly moment: Moment;
}

/** The soonest opening on any of the nodes, by name where two are as soon; undefined where none is known. */
export function soonestOpening(states: Iterable<NodeState>, asking: Asking): Opening | undefined {
  let best: Opening | undefined;
  for (const state of states) {
    // Sums tell quickly that a node cannot be sooner.
    const bound = leastWait(state, asking);
    if (bound === Infinity || (best !== undefined && bound > best.at)) continue;
    const opening = openingOn(state, asking);
    if (opening === undefined) continue;
    const isSooner =
      best === undefined ||
      opening.at < best.at ||
      (opening.at === best.at && state.node.name < best.state.node.name);
    if (isSooner) best = opening;
  }
  return best;
}

/** Not before this has the node enough of everything in sum; Infinity where nobody knows. */
function leastWait(state: NodeState, { task, need, moment }: Asking): Instant {
  const isKeptOff = state.guards.length > 0 && state.guards.some((g) => !lets(g, task, moment));
  if (isKeptOff) return moment.now;
  // Asked for of every node in each pass, and few of them have changed.
  const known = moment.policy.useForeignGpus ? undefined : state.enoughAt.get(need);
  const at = known ?? enoughAt(state, need, moment);
  if (known === undefined && !moment.policy.useForeignGpus) state.enoughAt.set(need, at);
  return Math.max(moment.now, at);
}

/** When enough of everything is free in sum; -Infinity: it is, Infinity: nobody knows. */
function enoughAt(state: NodeState, need: Need, { policy }: Moment): number {
  const countsGpus = need.gpuIndices === null && !policy.useForeignGpus;
  let gpus = countsGpus ? need.gpuCount - state.freeGpus : 0;
  let cores = need.cores - state.freeCores;
  let memory = need.memoryBytes === 0 ? 0 : need.memoryBytes - state.freeMemoryBytes;
  if (Math.max(gpus, cores, memory) <= 0) return -Infinity;
  for (const { place, endsAt } of state.endings) {
    gpus -= place.gpus.length;
    cores -= place.cores;
    memory -= place.memoryBytes;
    if (Math.max(gpus, cores, memory) <= 0) return endsAt;
  }
  return Infinity;
}

/** The first moment at which the task fits on a node, when nothing new starts there. */
export function openingOn(state: NodeState, { task, need, moment }: Asking): Opening | undefined {
  const { policy } = moment;
  const trial = state.copy();
  trial.guards = state.guards.filter(({ by }) => by.kind === 'reservation');
  const freed: Ending[] = [];
  for (const next of momentsOf(state, trial.guards)) {
    if (next.ending !== null) {
      trial.release(next.ending.holder);
      freed.push(next.ending);
    }
    // What is past its limit is being ended.
    const at = Math.max(moment.now, next.at);
    const view = viewFor(trial, task, { now: at, policy });
    if (!fitsOn(need, view, policy)) continue;
    const after = next.ending?.holder ?? null;
    return { state, at, after, place: placeOn(need, view, policy), freed };
  }
  return undefined;
}

interface NextMoment {
  readonly at: Instant;
  readonly ending: Ending | null;
}

function momentsOf(state: NodeState, reservations: readonly Guard[]): readonly NextMoment[] {
  const moments: NextMoment[] = state.endings.map((ending) => ({ at: ending.endsAt, ending }));
  if (reservations.length === 0) return moments;
  for (const { by } of reservations) {
    if (by.kind === 'reservation') moments.push({ at: by.to, ending: null });
  }
  return moments.sort((a, b) => a.at - b.at);
}

/**
 * What a task that starts at an opening lets others have until then: those that are over in time
 * everything, the rest what it will not need.
 */
export function guardUntil(opening: Opening, task: Passer): Guard {
  const { place, freed, at } = opening;
  const sum = (of: (held: Place) => number, from = freed) =>
    from.reduce((total, ending) => total + of(ending.place), 0);
  // On a pinned task's NUMA node only what comes free there helps.
  const near = place.numa === null ? freed : freed.filter((one) => one.place.numa === place.numa);
  return {
    by: { kind: 'task', id: task.id, at },
    place: {
      ...place,
      cores: Math.max(0, place.cores - sum(({ cores }) => cores, near)),
      memoryBytes: Math.max(0, place.memoryBytes - sum(({ memoryBytes }) => memoryBytes, near)),
    },
  };
}
