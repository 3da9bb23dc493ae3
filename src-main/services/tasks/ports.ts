// What the task services use of the store, by the names they use it.
import type { EffectRepository, StoredEffect } from '../../store/effect-repository.ts';
import type { TaskRepository } from '../../store/task-repository.ts';
import type { StoredTask, UnreadableTask } from '../../store/task-rows.ts';

export type { StoredEffect, StoredTask, UnreadableTask };

export type TaskRecords = Pick<
  TaskRepository,
  | 'insertMany'
  | 'save'
  | 'get'
  | 'active'
  | 'resolveRef'
  | 'events'
  | 'appendEvent'
  | 'setLogBytes'
  | 'window'
  | 'remove'
  | 'counts'
  | 'endedBefore'
  | 'batchWindow'
  | 'batch'
  | 'ofBatch'
  | 'resolveBatch'
>;
export type EffectRecords = Pick<EffectRepository, 'forNode' | 'done' | 'forgetNode'>;

/** The group commit of the store: what is written in one turn of the loop becomes durable together. */
export interface Commit {
  write<T>(change: () => T): T;
  /** Resolves when everything written so far is on disk; rejects when it could not be. */
  flushed(): Promise<void>;
}
