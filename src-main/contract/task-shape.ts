// The shape of work beyond one task: dependencies, arrays and sweeps, retries, limits, gangs.
import { z } from 'zod';
import { taskId } from './ids.ts';

/** More elements than this make one batch too large to look at, or to kill by mistake. */
export const mostElements = 10_000;

/** So many tasks can start together. */
export const mostInGang = 1000;
const longestLimitSeconds = 366 * 24 * 3600;

/**
 * How a task that is waited for must end. `ok`: COMPLETED. `failed`: FAILED, KILLED_OOM or KILLED.
 * `any`: it has ended, however.
 */
export const dependencyRule = z.enum(['ok', 'any', 'failed']);
export type DependencyRule = z.infer<typeof dependencyRule>;

/** As asked for: a task or a whole batch, by ID, ending of an ID, or name. */
export const dependencyRequest = z.strictObject({
  task: z.string().min(1).max(128),
  on: dependencyRule.default('ok'),
});
/** As kept: one task. */
export const dependency = z.strictObject({ task: taskId, on: dependencyRule });
export type Dependency = z.infer<typeof dependency>;

const arrayIndex = z.number().int().min(0).max(1_000_000_000);

/** Tasks alike but for `KOHAKURIVER_ARRAY_INDEX`, in one batch. */
export const arrayRequest = z.strictObject({
  indices: z
    .array(arrayIndex)
    .min(1, 'an array needs at least one index')
    .max(
      mostElements,
      `an array may have at most ${String(mostElements)} elements: split it, or let each element do more`,
    )
    .refine(
      (indices) => new Set(indices).size === indices.length,
      'an index may be given only once',
    ),
  /** At most so many of them hold something at a time; null: as many as fit. */
  maxRunning: z.number().int().min(1).max(mostElements).nullable().default(null),
});
export type ArrayRequest = z.infer<typeof arrayRequest>;

/** Why an attempt ended badly: by its own exit code or a signal, for want of memory, or with its node. */
export const retryCause = z.enum(['exit', 'oom', 'lost']);
export type RetryCause = z.infer<typeof retryCause>;

/**
 * How often to try again, and after what. The n-th wait is `backoffSeconds` × 2^(n−1), at most an
 * hour. `lost` is an attempt that is proven gone with its node, not one whose node is out of reach.
 */
export const retryPolicy = z.strictObject({
  count: z
    .number()
    .int()
    .min(1, 'retries start at 1; leave them out for none')
    .max(100, 'at most 100 retries'),
  on: z.array(retryCause).min(1, 'name what to retry on: exit, oom or lost').max(3),
  backoffSeconds: z.number().int().min(0).max(3600).default(10),
});
export type RetryPolicy = z.infer<typeof retryPolicy>;

/** Seconds a task may run from its start; the time it is paused counts. */
export const timeLimitSeconds = z
  .number()
  .int()
  .min(1, 'a time limit is at least one second; leave it out for none')
  .max(longestLimitSeconds, 'a time limit is at most 366 days');

const parameterName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be a variable name such as LR');
const parameterValue = z
  .string()
  .max(4096)
  .refine((text) => !text.includes('\0'), 'must not contain a NUL character');

/**
 * A grid of parameters: one element for each combination, with the variables set and `{NAME}`
 * replaced in a command. The last parameter changes fastest.
 */
export const sweepRequest = z.strictObject({
  parameters: z
    .record(
      parameterName,
      z
        .array(parameterValue)
        .min(1, 'needs at least one value')
        .max(1000, 'at most 1000 values for one parameter'),
    )
    .refine((values) => Object.keys(values).length > 0, 'a sweep needs at least one parameter')
    .refine(
      (values) => combinationCount(values) <= mostElements,
      `the combinations are more than ${String(mostElements)}: leave out values or parameters`,
    ),
  maxRunning: z.number().int().min(1).max(mostElements).nullable().default(null),
});
export type SweepRequest = z.infer<typeof sweepRequest>;

/** How many tasks a grid comes to. */
export function combinationCount(parameters: Readonly<Record<string, readonly string[]>>): number {
  return Object.values(parameters).reduce((count, values) => count * values.length, 1);
}
