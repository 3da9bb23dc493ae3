import type { TaskEventView, TaskView, WaitReason, Work } from '../../../contract/task.ts';
import { amendArguments } from '../text/amend-text.ts';
import { isoTime, isoTimeOrNull } from '../text/time.ts';

/** What stands for the value of a secret variable. */
const masked = '********';

/** A task as scripts read it (spec «Task JSON»): times in ISO 8601 UTC, GPUs by index, absent = null. */
export function taskJson(task: TaskView) {
  return {
    id: task.id,
    batchId: task.batchId,
    name: task.name,
    type: task.type,
    status: task.status,
    reason: task.reason,
    exitCode: task.exitCode,
    node: task.node,
    target: task.target,
    gpus: task.gpus.map((gpu) => gpu.index),
    cores: task.cores,
    memoryBytes: task.memoryBytes,
    numa: task.numa,
    image: task.image,
    container: task.container,
    runtime: task.runtime,
    command: commandOf(task.work),
    env: envOf(task),
    mounts: task.mounts,
    workdir: task.workdir,
    privileged: task.privileged,
    priority: task.priority,
    labels: task.labels,
    attempt: task.attempt,
    retries: task.retries?.count ?? 0,
    after: task.after.map(({ task: id, on }) => `${id}:${on}`),

    submittedAt: isoTime(task.submittedAt),
    assignedAt: isoTimeOrNull(task.assignedAt),
    startedAt: isoTimeOrNull(task.startedAt),
    finishedAt: isoTimeOrNull(task.finishedAt),
    timeLimitSeconds: task.timeLimitSeconds,
    stdoutBytes: task.stdoutBytes,
    stderrBytes: task.stderrBytes,
    owner: task.owner,
    approver: null,
    arrayIndex: task.arrayIndex,
    blockedBy: task.blockedBy,
    notBefore: isoTimeOrNull(task.notBefore),
    gang: task.gang,
    backfilled: task.isBackfilled,
    sync: task.sync,
    fetch: task.fetch,
  };
}

export type TaskJson = ReturnType<typeof taskJson>;

/** One line of a task's history. */
export function eventJson(event: TaskEventView) {
  const { seq, at, from, to, kind, why, attempt, who } = event;
  return { seq, at: isoTime(at), from, to, kind, why, attempt, who };
}

/** Why a task waits. */
export function waitReasonJson(
  { summary, ahead, expected, suggestions, nodes }: WaitReason,
  id: string,
) {
  return {
    summary,
    ahead,
    expected: expected === null ? null : { ...expected, at: isoTimeOrNull(expected.at) },
    suggestions: suggestions.map(({ words, node, changes }) => ({
      words,
      node,
      command: ['kohakuriver', 'task', 'amend', id, ...amendArguments(changes)],
    })),
    nodes: nodes.map(({ node, fits, possible, lacks }) => ({ node, fits, possible, lacks })),
  };
}

/** What really runs, as an argument vector: a script is given to `/bin/sh -c`. */
export function commandOf(work: Work): string[] {
  return work.kind === 'command' ? work.argv : ['/bin/sh', '-c', work.text];
}

function envOf({ env, secretEnvNames }: TaskView): Record<string, string> {
  return { ...env, ...Object.fromEntries(secretEnvNames.map((name) => [name, masked])) };
}
