// Durations as people write them: `90s`, `10m`, `2h`, `1d`, `1h30m`, `1:30:00`.
import { ValueSyntaxError } from './errors.ts';

const unitMs = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000 } as const;
const unitsPattern =
  /^(?:(\d+(?:\.\d+)?)d)?(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s?)?$/i;
const clockPattern = /^(?:(\d+):)?(\d+):(\d{2})$/;
const longestMs = 3650 * unitMs.d;
const howTo = 'write 90s, 10m, 2h, 1d, 1h30m or 1:30:00';

/** Milliseconds meant by the text; a bare number is seconds. At most ten years. Throws ValueSyntaxError. */
export function parseDuration(text: string): number {
  const ms = fromClock(text.trim()) ?? fromUnits(text.trim().replaceAll(' ', ''));
  if (ms === undefined) throw new ValueSyntaxError('duration', text, howTo);
  if (ms > longestMs) throw new ValueSyntaxError('duration', text, 'it can be at most 3650 days');
  return Math.round(ms);
}

function fromUnits(text: string): number | undefined {
  const match = unitsPattern.exec(text);
  if (match === null || text === '') return undefined;
  const [, days = '0', hours = '0', minutes = '0', seconds = '0'] = match;
  return (
    Number(days) * unitMs.d +
    Number(hours) * unitMs.h +
    Number(minutes) * unitMs.m +
    Number(seconds) * unitMs.s
  );
}

/** `m:ss` or `h:mm:ss`. */
function fromClock(text: string): number | undefined {
  const match = clockPattern.exec(text);
  if (match === null) return undefined;
  const [, hours, minutes = '0', seconds = '0'] = match;
  if (
    Number(seconds) > 59 ||
    (hours !== undefined && (minutes.length !== 2 || Number(minutes) > 59))
  ) {
    return undefined;
  }
  return Number(hours ?? 0) * unitMs.h + Number(minutes) * unitMs.m + Number(seconds) * unitMs.s;
}

/** `2d 3h`, `1h 30m`, `10m`, `45s`, `250ms`: for people; the two largest units that are not zero. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 1000) return `${String(Math.max(0, Math.round(durationMs)))}ms`;
  let rest = Math.floor(durationMs / 1000) * 1000;
  const parts: string[] = [];
  for (const [unit, ms] of Object.entries(unitMs)) {
    const count = Math.floor(rest / ms);
    rest -= count * ms;
    if (count > 0) parts.push(`${String(count)}${unit}`);
  }
  return parts.slice(0, 2).join(' ');
}
