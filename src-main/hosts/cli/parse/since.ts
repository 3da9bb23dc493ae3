import type { Instant } from '../../../contract/ids.ts';
import { parseDuration } from '../../../domain/duration.ts';
import { UsageError } from '../errors.ts';

/** An instant: ISO 8601 (`2026-03-01T14:05`, `…Z`), or how long ago (`10m`). Throws UsageError. */
export function parseSince(text: string, now: Instant): Instant {
  if (/^\d{4}-\d{2}-\d{2}/.test(text)) {
    const at = Date.parse(text);
    if (Number.isNaN(at)) throw new UsageError(`"${text}" is not a time: ${howTo}.`);
    return Math.max(0, at);
  }
  try {
    return Math.max(0, now - parseDuration(text));
  } catch (cause) {
    throw new UsageError(`"${text}" is not a time: ${howTo}.`, { cause });
  }
}

const howTo = 'write 2026-03-01T14:05, 2026-03-01T14:05:00Z, or how long ago, such as 10m';
