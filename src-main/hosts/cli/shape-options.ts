// The options that say when, how often and in what company a task runs.
import type { Command } from 'commander';
import type { Instant } from '../../contract/ids.ts';
import type { ArrayRequest, DependencyRule, RetryCause } from '../../contract/task-shape.ts';
import type { TaskSubmissionInput } from '../../contract/task.ts';
import { UsageError } from './errors.ts';
import { parseArray } from './parse/array.ts';
import { asIs, collecting, reading, wholeNumber } from './parse/option.ts';
import {
  parseDependency,
  parseParameter,
  parseRetryCauses,
  parseSeconds,
  parseUntil,
} from './parse/shape.ts';

export interface ShapeOptions {
  after?: readonly { task: string; on: DependencyRule }[];
  array?: ArrayRequest;
  sweep?: readonly (readonly [string, string[]])[];
  maxRunning?: number;
  timeLimit?: number;
  retries?: number;
  retryOn?: RetryCause[];
  retryWait?: number;
  notBefore?: string;
}

export function shapeOptions(command: Command): Command {
  return command
    .option(
      '--after <id[:ok|any|failed]>',
      'only when that task or batch has ended so (repeatable)',
      collecting(parseDependency),
    )
    .option(
      '--array <N|A-B[%MAX]>',
      'many alike, told apart by KOHAKURIVER_ARRAY_INDEX; at most MAX of them at a time',
      reading(parseArray),
    )
    .option(
      '--sweep <name=a,b,c>',
      'one task for each combination of values; {name} stands for them in the command (repeatable)',
      collecting(parseParameter),
    )
    .option(
      '--max-running <number>',
      'of a sweep, at most so many at a time',
      reading(wholeNumber(1, 10_000)),
    )
    .option('--time-limit <duration>', 'end it after this time, such as 2h', reading(parseSeconds))
    .option('--retries <number>', 'try again so often when it fails', reading(wholeNumber(1, 100)))
    .option(
      '--retry-on <exit,oom,lost>',
      'after which failures: exit,oom where not said',
      reading(parseRetryCauses),
    )
    .option(
      '--retry-wait <duration>',
      'the wait before the first retry; it doubles with each',
      reading(parseSeconds),
    )
    .option('--not-before <time>', 'not before 2026-03-01T14:05, or in 2h as 2h', asIs);
}

type Shape = Pick<
  TaskSubmissionInput,
  'after' | 'array' | 'sweep' | 'timeLimitSeconds' | 'retries' | 'notBefore'
>;

/** What was asked for, and only that. Throws UsageError. */
export function readShape(
  options: ShapeOptions,
  now: Instant,
): { [K in keyof Shape]: Shape[K] | undefined } {
  return {
    after: options.after === undefined ? undefined : [...options.after],
    array: options.array,
    sweep: sweepOf(options),
    timeLimitSeconds: options.timeLimit,
    retries: retriesOf(options),
    notBefore: options.notBefore === undefined ? undefined : parseUntil(options.notBefore, now),
  };
}

function sweepOf({ sweep, maxRunning }: ShapeOptions): Shape['sweep'] | undefined {
  if (sweep === undefined) {
    if (maxRunning === undefined) return undefined;
    throw new UsageError('--max-running belongs to --sweep; of an array, write --array 0-99%4.');
  }
  return { parameters: Object.fromEntries(sweep), maxRunning: maxRunning ?? null };
}

function retriesOf({ retries, retryOn, retryWait }: ShapeOptions): Shape['retries'] | undefined {
  if (retries === undefined) {
    if (retryOn === undefined && retryWait === undefined) return undefined;
    throw new UsageError('Say how often with --retries.');
  }
  return {
    count: retries,
    on: retryOn ?? ['exit', 'oom'],
    ...(retryWait === undefined ? {} : { backoffSeconds: retryWait }),
  };
}
