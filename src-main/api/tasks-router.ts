import { implement } from '@orpc/server';
import { contract } from '../contract/procedures.ts';
import type { TaskSubmission } from '../contract/task.ts';
import type { Amendments } from '../services/tasks/amendments.ts';
import type { TaskFeeds } from '../services/tasks/task-feeds.ts';
import type { TaskService } from '../services/tasks/task-service.ts';
import type { TaskRecords } from '../services/tasks/ports.ts';
import type { WireContext } from './context.ts';

export interface TaskParts {
  readonly tasks: TaskService;
  readonly feeds: TaskFeeds;
  readonly records: Pick<TaskRecords, 'events'>;
  readonly amendments: Amendments;
}

/** A signal that never aborts, for calls made without one. */
const never = new AbortController().signal;

/** The contract's `tasks`, on the task services. */
export function tasksRouter({ tasks, feeds, records, amendments }: TaskParts) {
  const os = implement(contract.tasks).$context<WireContext>();
  return os.router({
    submit: os.submit.handler(({ input, context }) => tasks.submit(input, context)),
    submitMany: os.submitMany.handler(async ({ input, context }) => ({
      batches: await tasks.submitMany(input.submissions, context),
    })),
    list: os.list.handler(({ input }) => feeds.window(input)),
    watchWindow: os.watchWindow.handler(({ input, signal }) =>
      feeds.watchWindow(input, signal ?? never),
    ),
    get: os.get.handler(({ input }) => tasks.get(input.task)),
    watch: os.watch.handler(({ input, signal }) => feeds.watchTask(input.task, signal ?? never)),
    events: os.events.handler(({ input }) => [...records.events(tasks.resolve(input.task))]),
    why: os.why.handler(({ input }) => tasks.why(input.task)),
    waits: os.waits.handler(({ input }) => tasks.waits(input.tasks)),
    explain: os.explain.handler(({ input, context }) => tasks.explain(input, context)),
    kill: os.kill.handler(({ input, context }) =>
      tasks.kill(input.tasks, { ...input, who: context.who }),
    ),
    pause: os.pause.handler(({ input, context }) => tasks.pause(input.tasks, context)),
    resume: os.resume.handler(({ input, context }) => tasks.resume(input.tasks, context)),
    hold: os.hold.handler(({ input, context }) => tasks.hold(input.tasks, context)),
    release: os.release.handler(({ input, context }) => tasks.release(input.tasks, context)),
    setPriority: os.setPriority.handler(({ input, context }) =>
      tasks.setPriority(input.tasks, { who: context.who, priority: input.priority }),
    ),
    amend: os.amend.handler(({ input, context }) =>
      amendments.amend(
        input.tasks.map((task) => tasks.resolve(task)),
        { who: context.who, changes: input.changes },
      ),
    ),
    submission: os.submission.handler(({ input }) => tasks.submission(input.task)),
    resubmit: os.resubmit.handler(({ input, context }) =>
      tasks.resubmit(input.task, { who: context.who, changes: given(input.changes) }),
    ),
    remove: os.remove.handler(({ input }) => tasks.remove(input.tasks)),
  });
}

/** Only what was really given: absent fields must not overwrite. */
function given(changes: {
  [K in keyof TaskSubmission]?: TaskSubmission[K] | undefined;
}): Partial<TaskSubmission> {
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
}
