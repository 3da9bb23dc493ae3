import { isFinal, type TaskEventView, type TaskView } from '../../../contract/task.ts';
import type { Call } from '../call.ts';
import { Screen } from '../screen.ts';
import { eventJson, taskJson } from '../shape/task-json.ts';
import { eventText, taskText } from '../text/task-text.ts';

/** A task until it has ended: a picture on a terminal, elsewhere its events; with `--json` both, a line for each change. */
export async function watchTask(call: Call, reference: string): Promise<void> {
  const core = await call.connect();
  const screen = new Screen(call.io.out);
  let lastSeen = -1;
  await core.throughLosses(async ({ api }) => {
    const changes = await api.tasks.watch({ task: reference }, { signal: call.signal });
    for await (const { value } of changes) {
      // After a reconnect the snapshot has all events again.
      const events = value.events.filter(({ seq }) => seq > lastSeen);
      lastSeen = Math.max(lastSeen, ...events.map(({ seq }) => seq));
      await show(call, screen, { task: value.task, events });
      if (isFinal(value.task.status)) return;
    }
  });
}

async function show(
  call: Call,
  screen: Screen,
  { task, events }: { task: TaskView; events: readonly TaskEventView[] },
): Promise<void> {
  const { paint, io } = call;
  if (call.isJson) await call.line({ task: taskJson(task), events: events.map(eventJson) });
  else if (screen.isTerminal) await screen.draw(taskText(task, { paint, now: io.now() }));
  else await io.out.write(events.map((event) => eventText(event, paint)).join(''));
}
