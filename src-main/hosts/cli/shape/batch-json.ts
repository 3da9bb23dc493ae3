import type { BatchView } from '../../../contract/batches.ts';
import { isoTime, isoTimeOrNull } from '../text/time.ts';
import { commandOf } from './task-json.ts';

/** A batch as scripts read it: times in ISO 8601 UTC, absent = null. */
export function batchJson(batch: BatchView) {
  const { id, name, owner, kind, total, counts, maxRunning } = batch;
  return {
    ...{ id, name, owner, kind, total, counts, maxRunning },
    command: commandOf(batch.work),
    submittedAt: isoTime(batch.submittedAt),
    finishedAt: isoTimeOrNull(batch.finishedAt),
  };
}
