// What the main thread asks of the query worker, and what comes back.
import type { ErrorShape } from '../contract/errors.ts';
import type { BatchView, BatchWindow, BatchWindowQuery } from '../contract/batches.ts';
import type { BatchId, NodeId } from '../contract/ids.ts';
import type { MetricsPoint } from '../contract/node.ts';
import type { TaskWindowQuery } from '../contract/task.ts';
import type { Resolution } from './metrics-codec.ts';
import type { StoredTaskWindow } from './task-window.ts';

export interface MetricsQuery {
  readonly nodeId: NodeId;
  readonly resolution: Resolution;
  /** Points at or after this instant. */
  readonly from: number;
}

/** Each question by name: what it takes and what it answers. */
export interface Queries {
  readonly taskWindow: { readonly input: TaskWindowQuery; readonly output: StoredTaskWindow };
  readonly batchWindow: { readonly input: BatchWindowQuery; readonly output: BatchWindow };
  readonly batch: { readonly input: BatchId; readonly output: BatchView | null };
  /** Writes the database as it is now into a new file. */
  readonly copyInto: { readonly input: { readonly file: string }; readonly output: null };
  /** What all tasks have printed, in bytes. */
  readonly taskLogBytes: { readonly input: null; readonly output: number };
  /** Copies the write-ahead log into the database, as far as readers allow. */
  readonly checkpoint: { readonly input: null; readonly output: null };
  readonly metrics: { readonly input: MetricsQuery; readonly output: MetricsPoint[] };
}
export type QueryName = keyof Queries;

export interface Question<N extends QueryName = QueryName> {
  readonly id: number;
  readonly name: N;
  readonly input: Queries[N]['input'];
}

export type FromWorker =
  | { readonly id: number; readonly output: Queries[QueryName]['output'] }
  | { readonly id: number; readonly error: ErrorShape }
  | {
      readonly log: {
        readonly fields: Readonly<Record<string, unknown>>;
        readonly message: string;
      };
    };
