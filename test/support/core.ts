// A real core in this process, spoken to through the real contract over a port in memory.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Core, CoreOptions } from '../../src-main/api/core-door.ts';
import { serveWire } from '../../src-main/api/wire/serve-wire.ts';
import { createClient, type Client } from '../../src-main/contract/client.ts';
import type { TaskSubmissionInput, TaskView } from '../../src-main/contract/task.ts';
import { isFinal } from '../../src-main/contract/task.ts';
import { memoryPorts } from '../../src-main/contract/wire/memory-port.ts';
import { createCore } from '../../src-main/core.ts';

export interface TestCore extends AsyncDisposable {
  readonly core: Core;
  readonly client: Client;
  readonly api: Client['api'];
  readonly dataDir: string;
  /** Submits one task and gives its ID. */
  submit(submission: TaskSubmissionInput): Promise<string>;
  /** Resolves when the task has ended, or is in one of the statuses. */
  reaches(task: string, statuses?: readonly string[], timeoutMs?: number): Promise<TaskView>;
  log(task: string, stream?: 'stdout' | 'stderr' | 'both', follow?: boolean): Promise<Buffer>;
  /** Stops the core and keeps its directory. */
  stop(): Promise<void>;
}

/** Starts a core on a directory of its own, or on one that was there. Disposing removes the directory. */
export async function startCore(options: Partial<CoreOptions> = {}): Promise<TestCore> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'kohakuriver-core-')));
  const core = await createCore({ host: 'test', version: 'test', ...options, dataDir });
  const [near, far] = memoryPorts();
  const context = { who: 'tester', host: 'cli', isOwner: true } as const;
  serveWire(far, { router: core.router, streams: core.streams, context, log: core.log });
  const client = createClient(near);
  const { api } = client;

  const stop = async () => {
    client.close();
    await core.stop();
  };
  return {
    core,
    client,
    api,
    dataDir,
    submit: async (submission) => {
      const { taskIds } = await api.tasks.submit(submission);
      return taskIds[0]!;
    },
    reaches: (task, statuses, timeoutMs = 60_000) => reaches(client, { task, statuses, timeoutMs }),
    log: async (task, stream = 'stdout', follow = true) => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of client.openStream('tasks.readLog', { task, stream, follow })) chunks.push(chunk);
      return Buffer.concat(chunks);
    },
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function reaches(
  client: Client,
  { task, statuses, timeoutMs }: { task: string; statuses: readonly string[] | undefined; timeoutMs: number },
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
  throw new Error(`task ${task} is ${last?.status ?? 'unknown'} (${last?.reason ?? last?.phase ?? 'no reason'}), not ${statuses?.join('|') ?? 'ended'}`);
}

/** Waits until a condition holds; looks ten times a second. */
export async function until<T>(look: () => Promise<T | undefined | false> | T | undefined | false, what: string, timeoutMs = 60_000): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > end) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
