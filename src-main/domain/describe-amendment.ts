import type { TaskAmendment } from '../contract/task.ts';
import { formatDuration } from './duration.ts';
import { formatBytes } from './size.ts';

/** What an amendment changes, for the task's history: `priority 5, 2 GPUs, no time limit`. */
export function describeAmendment(changes: TaskAmendment): string {
  const words = Object.entries(describers).flatMap(([field, describe]) => {
    const value = changes[field as keyof TaskAmendment];
    return value === undefined ? [] : [describe(value as never)];
  });
  return words.length === 0 ? 'nothing' : words.join(', ');
}

type Describers = {
  readonly [K in keyof TaskAmendment]-?: (value: Exclude<TaskAmendment[K], undefined>) => string;
};

const describers: Describers = {
  priority: (priority) => `priority ${String(priority)}`,
  target: (target) => (target === null ? 'any node' : `target ${target}`),
  cores: (cores) => (cores === 0 ? 'no limit of cores' : `${String(cores)} cores`),
  memoryBytes: (bytes) =>
    bytes === null ? 'no memory asked for' : `${formatBytes(bytes)} of memory`,
  gpus: (gpus) => (gpus === null ? 'no GPUs by number' : `${String(gpus.count)} GPUs`),
  exclusive: (exclusive) => (exclusive ? 'the node alone' : 'not the node alone'),
  onNodeLabels: (labels) => {
    const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
    return pairs.length === 0 ? 'nodes with any labels' : `nodes with ${pairs.join(' ')}`;
  },
  avoidNodes: (names) => (names.length === 0 ? 'avoiding no node' : `avoiding ${names.join(' ')}`),
  timeLimitSeconds: (seconds) =>
    seconds === null ? 'no time limit' : `time limit ${formatDuration(seconds * 1000)}`,
  retries: (retries) => (retries === null ? 'no retries' : `${String(retries.count)} retries`),
  notBefore: (at) =>
    at === null ? 'at any time' : `not before ${new Date(at).toISOString().slice(0, 16)}Z`,
  after: (after) =>
    after.length === 0 ? 'waiting for nothing' : `after ${after.map(({ task }) => task).join(' ')}`,
  hold: (hold) => (hold ? 'on hold' : 'released'),
};
