// What would let a waiting task start now: the same question asked about a task that asks for less.
import type { TaskAmendment } from '../../contract/task.ts';
import { formatDuration } from '../duration.ts';
import { formatBytes } from '../size.ts';
import { counted } from '../words.ts';
import type { QueuedTask } from './model.ts';

export interface Suggestion {
  /** An instruction: `Ask for 2 GPUs`. */
  readonly words: string;
  /** The node on which it would start. */
  readonly node: string;
  readonly changes: TaskAmendment;
}

/** A node on which a task could start now, and what is free there for it. */
export interface Room {
  readonly node: string;
  readonly freeCores: number;
  readonly freeMemoryBytes: number;
}

/** Where such a task could start now; undefined: nowhere. */
export type Ask = (task: QueuedTask) => Room | undefined;

const stepBytes = 256 * 2 ** 20;
const mostSuggestions = 6;

/** Single changes, each of which would be enough. */
export function suggest(task: QueuedTask, ask: Ask): Suggestion[] {
  const found: Suggestion[] = [];
  for (const rule of rules) {
    const suggestion = rule(task, ask);
    if (suggestion !== undefined) found.push(suggestion);
  }
  return found.slice(0, mostSuggestions);
}

type Rule = (task: QueuedTask, ask: Ask) => Suggestion | undefined;

const fewerGpus: Rule = (task, ask) => {
  const { gpus } = task;
  if (gpus === null || task.target?.gpus != null) return undefined;
  for (let count = gpus.count - 1; count > 0; count -= 1) {
    const wish = { ...gpus, count };
    const room = ask({ ...task, gpus: wish });
    if (room !== undefined)
      return {
        words: `Ask for ${counted(count, 'GPU')}`,
        node: room.node,
        changes: { gpus: wish },
      };
  }
  return undefined;
};

const anyModel: Rule = (task, ask) => {
  const { gpus } = task;
  if (gpus?.model === undefined) return undefined;
  const { model: _model, ...wish } = gpus;
  const room = ask({ ...task, gpus: wish });
  return room && { words: 'Take any model of GPU', node: room.node, changes: { gpus: wish } };
};

const smallerGpus: Rule = (task, ask) => {
  const { gpus } = task;
  if (gpus?.minMemoryBytes === undefined) return undefined;
  const { minMemoryBytes: _least, ...wish } = gpus;
  const room = ask({ ...task, gpus: wish });
  return room && { words: 'Take GPUs with less memory', node: room.node, changes: { gpus: wish } };
};

const otherNode: Rule = (task, ask) => {
  if (task.target === null) return undefined;
  const count = task.target.gpus?.length ?? 0;
  const gpus = count > 0 ? { count } : task.gpus;
  const room = ask({ ...task, target: null, gpus });
  if (room === undefined) return undefined;
  const named = count > 0 ? { gpus: { count } } : {};
  return { words: 'Let it go to any node', node: room.node, changes: { target: null, ...named } };
};

const otherGpus: Rule = (task, ask) => {
  const { target } = task;
  if (target?.gpus == null) return undefined;
  const gpus = { count: target.gpus.length };
  const room = ask({ ...task, target: { ...target, gpus: null }, gpus });
  const name = `${target.node}${target.numa === null ? '' : `:${String(target.numa)}`}`;
  return (
    room && {
      words: `Take other GPUs of ${target.node}`,
      node: room.node,
      changes: { target: name, gpus },
    }
  );
};

const lessMemory: Rule = (task, ask) => {
  if (task.memoryBytes === 0) return undefined;
  const free = ask({ ...task, memoryBytes: 0 })?.freeMemoryBytes ?? 0;
  const memoryBytes = Math.floor(free / stepBytes) * stepBytes;
  if (memoryBytes <= 0 || memoryBytes >= task.memoryBytes) return undefined;
  const room = ask({ ...task, memoryBytes });
  const words = `Ask for ${formatBytes(memoryBytes)} of memory`;
  return room && { words, node: room.node, changes: { memoryBytes } };
};

const fewerCores: Rule = (task, ask) => {
  if (task.cores <= 1) return undefined;
  const cores = Math.min(task.cores - 1, ask({ ...task, cores: 1 })?.freeCores ?? 0);
  if (cores < 1) return undefined;
  const room = ask({ ...task, cores });
  return (
    room && { words: `Ask for ${counted(cores, 'core')}`, node: room.node, changes: { cores } }
  );
};

const notAlone: Rule = (task, ask) => {
  if (!task.exclusive) return undefined;
  const room = ask({ ...task, exclusive: false });
  return room && { words: 'Share the node', node: room.node, changes: { exclusive: false } };
};

const anyLabels: Rule = (task, ask) => {
  if (Object.keys(task.onNodeLabels).length === 0) return undefined;
  const room = ask({ ...task, onNodeLabels: {} });
  return room && { words: 'Drop the node labels', node: room.node, changes: { onNodeLabels: {} } };
};

const avoidNone: Rule = (task, ask) => {
  if (task.avoidNodes.length === 0) return undefined;
  const room = ask({ ...task, avoidNodes: [] });
  return room && { words: 'Avoid no node', node: room.node, changes: { avoidNodes: [] } };
};

const lengthsMs = [24, 12, 8, 4, 2, 1, 0.5, 0.25].map((hours) => hours * 3_600_000);

const shorter: Rule = (task, ask) => {
  for (const ms of lengthsMs) {
    if (task.timeLimitMs !== null && ms >= task.timeLimitMs) continue;
    const room = ask({ ...task, timeLimitMs: ms });
    if (room === undefined) continue;
    const words = `Give it a time limit of ${formatDuration(ms)}`;
    return { words, node: room.node, changes: { timeLimitSeconds: ms / 1000 } };
  }
  return undefined;
};

const rules: readonly Rule[] = [
  fewerGpus,
  anyModel,
  smallerGpus,
  otherGpus,
  otherNode,
  lessMemory,
  fewerCores,
  notAlone,
  anyLabels,
  avoidNone,
  shorter,
];
