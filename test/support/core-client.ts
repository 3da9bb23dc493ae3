// What tests ask a core for, over any client.
import type { Client } from '../../src-main/contract/client.ts';
import { isFinal, type TaskSubmissionInput, type TaskView } from '../../src-main/contract/task.ts';

export interface CoreClient {
  readonly client: Client;
  readonly api: Client['api'];
  /** Submits one task and gives its ID. */
  submit(submission: TaskSubmissionInput): Promise<string>;
  /** Resolves when the task is in one of the statuses; without them, when it has ended. */
  reaches(task: string, statuses?: readonly string[], timeoutMs?: number): Promise<TaskView>;
  log(task: string, stream?: 'stdout' | 'stderr' | 'both', follow?: boolean): Promise<Buffer>;
  /** Resolves when the node is in the state. */
  nodeIs(node: string, state: string, timeoutMs?: number): Promise<void>;
}

export function coreClient(client: Client): CoreClient {
  const { api } = client;
  return {
    client,
    api,
    submit: async (submission) => {
      const { taskIds } = await api.tasks.submit(submission);
      return taskIds[0]!;
    },
    reaches: (task, statuses, timeoutMs = 60_000) => reaches(client, { task, statuses, timeoutMs }),
    log: async (task, stream = 'stdout', follow = true) => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of client.openStream('tasks.readLog', { task, stream, follow }))
        chunks.push(chunk);
      return Buffer.concat(chunks);
    },
    nodeIs: async (node, state, timeoutMs = 60_000) => {
      await until(
        async () => (await api.nodes.get({ node })).state === state,
        `node ${node} is ${state}`,
        timeoutMs,
      );
    },
  };
}

async function reaches(
  client: Client,
  {
    task,
    statuses,
    timeoutMs,
  }: { task: string; statuses: readonly string[] | undefined; timeoutMs: number },
): Promise<TaskView> {
  const isThere = (view: TaskView) => statuses?.includes(view.status) ?? isFinal(view.status);
  const signal = AbortSignal.timeout(timeoutMs);
  let last: TaskView | undefined;
  try {
    for await (const item of await client.api.tasks.watch({ task }, { signal })) {
      last = item.value.task;
      if (isThere(last)) return last;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  const where = last?.reason ?? last?.phase ?? 'no reason';
  throw new Error(
    `task ${task} is ${last?.status ?? 'unknown'} (${where}), not ${statuses?.join('|') ?? 'ended'}`,
  );
}

/** Waits until a condition holds; looks ten times a second. */
export async function until<T>(
  look: () => Promise<T | undefined | false> | T | undefined | false,
  what: string,
  timeoutMs = 60_000,
): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > end) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
