// Why a task waits, as data: asked of the predicates and of the kept room that a pass asks.
import type { Accounts } from './accounts.ts';
import { everLacksOn, fitsOn, lacksOn } from './constraints.ts';
import { lets, viewFor, type Moment } from './guards.ts';
import type { Expectation, Explanation, Lack, NodeAnswer, QueuedTask } from './model.ts';
import { needOf, type Need } from './need.ts';
import type { NodeBook } from './node-book.ts';
import type { NodeState } from './node-state.ts';
import { soonestOpening } from './openings.ts';
import { suggest, type Room } from './suggestions.ts';

export interface World {
  readonly nodes: NodeBook;
  readonly accounts: Accounts;
  readonly moment: Moment;
  readonly ahead: number | null;
  /** What keeps its gang from starting as a whole. */
  readonly gang: Lack | undefined;
}

export function explainTask(task: QueuedTask, world: World): Explanation {
  const { nodes, accounts, ahead } = world;
  const need = needOf(task);
  const own = accounts.lacksOf(task, need.gpuCount);
  const caps = world.gang === undefined ? own : [...own, world.gang];
  const answers = [...nodes.states.values()]
    .map((state) => answerOf({ task, need, state }, world.moment))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const isWaiting = !task.held && (caps.length > 0 || !answers.some(({ fits }) => fits));
  return {
    held: task.held,
    ahead,
    caps,
    nodes: answers,
    expected: isWaiting && caps.length === 0 ? expectationOf(task, need, world) : null,
    suggestions:
      isWaiting && task.gang === null ? suggest(task, (other) => roomFor(other, world)) : [],
  };
}

interface Question {
  readonly task: QueuedTask;
  readonly need: Need;
  readonly state: NodeState;
}

/** What one node says to a task. Where nothing but kept room is missing, it says whose that is. */
function answerOf({ task, need, state }: Question, moment: Moment): NodeAnswer {
  const { policy } = moment;
  const plainly = lacksOn(need, state, policy);
  const view = viewFor(state, task, moment);
  const isKept = plainly.length === 0 && view !== state && !fitsOn(need, view, policy);
  const lacks = isKept ? keptFrom({ task, need, state }, moment) : plainly;
  const everLacks = lacks.length === 0 ? [] : everLacksOn(need, state.node, policy);
  return {
    nodeId: state.node.id,
    name: state.node.name,
    fits: lacks.length === 0,
    possible: everLacks.length === 0,
    lacks,
    everLacks,
  };
}

function keptFrom({ task, state }: Question, moment: Moment): Lack[] {
  return state.guards
    .filter((guard) => !lets(guard, task, moment))
    .map(({ by }): Lack => ({ kind: 'kept', by }));
}

/** The node on which the task could start now and has most memory to spare; undefined where none is. */
function roomFor(task: QueuedTask, { nodes, accounts, moment }: World): Room | undefined {
  const need = needOf(task);
  if (accounts.lacksOf(task, need.gpuCount).length > 0) return undefined;
  let best: Room | undefined;
  for (const state of nodes.states.values()) {
    const view = viewFor(state, task, moment);
    if (!fitsOn(need, view, moment.policy)) continue;
    const { freeCores, freeMemoryBytes, node } = view;
    const isBetter =
      best === undefined ||
      freeMemoryBytes > best.freeMemoryBytes ||
      (freeMemoryBytes === best.freeMemoryBytes && node.name < best.node);
    if (isBetter) best = { node: node.name, freeCores, freeMemoryBytes };
  }
  return best;
}

function expectationOf(task: QueuedTask, need: Need, world: World): Expectation | null {
  const { nodes, moment } = world;
  const asking = { task, need, moment };
  const hopeful = [...nodes.states.values()].filter(
    (state) =>
      state.node.state === 'online' &&
      !state.node.drained &&
      fitsOn(need, state.emptied(), moment.policy),
  );
  const claim = nodes.claims.find(({ by }) => by.id === task.id);
  const own = hopeful.filter(({ node }) => node.id === claim?.place.nodeId);
  const name = own[0]?.node.name;
  if (claim?.by.kind === 'task' && claim.by.at === null && name !== undefined) {
    return { kind: 'kept', node: name };
  }
  const opening = soonestOpening(name === undefined ? hopeful : own, asking);
  if (opening !== undefined) {
    const { state, at, after } = opening;
    const kind = name === undefined ? 'possible' : 'promised';
    return { kind, node: state.node.name, at, after };
  }
  const from = task.waitingSince + moment.policy.waitMs;
  return world.ahead === 0 && hopeful.length > 0 && from > moment.now
    ? { kind: 'will-be-kept', from }
    : null;
}
