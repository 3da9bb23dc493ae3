// When the write-ahead log is copied into the database: after so much was written, by the worker.
import type { Connection, StoreLog } from './connection.ts';
import type { GroupCommit } from './group-commit.ts';
import type { QueryWorker } from './query-client.ts';

/** A row with its index entries changes about three pages of 4 KiB: the log grows to some 25 MB. */
const rowsBetween = 2000;

interface Checkpointing {
  readonly connection: Connection;
  readonly group: GroupCommit;
  readonly queries: QueryWorker;
  readonly log: StoreLog;
}

/** Asks the worker for a checkpoint whenever enough rows were written since the last; one at a time. */
export function checkpointAfterCommits({ connection, group, queries, log }: Checkpointing): void {
  const changes = connection.prepare('SELECT total_changes() AS rows');
  const written = () => (changes.get() as { rows: number }).rows;
  let last = written();
  let isRunning = false;
  group.onDidCommit(() => {
    const now = written();
    if (isRunning || now - last < rowsBetween) return;
    last = now;
    isRunning = true;
    queries.checkpoint().then(
      () => (isRunning = false),
      (error: unknown) => {
        isRunning = false;
        log.warn({ err: error }, 'the write-ahead log could not be copied into the database');
      },
    );
  });
}
