import type { BatchView } from '../../../contract/batches.ts';
import { isFinal, type TaskStatus } from '../../../contract/task.ts';
import { commandOf } from '../shape/task-json.ts';
import { clean } from './clean.ts';
import { taskTones, type Paint } from './style.ts';
import { formatPairs, formatTable, type TableLook } from './table.ts';
import { ago, localTime } from './time.ts';

export function batchesTable(
  batches: readonly BatchView[],
  { look, now }: { look: TableLook; now: number },
): string {
  return formatTable(
    [
      { title: 'ID', cell: ({ id }) => id },
      { title: 'NAME', cell: ({ name }) => clean(name ?? ''), canShrink: true },
      { title: 'KIND', cell: ({ kind }) => kind },
      { title: 'ENDED', cell: progressText, align: 'right' },
      { title: 'TASKS', cell: (batch) => countsText(batch, look.paint) },
      { title: 'OWNER', cell: ({ owner }) => clean(owner) },
      { title: 'SUBMITTED', cell: ({ submittedAt }) => ago(submittedAt, now) },
      { title: 'COMMAND', cell: ({ work }) => clean(commandOf(work).join(' ')), canShrink: true },
    ],
    batches,
    look,
  );
}

/** Everything about one batch. */
export function batchText(batch: BatchView, { paint, now }: { paint: Paint; now: number }): string {
  const { finishedAt, submittedAt, maxRunning } = batch;
  return formatPairs(
    [
      ['ID', batch.id],
      ['Name', clean(batch.name ?? '')],
      ['Kind', batch.kind],
      ['Owner', clean(batch.owner)],
      ['Ended', progressText(batch)],
      ['Tasks', countsText(batch, paint)],
      ['At a time', maxRunning === null ? '' : `at most ${String(maxRunning)}`],
      ['Command', clean(commandOf(batch.work).join(' '))],
      ['Submitted', `${localTime(submittedAt)} (${ago(submittedAt, now)})`],
      ['Finished', finishedAt === null ? '' : `${localTime(finishedAt)} (${ago(finishedAt, now)})`],
    ],
    paint,
  );
}

function progressText({ counts, total }: BatchView): string {
  const done = Object.entries(counts).reduce(
    (sum, [status, n]) => sum + (isFinal(status as TaskStatus) ? n : 0),
    0,
  );
  return `${String(done)}/${String(total)}`;
}

function countsText({ counts }: BatchView, paint: Paint): string {
  return Object.entries(counts)
    .map(([status, n]) => paint(taskTones[status as TaskStatus], `${String(n)} ${status}`))
    .join(', ');
}
