// Every GPU of every node with who holds it: the fleet's cells, and the tasks that hold them.
import type { TaskId } from '../../src-main/contract/ids.ts';
import type { NodeView } from '../../src-main/contract/node.ts';
import { gpuCells, type GpuCell } from '../lib/gpus.ts';
import { taskTitle } from '../lib/task-words.ts';
import type { App } from './app.svelte.ts';
import { TaskWindowState } from './task-window.svelte.ts';

/** As many as one window has; holders beyond are named by their ID. */
const atMost = 500;
const palette = 8;

/** Who holds a GPU, and since when. */
export interface Holder {
  title: string;
  owner: string;
  /** Null while it starts. */
  since: number | null;
  /** The token of the owner's colour: `--series-1`…; the same owner has the same one everywhere. */
  color: string;
}

export interface GpuGroup {
  node: NodeView;
  cells: readonly GpuCell[];
}

export class GpuFleet {
  readonly #app: App;
  /** What runs, is paused or lost, newest first. */
  readonly tasks: TaskWindowState;
  /** Nodes that have GPUs, each with its cells. Disabled ones take no part. */
  readonly groups: readonly GpuGroup[] = $derived.by(() =>
    this.#app.fleet.nodes
      .filter(({ facts, state }) => (facts?.gpus.length ?? 0) > 0 && state !== 'disabled')
      .map((node) => ({ node, cells: gpuCells(node, this.#app.fleet.samples.get(node.id)) })),
  );
  readonly cells: readonly GpuCell[] = $derived.by(() => this.groups.flatMap(({ cells }) => cells));
  /** In the order of their names, so that colours stay. */
  readonly owners: readonly string[] = $derived.by(() =>
    [...new Set([...this.tasks.rows.values()].map(({ owner }) => owner))].sort(),
  );
  readonly #holders: ReadonlyMap<TaskId, Holder> = $derived.by(() => {
    const colors = new Map(this.owners.map((owner, i) => [owner, colorAt(i)]));
    return new Map(
      [...this.tasks.rows.values()].map((task) => [
        task.id,
        {
          title: taskTitle(task),
          owner: task.owner,
          since: task.startedAt ?? task.assignedAt,
          color: colors.get(task.owner) ?? colorAt(0),
        },
      ]),
    );
  });
  /** GPUs held, by owner, for legends. */
  readonly heldByOwner: readonly { owner: string; color: string; count: number }[] = $derived.by(
    () => {
      const found = new Map<string, { owner: string; color: string; count: number }>();
      for (const cell of this.cells) {
        const holder = this.holderOf(cell);
        if (holder === undefined) continue;
        const entry = found.get(holder.owner) ?? { ...holder, count: 0 };
        found.set(holder.owner, { ...entry, count: entry.count + 1 });
      }
      return [...found.values()].sort((a, b) => a.owner.localeCompare(b.owner));
    },
  );

  constructor(app: App) {
    this.#app = app;
    this.tasks = new TaskWindowState(app.client);
  }

  /** Follows who holds what until disposed. */
  start(): () => void {
    this.tasks.show(
      { filter: { statuses: ['RUNNING', 'ASSIGNING', 'PAUSED', 'LOST'] }, sort: 'newest' },
      atMost,
    );
    return () => this.tasks.stop();
  }

  readonly taskName = (id: TaskId): string | undefined => this.#holders.get(id)?.title;

  /** Undefined unless a task of this core holds it. */
  readonly holderOf = ({ use }: GpuCell): Holder | undefined =>
    use.kind === 'ours' ? this.#holders.get(use.taskId) : undefined;
}

function colorAt(index: number): string {
  return `--series-${(index % palette) + 1}`;
}
