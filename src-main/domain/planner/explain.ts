// Explanations in words. The data come from the predicates that place (constraints.ts).
import type { WaitReason } from '../../contract/task.ts';
import { formatBytes } from '../size.ts';
import { capitalized, counted as things } from '../words.ts';
import type { Keeper } from './guards.ts';
import type { Cap, Expectation, Explanation, GpusLack, Lack, NodeAnswer } from './model.ts';

/** What people call another task: `task "train" (7312…)`, or by its ID alone. */
export type TaskWords = (id: string) => string;

const byIdAlone: TaskWords = (id) => `task ${id}`;

/** One lack as a sentence without its full stop, e.g. `2 GPUs wanted; 1 is free, 1 is used by anna (PID 3312) outside the queue`. */
export function describeLack(lack: Lack, words = byIdAlone): string {
  if (isChoice(lack)) return describeChoice(lack);
  if (isCap(lack)) return describeCap(lack);
  if (isCompany(lack)) return describeCompany(lack, words);
  switch (lack.kind) {
    case 'node-state':
      return stateWords[lack.state];
    case 'drained':
      return 'the node is drained: it takes nothing new';
    case 'label':
      return `label ${lack.key}=${lack.wanted} wanted; ${lack.has === null ? 'the node has no such label' : `here it is ${lack.has}`}`;
    case 'runtime':
      return lack.runtime === 'docker'
        ? 'Docker cannot be used on this node'
        : 'plain processes cannot be run on this node';
    case 'numa-absent':
      return `there is no NUMA node ${String(lack.numa)}`;
    default:
      return describeAmount(lack, words);
  }
}

type AmountLack = Extract<
  Lack,
  { readonly kind: 'cores' | 'memory' | 'gpu-absent' | 'gpu-held' | 'gpu-unhealthy' | 'gpus' }
>;

/** Others who are on the node, or are to be. */
type Company = Extract<Lack, { readonly kind: 'exclusive' | 'held-exclusively' | 'kept' }>;

function isCompany(lack: Lack): lack is Company {
  return ['exclusive', 'held-exclusively', 'kept'].includes(lack.kind);
}

function describeCompany(lack: Company, words: TaskWords): string {
  if (lack.kind === 'kept') return describeKeeper(lack.by, words);
  return lack.kind === 'exclusive'
    ? `the node is wanted for the task alone; ${things(lack.holders, 'task')} ${isAre(lack.holders)} on it`
    : `${words(lack.by)} has the node for itself`;
}

function describeKeeper(by: Keeper, words: TaskWords): string {
  if (by.kind === 'task') {
    return by.at === null
      ? `what is free is kept for ${words(by.id)}, which comes first and has waited longer`
      : `what is free is kept for ${words(by.id)}, which comes first and is to start by ${timeOf(by.at)}`;
  }
  return `it is reserved for ${by.owners.join(', ')} from ${timeOf(by.from)} to ${timeOf(by.to)}`;
}

/** In UTC: the domain knows no place. */
function timeOf(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

function isCap(lack: Lack): lack is Cap {
  return ['owner-tasks', 'owner-gpus', 'label-cap', 'gang'].includes(lack.kind);
}

function describeCap(lack: Cap): string {
  switch (lack.kind) {
    case 'owner-tasks':
      return `${things(lack.held, 'task')} of ${lack.owner} ${isAre(lack.held)} running, and at most ${String(lack.most)} of one owner run at a time`;
    case 'owner-gpus':
      return lack.wanted > lack.most
        ? `${things(lack.wanted, 'GPU')} wanted; one owner may hold ${String(lack.most)} at most, so it can never start`
        : `${things(lack.held, 'GPU')} ${isAre(lack.held)} held by ${lack.owner}, and one owner may hold ${String(lack.most)} at most`;
    case 'label-cap':
      return `${things(lack.held, 'task')} labelled ${lack.label} ${isAre(lack.held)} running, and at most ${String(lack.most)} run at a time`;
    case 'gang':
      return lack.unready > 0
        ? `its gang of ${String(lack.size)} starts together, and ${String(lack.unready)} of it ${isAre(lack.unready)} not ready to start`
        : `its gang of ${String(lack.size)} starts together, and there is room for ${String(lack.fitting)} of it`;
  }
}

function describeAmount(lack: AmountLack, words: TaskWords): string {
  switch (lack.kind) {
    case 'cores':
      if (lack.total === 0) return 'what it has is not known yet: it was never reached';
      return `${things(lack.wanted, 'core')} wanted; ${String(lack.free)} of ${String(lack.total)} ${isAre(lack.free)} free${onNuma(lack.numa)}${heldByOthers(lack.heldByOthers)}`;
    case 'memory':
      return `${formatBytes(lack.wantedBytes)} of memory wanted; ${formatBytes(lack.freeBytes)} of ${formatBytes(lack.totalBytes)} is free${onNuma(lack.numa)}`;
    case 'gpu-absent':
      return `there is no GPU ${String(lack.index)}; the node has ${lack.count === 0 ? 'none' : things(lack.count, 'GPU')}`;
    case 'gpu-held':
      return `GPU ${String(lack.index)} is held by ${lack.by === null ? 'another core' : words(lack.by)}`;
    case 'gpu-unhealthy':
      return `GPU ${String(lack.index)} does not answer or is faulty`;
    case 'gpus':
      return describeGpus(lack);
  }
}

/** `, 2 are held by tasks of another KohakuRiver`: nobody finds them in this queue. */
function heldByOthers(count: number): string {
  return count === 0
    ? ''
    : `, ${String(count)} ${isAre(count)} held by tasks of another KohakuRiver`;
}

const stateWords = {
  connecting: 'the node is being connected',
  offline: 'the node is offline',
  disabled: 'the node is disabled',
} as const;

function describeGpus(lack: GpusLack): string {
  const model = lack.model === null ? '' : ` with "${lack.model}" in the model name`;
  const size =
    lack.minMemoryBytes === null ? '' : ` with at least ${formatBytes(lack.minMemoryBytes)}`;
  return `${things(lack.wanted, 'GPU')}${model}${size} wanted; ${gpusThere(lack)}`;
}

function gpusThere(lack: GpusLack): string {
  if (lack.total === 0) return 'the node has none';
  if (lack.suitable === 0) return `none of its ${things(lack.total, 'GPU')} is such`;
  if (lack.suitable < lack.wanted) {
    return lack.suitable === lack.total
      ? `the node has ${String(lack.total)}`
      : `the node has ${String(lack.suitable)} such`;
  }
  const parts = [
    `${lack.free === 0 ? 'none' : String(lack.free)} ${lack.free === 0 ? 'is' : isAre(lack.free)} free`,
  ];
  if (lack.held > 0) parts.push(`${String(lack.held)} ${isAre(lack.held)} held by tasks`);
  if (lack.foreign > 0) {
    parts.push(
      `${String(lack.foreign)} ${isAre(lack.foreign)} used by ${lack.foreignBy.join(', ')} outside the queue`,
    );
  }
  if (lack.unhealthy > 0) {
    parts.push(
      `${String(lack.unhealthy)} ${lack.unhealthy === 1 ? 'does' : 'do'} not answer or ${isAre(lack.unhealthy)} faulty`,
    );
  }
  return parts.join(', ');
}

function isAre(count: number): string {
  return count === 1 ? 'is' : 'are';
}

function onNuma(numa: number | null): string {
  return numa === null ? '' : ` on NUMA node ${String(numa)}`;
}

/** The explanation as clients get it. */
export function toWaitReason(explanation: Explanation, words = byIdAlone): WaitReason {
  return {
    summary: summarize(explanation, words),
    ahead: explanation.ahead,
    expected: expectedOf(explanation.expected, words),
    suggestions: [...explanation.suggestions],
    nodes: explanation.nodes.map(({ nodeId, name, fits, possible, lacks }) => ({
      nodeId,
      node: name,
      fits,
      possible,
      lacks: lacks.map((lack) => describeLack(lack, words)),
    })),
  };
}

function expectedOf(expected: Expectation | null, words: TaskWords): WaitReason['expected'] {
  if (expected === null) return null;
  switch (expected.kind) {
    case 'kept':
      return {
        at: null,
        isPromise: true,
        why: `What it needs is kept for it on ${expected.node} as it frees up. Tasks there have no time limit, so nobody knows when that is.`,
      };
    case 'will-be-kept':
      return {
        at: null,
        isPromise: false,
        why: `It comes first. Should it still wait at ${timeOf(expected.from)}, what it needs is kept for it as it frees up. Tasks on the nodes have no time limit, so nobody knows when that is.`,
      };
    case 'promised':
      return {
        at: expected.at,
        isPromise: true,
        why: `Room is kept for it on ${expected.node}; ${endOf(expected, words)} by then at the latest.`,
      };
    case 'possible':
      return {
        at: expected.at,
        isPromise: false,
        why: `On ${expected.node} ${endOf(expected, words)} by then at the latest. Tasks before it in the queue may take the room.`,
      };
  }
}

function endOf({ after }: { readonly after: string | null }, words: TaskWords): string {
  return after === null ? 'a reservation is over' : `${words(after)} is over by its time limit`;
}

function summarize({ held, nodes, caps }: Explanation, words: TaskWords): string {
  const list = (lacks: readonly Lack[]) =>
    lacks.map((lack) => describeLack(lack, words)).join('; ');
  if (held) return 'It is on hold until somebody releases it.';
  if (caps.length > 0) return `${capitalized(list(caps))}.`;
  if (nodes.length === 0) return 'There are no nodes yet.';
  const fitting = nodes.filter(({ fits }) => fits);
  const [first] = fitting;
  if (first !== undefined) {
    const others = fitting.length === 1 ? '' : ` and ${things(fitting.length - 1, 'other node')}`;
    return `It fits on ${first.name}${others} now.`;
  }
  const possible = nodes.filter((node) => node.possible);
  const nearest = nearestNode(possible.length > 0 ? possible : nodes);
  if (nearest === undefined) return 'There are no nodes yet.';
  if (possible.length === 0) {
    return `No node could ever run it. Nearest is ${nearest.name}: ${list(nearest.everLacks)}.`;
  }
  const where =
    possible.length === 1 ? '' : ` (one of ${String(possible.length)} nodes that could run it)`;
  return `It waits for ${nearest.name}${where}: ${list(nearest.lacks)}.`;
}

/**
 * The node that lacks least: first by what it can never give, then by what it cannot give now, then
 * by name.
 */
export function nearestNode(nodes: readonly NodeAnswer[]): NodeAnswer | undefined {
  let nearest: { readonly node: NodeAnswer; readonly distance: number } | undefined;
  for (const node of nodes) {
    const distance = distanceOf(node.everLacks) * 1000 + distanceOf(node.lacks);
    const gap = nearest === undefined ? -1 : distance - nearest.distance;
    if (nearest === undefined || gap < 0 || (gap === 0 && node.name < nearest.node.name)) {
      nearest = { node, distance };
    }
  }
  return nearest?.node;
}

function distanceOf(lacks: readonly Lack[]): number {
  return lacks.reduce((sum, lack) => sum + weightOf(lack), 0);
}

/** What people chose, or what follows from it. */
type Choice = Extract<Lack, { kind: 'not-the-target' | 'disk-elsewhere' | 'avoided' }>;

function isChoice(lack: Lack): lack is Choice {
  return ['not-the-target', 'disk-elsewhere', 'avoided'].includes(lack.kind);
}

function describeChoice(lack: Choice): string {
  if (lack.kind === 'not-the-target') return `the task is for ${lack.wanted}`;
  return lack.kind === 'avoided' ? 'the task avoids this node' : 'its disk is on another node';
}

/** Each kind of lack counts; an amount counts more the more of it is missing. */
function weightOf(lack: Lack): number {
  switch (lack.kind) {
    case 'not-the-target':
    case 'disk-elsewhere':
      return 100;
    // A node that cannot be used is further away than one that is busy.
    case 'node-state':
    case 'drained':
      return 10;
    case 'cores':
      return 1 + (lack.wanted - lack.free) / lack.wanted;
    case 'memory':
      return 1 + (lack.wantedBytes - lack.freeBytes) / lack.wantedBytes;
    case 'gpus':
      return 1 + (lack.wanted - lack.free) / lack.wanted;
    default:
      return 1;
  }
}
