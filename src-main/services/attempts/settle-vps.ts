// Settles the container of a VPS that is not at work by our order: after looking again, since an order
// may have come between the listing and now.
import type { NodeId } from '../../contract/ids.ts';
import type { Task } from '../../domain/task.ts';
import { judgeVps } from '../../domain/vps/vps-leftover.ts';
import type { AttemptRef, ObservedAttempt, Runtime } from '../../runtimes/runtime.ts';
import type { TaskBook } from '../tasks/task-book.ts';
import { attemptRef, diskRef } from './attempt-ref.ts';

interface Place {
  readonly book: TaskBook;
  readonly runtime: Runtime;
  readonly nodeId: NodeId;
}

/** `end`: stop it and remove it. */
export interface VpsVerdict {
  readonly ref: AttemptRef;
  readonly order: 'remove' | 'end' | 'stop';
}

/** What is to be done on the node; undefined when nothing is. */
export async function settleVps(
  { book, runtime, nodeId }: Place,
  seen: ObservedAttempt,
): Promise<VpsVerdict | undefined> {
  const task = seen.taskId === null ? undefined : book.find(seen.taskId)?.task;
  if (task === undefined || judgeVps(task, { ...seen, nodeId }).kind === 'leave') return undefined;
  const ref = diskRef(attemptRef(task));
  // What a crash could still undo decides nothing here.
  await book.durable();
  const found = await runtime.inspect(ref);
  const now: Task | undefined = book.find(task.id)?.task;
  if (found === undefined || now === undefined) return undefined;
  const verdict = judgeVps(now, { nodeId, condition: found.condition });
  if (verdict.kind === 'leave') return undefined;
  if (verdict.kind === 'stop') return { ref, order: 'stop' };
  if (verdict.kind === 'remove') return { ref, order: isAlive(found) ? 'end' : 'remove' };
  book.apply(task.id, { kind: 'vps-settled', run: verdict.run });
  return undefined;
}

function isAlive({ condition }: ObservedAttempt): boolean {
  return condition.kind === 'running' || condition.kind === 'paused';
}
