// How a dependency stands once what is waited for is known.
import type { Dependency, DependencyRule } from '../contract/task-shape.ts';
import { isFinal, type TaskStatus } from '../contract/task.ts';
import { retryOf } from './retry.ts';
import type { Task } from './task.ts';

export type Standing =
  | { readonly kind: 'open' }
  | { readonly kind: 'met' }
  /** It can never be met; `why` is a sentence without its full stop. */
  | { readonly kind: 'never'; readonly why: string };

const open: Standing = { kind: 'open' };
const met: Standing = { kind: 'met' };

/** How a dependency on a task stands; undefined for a task that is not there (any more). */
export function standingOf({ task: id, on }: Dependency, found: Task | undefined): Standing {
  if (found === undefined) {
    return { kind: 'never', why: `task ${id}, which it waits for, was removed` };
  }
  const { status } = found.state;
  if (!isFinal(status) || retryOf(found) !== undefined) return open;
  if (meets(status, on)) return met;
  return { kind: 'never', why: `task ${id} ended ${status}, and it waits for it ${words[on]}` };
}

function meets(status: TaskStatus, on: DependencyRule): boolean {
  if (on === 'any') return true;
  return (status === 'COMPLETED') === (on === 'ok');
}

const words: Readonly<Record<DependencyRule, string>> = {
  ok: 'to complete',
  any: 'to end',
  failed: 'to fail',
};

/**
 * Whether a task would wait for itself if it had these dependencies: the way from it back to it, or
 * undefined. `dependenciesOf` gives what a waiting task waits for.
 */
export function cycleOf<Id extends string>(
  task: Id,
  after: readonly Id[],
  dependenciesOf: (id: Id) => readonly Id[],
): readonly Id[] | undefined {
  const cameFrom = new Map<Id, Id>();
  const waiting = after.map((id) => ({ id, from: task }));
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { id, from } = next;
    if (id === task) return wayTo(task, from, cameFrom);
    if (cameFrom.has(id)) continue;
    cameFrom.set(id, from);
    for (const other of dependenciesOf(id)) waiting.push({ id: other, from: id });
  }
  return undefined;
}

function wayTo<Id extends string>(task: Id, last: Id, cameFrom: ReadonlyMap<Id, Id>): Id[] {
  const way: Id[] = [task];
  for (let at = last; at !== task; at = cameFrom.get(at) ?? task) way.unshift(at);
  return [task, ...way];
}
