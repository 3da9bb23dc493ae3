// Dependencies, retries and times, as options say them.
import type { Instant } from '../../../contract/ids.ts';
import { dependencyRule, retryCause } from '../../../contract/task-shape.ts';
import type { DependencyRule, RetryCause } from '../../../contract/task-shape.ts';
import { parseDuration } from '../../../domain/duration.ts';
import { UsageError } from '../errors.ts';

/** `ID`, `ID:ok`, `ID:any`, `ID:failed`. Throws UsageError. */
export function parseDependency(text: string): { task: string; on: DependencyRule } {
  const colon = text.lastIndexOf(':');
  if (colon === -1) return { task: text, on: 'ok' };
  const rule = dependencyRule.safeParse(text.slice(colon + 1));
  if (rule.success && colon > 0) return { task: text.slice(0, colon), on: rule.data };
  throw new UsageError(
    `"${text}" is not a dependency: write the ID of a task or batch, and :ok (which is usual), :any or :failed.`,
  );
}

/** `exit,oom,lost`. Throws UsageError. */
export function parseRetryCauses(text: string): RetryCause[] {
  return [...new Set(text.split(','))].map((word) => {
    const cause = retryCause.safeParse(word.trim().toLowerCase());
    if (cause.success) return cause.data;
    throw new UsageError(
      `"${word}" is nothing to retry on: choose from exit, oom and lost, with commas between.`,
    );
  });
}

/** Whole seconds of a duration such as `90s`, `2h`, `1d`; a bare number is seconds. */
export function parseSeconds(text: string): number {
  return Math.round(parseDuration(text) / 1000);
}

/** An instant to come: ISO 8601 (`2026-03-01T14:05`), or how long from now (`2h`). Throws UsageError. */
export function parseUntil(text: string, now: Instant): Instant {
  const howTo = 'write 2026-03-01T14:05, 2026-03-01T14:05:00Z, or how long from now, such as 2h';
  if (/^\d{4}-\d{2}-\d{2}/.test(text)) {
    const at = Date.parse(text);
    if (Number.isNaN(at)) throw new UsageError(`"${text}" is not a time: ${howTo}.`);
    return Math.max(0, at);
  }
  try {
    return now + parseDuration(text);
  } catch (cause) {
    throw new UsageError(`"${text}" is not a time: ${howTo}.`, { cause });
  }
}

/** `NAME=A,B,C`: the values of one parameter of a sweep. Throws UsageError. */
export function parseParameter(text: string): readonly [string, string[]] {
  const equals = text.indexOf('=');
  const values = text.slice(equals + 1).split(',');
  if (equals > 0 && values.every((value) => value !== '')) return [text.slice(0, equals), values];
  throw new UsageError(`"${text}" is not a parameter: write NAME=VALUE,VALUE,…`);
}
