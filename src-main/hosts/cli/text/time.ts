import type { Instant } from '../../../contract/ids.ts';
import { formatDuration } from '../../../domain/duration.ts';

/** ISO 8601 in UTC, as JSON output has it. */
export function isoTime(at: Instant): string {
  return new Date(at).toISOString();
}

/** The same, with null for what has not happened. */
export function isoTimeOrNull(at: Instant | null): string | null {
  return at === null ? null : isoTime(at);
}

/** `2026-03-01 14:05:09` in the computer's own time zone, for people. */
export function localTime(at: Instant): string {
  const time = new Date(at);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join('-');
  return `${day} ${[time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':')}`;
}

/** `5m 3s ago`; what lies ahead because clocks differ is «now». */
export function ago(at: Instant, now: Instant): string {
  return now - at < 1000 ? 'now' : `${formatDuration(now - at)} ago`;
}
