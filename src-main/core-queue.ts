// The queue's own services: what comes due by itself, amendments and batches.
import type { Clock, Timers } from './domain/clock.ts';
import type { SnowflakeFactory } from './domain/snowflake.ts';
import type { Fleet } from './services/fleet.ts';
import type { Logger } from './services/logger.ts';
import { QueueKeeper } from './services/queue/queue-keeper.ts';
import type { SettingsService } from './services/settings.ts';
import { Amendments } from './services/tasks/amendments.ts';
import { BatchService } from './services/tasks/batch-service.ts';
import type { TaskRecords } from './services/tasks/ports.ts';
import type { SubmissionDesk } from './services/tasks/submission-desk.ts';
import type { TaskBook } from './services/tasks/task-book.ts';
import type { TaskSecrets } from './services/tasks/task-secrets.ts';
import type { TaskService } from './services/tasks/task-service.ts';

export interface QueueParts {
  readonly book: TaskBook;
  readonly records: TaskRecords;
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
  const { settings } = parts;
  const killGraceSeconds = () => settings.get('tasks.killGraceSeconds');
  return {
    keeper: new QueueKeeper({ ...parts, killGraceSeconds }),
    amendments: new Amendments(parts),
    batches: new BatchService(parts),
  };
}
