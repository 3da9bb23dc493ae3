// The queue's own services: its rules, what comes due by itself, amendments, batches and views.
import type { Clock, Timers } from './domain/clock.ts';
import type { SnowflakeFactory } from './domain/snowflake.ts';
import type { Fleet } from './services/fleet.ts';
import type { Logger } from './services/logger.ts';
import type { Dispatcher } from './services/planner/dispatcher.ts';
import { OwnerUsage } from './services/queue/owner-usage.ts';
import { QueueKeeper } from './services/queue/queue-keeper.ts';
import { queuePolicy } from './services/queue/queue-policy.ts';
import { QueueView } from './services/queue/queue-view.ts';
import { Reservations } from './services/queue/reservations.ts';
import type { SettingsService } from './services/settings.ts';
import { Amendments } from './services/tasks/amendments.ts';
import { BatchService } from './services/tasks/batch-service.ts';
import type { TaskRecords } from './services/tasks/ports.ts';
import type { SubmissionDesk } from './services/tasks/submission-desk.ts';
import type { TaskBook } from './services/tasks/task-book.ts';
import type { TaskSecrets } from './services/tasks/task-secrets.ts';
import type { TaskService } from './services/tasks/task-service.ts';
import type { QueueRepository } from './store/queue-repository.ts';

export interface RuleParts {
  readonly book: TaskBook;
  readonly queueRecords: QueueRepository;
  readonly fleet: Fleet;
  readonly settings: SettingsService;
  readonly ids: SnowflakeFactory;
  readonly clock: Clock;
  readonly timers: Timers;
}

/** What the dispatcher plans by. */
export function makeRules({ queueRecords: records, ...parts }: RuleParts) {
  const { settings } = parts;
  const usage = new OwnerUsage({
    ...{ ...parts, records },
    settings: () => ({
      halfLifeHours: settings.get('queue.halfLifeHours'),
      gpuWeight: settings.get('queue.gpuWeight'),
    }),
  });
  const reservations = new Reservations({ ...parts, records });
  return {
    usage,
    reservations,
    now: () => ({
      policy: queuePolicy(settings),
      usage: usage.scores(),
      reservations: reservations.forPlanner(),
    }),
    /** Takes the store's word again, after a commit that failed. */
    reload: () => {
      usage.reload();
      reservations.reload();
    },
  };
}

export interface QueueParts {
  readonly book: TaskBook;
  readonly records: TaskRecords;
  readonly rules: ReturnType<typeof makeRules>;
  readonly dispatcher: Dispatcher;
  readonly fleet: Fleet;
  readonly desk: SubmissionDesk;
  readonly tasks: TaskService;
  readonly secrets: TaskSecrets;
  readonly settings: SettingsService;
  readonly ids: SnowflakeFactory;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Logger;
}

export function makeQueue(parts: QueueParts) {
  const { settings, rules, dispatcher } = parts;
  const { usage, reservations } = rules;
  const killGraceSeconds = () => settings.get('tasks.killGraceSeconds');
  const keeper = new QueueKeeper({ ...parts, killGraceSeconds });
  const waking = reservations.onDidChange(() => dispatcher.wake());
  return {
    amendments: new Amendments(parts),
    batches: new BatchService(parts),
    view: new QueueView({ ...parts, usage, reservations }),
    [Symbol.dispose]: () => {
      for (const one of [keeper, waking, usage, reservations]) one[Symbol.dispose]();
    },
  };
}
