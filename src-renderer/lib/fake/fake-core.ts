// The state behind the fake client: nodes and tasks that can be changed and watched.
import type { NodeView } from '../../../src-main/contract/node.ts';
import {
  holdingStatuses,
  type TaskFilter,
  type TaskStatus,
  type TaskView,
  type TaskWindow,
  type TaskWindowQuery,
} from '../../../src-main/contract/task.ts';
import { FakeSignal } from './fake-feed.ts';
import { bigNodes, firstNodes, richNodes } from './fake-nodes.ts';
import { bigTasks, richTasks } from './fake-tasks.ts';
import { poison } from './hostile.ts';

/**
 * `rich`: six nodes, tasks in every status. `big`: 800 GPUs. `many`: 100,000 tasks. `first`: a laptop.
 * `empty`: nothing. `hostile`: as rich, with evil in every text.
 */
export const fakeVariants = ['rich', 'big', 'many', 'first', 'empty', 'hostile'] as const;
export type FakeVariant = (typeof fakeVariants)[number];

export class FakeCore {
  readonly now: () => number;
  readonly onNode = new FakeSignal<{ upsert: NodeView } | { removed: NodeView['id'] }>();
  readonly onTask = new FakeSignal<TaskView>();
  nodes: NodeView[];
  tasks: TaskView[];

  constructor(variant: FakeVariant, now: () => number) {
    this.now = now;
    const at = now();
    this.nodes =
      variant === 'big'
        ? bigNodes(at)
        : variant === 'first'
          ? firstNodes(at)
          : variant === 'empty'
            ? []
            : richNodes(at);
    this.tasks = sampleTasks(variant, at, this.nodes).sort((a, b) => b.submittedAt - a.submittedAt);
    this.nodes = this.nodes.map((node) => this.#withHoldings(node));
    if (variant === 'hostile') poison(this);
  }

  node(ref: string): NodeView | undefined {
    return this.nodes.find((node) => node.id === ref || node.name === ref);
  }

  task(ref: string): TaskView | undefined {
    return this.tasks.find((task) => task.id === ref || task.name === ref);
  }

  putNode(node: NodeView): NodeView {
    const known = this.nodes.some(({ id }) => id === node.id);
    this.nodes = known
      ? this.nodes.map((old) => (old.id === node.id ? node : old))
      : [...this.nodes, node];
    this.onNode.emit({ upsert: node });
    return node;
  }

  removeNode(node: NodeView): void {
    this.nodes = this.nodes.filter(({ id }) => id !== node.id);
    this.onNode.emit({ removed: node.id });
  }

  putTask(task: TaskView): void {
    const at = this.tasks.findIndex(({ id }) => id === task.id);
    if (at < 0) this.tasks = [task, ...this.tasks];
    else this.tasks[at] = task;
    this.onTask.emit(task);
    const node = task.node === null ? undefined : this.node(task.node);
    if (node !== undefined) this.putNode(this.#withHoldings(node));
  }

  window(query: Required<TaskWindowQuery>): TaskWindow {
    const { statuses, ...rest } = query.filter;
    const matching = this.tasks.filter((task) => matches(task, rest));
    const counts: Partial<Record<TaskStatus, number>> = {};
    for (const { status } of matching) counts[status] = (counts[status] ?? 0) + 1;
    const shown =
      statuses === undefined
        ? matching
        : matching.filter(({ status }) => statuses.includes(status));
    const sorted = sortTasks(shown, query.sort);
    return {
      total: sorted.length,
      counts,
      offset: query.offset,
      rows: sorted.slice(query.offset, query.offset + query.limit),
    };
  }

  #withHoldings(node: NodeView): NodeView {
    const here = this.tasks.filter(
      (task) =>
        task.nodeId === node.id && (holdingStatuses as readonly TaskStatus[]).includes(task.status),
    );
    return {
      ...node,
      activeTasks: here.length,
      allocated: {
        cores: here.reduce((sum, task) => sum + task.cores, 0),
        memoryBytes: here.reduce((sum, task) => sum + (task.memoryBytes ?? 0), 0),
        gpus: here.flatMap((task) =>
          task.gpus.map(({ uuid }) => ({ uuid, taskId: task.id, core: null })),
        ),
      },
    };
  }
}

function sampleTasks(variant: FakeVariant, at: number, nodes: readonly NodeView[]): TaskView[] {
  switch (variant) {
    case 'rich':
    case 'hostile':
      return richTasks(at, 240);
    case 'many':
      return richTasks(at, 100_000);
    case 'big':
      return bigTasks(at, nodes);
    case 'first':
    case 'empty':
      return [];
  }
}

function matches(task: TaskView, filter: TaskFilter): boolean {
  if (filter.nodeId !== undefined && task.nodeId !== filter.nodeId) return false;
  if (filter.owner !== undefined && task.owner !== filter.owner) return false;
  if (filter.batchId !== undefined && task.batchId !== filter.batchId) return false;
  if (filter.text === undefined || filter.text === '') return true;
  const words = task.work.kind === 'command' ? task.work.argv.join(' ') : task.work.text;
  return `${task.name ?? ''} ${words} ${task.id}`.toLowerCase().includes(filter.text.toLowerCase());
}

function sortTasks(tasks: readonly TaskView[], sort: TaskWindowQuery['sort']): readonly TaskView[] {
  switch (sort) {
    case 'newest':
      return tasks;
    case 'oldest':
      return [...tasks].reverse();
    case 'queue':
      return [...tasks].sort((a, b) => b.priority - a.priority || a.submittedAt - b.submittedAt);
    case 'name':
      return [...tasks].sort((a, b) => (a.name ?? '').localeCompare(b.name ?? ''));
    case 'finished':
      return [...tasks].sort((a, b) => (b.finishedAt ?? 0) - (a.finishedAt ?? 0));
  }
}
