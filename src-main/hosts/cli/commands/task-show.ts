import type { TaskEventView } from '../../../contract/task.ts';
import type { Call } from '../call.ts';
import { eventJson, taskJson, waitReasonJson } from '../shape/task-json.ts';
import { clean } from '../text/clean.ts';
import { formatTable } from '../text/table.ts';
import { taskText, waitReasonText } from '../text/task-text.ts';
import { localTime } from '../text/time.ts';

export async function showTask(call: Call, reference: string): Promise<void> {
  const task = await (await call.api()).tasks.get({ task: reference });
  await call.answer(
    () => taskJson(task),
    () => taskText(task, { paint: call.paint, now: call.io.now() }),
  );
}

export async function explainTask(call: Call, reference: string): Promise<void> {
  const { tasks } = await call.api();
  const reason = await tasks.why({ task: reference });
  const id =
    reason.suggestions.length === 0 ? reference : (await tasks.get({ task: reference })).id;
  await call.answer(
    () => waitReasonJson(reason, id),
    () => waitReasonText(reason, { paint: call.paint, id }),
  );
}

export async function showEvents(call: Call, reference: string): Promise<void> {
  const events = await (await call.api()).tasks.events({ task: reference });
  await call.answer(
    () => events.map(eventJson),
    () =>
      formatTable<TaskEventView>(
        [
          { title: 'TIME', cell: ({ at }) => localTime(at) },
          { title: 'WHAT', cell: ({ kind }) => clean(kind) },
          { title: 'STATUS', cell: ({ to }) => to },
          { title: 'ATTEMPT', cell: ({ attempt }) => String(attempt), align: 'right' },
          { title: 'WHO', cell: ({ who }) => clean(who) },
          { title: 'WHY', cell: ({ why }) => clean(why ?? ''), canShrink: true },
        ],
        events,
        call.look,
      ),
  );
}
