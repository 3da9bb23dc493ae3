// Entry of the worker thread for reads that would hold the main thread: windows into lists, history.
// It has a read-only connection of its own; WAL lets it read while the main thread writes. Another
// one moves what was written from the write-ahead log into the database, which syncs the disk twice.
import { parentPort, workerData } from 'node:worker_threads';
import { z } from 'zod';
import { toErrorShape } from '../contract/errors.ts';
import { BatchWindows } from './batch-window.ts';
import { Connection } from './connection.ts';
import { toStoreError } from './errors.ts';
import { MetricsHistory } from './metrics-history.ts';
import type { FromWorker, Queries, QueryName, Question } from './query-protocol.ts';
import { TaskWindows } from './task-window.ts';

const { file } = z.object({ file: z.string() }).parse(workerData);
const port = parentPort;
if (port === null) throw new Error('query-worker runs as a worker thread only');

const answer = (message: FromWorker): void => port.postMessage(message);

const around = {
  file,
  clock: { monotonic: () => performance.now() },
  log: {
    warn: (fields: Readonly<Record<string, unknown>>, message: string) =>
      answer({ log: { fields, message } }),
  },
};
const connection = new Connection({ ...around, readOnly: true });
let checkpointer: Connection | undefined;
const sum = z.object({ bytes: z.number() });
const windows = new TaskWindows(connection);
const batches = new BatchWindows(connection);
const history = new MetricsHistory(connection);

const handlers: {
  readonly [N in QueryName]: (input: Queries[N]['input']) => Queries[N]['output'];
} = {
  taskWindow: (query) => windows.window(query),
  batchWindow: (query) => batches.window(query),
  batch: (id) => batches.batch(id) ?? null,
  copyInto: ({ file: copy }) => {
    connection.prepare('VACUUM INTO ?').run(copy);
    return null;
  },
  taskLogBytes: () =>
    sum.parse(
      connection
        .prepare('SELECT COALESCE(SUM(stdout_bytes + stderr_bytes), 0) AS bytes FROM tasks')
        .get(),
    ).bytes,
  checkpoint: () => {
    checkpointer ??= new Connection(around);
    checkpointer.pragma('wal_checkpoint(PASSIVE)');
    return null;
  },
  metrics: (query) => history.read(query),
};

function handle<N extends QueryName>({ name, input }: Question<N>): Queries[N]['output'] {
  return handlers[name](input);
}

port.on('message', (question: Question) => {
  try {
    answer({ id: question.id, output: handle(question) });
  } catch (error) {
    answer({ id: question.id, error: toErrorShape(toStoreError(error, 'read the database')) });
  }
});
