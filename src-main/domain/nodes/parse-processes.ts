// Running programs out of `resources/node/processes.sh`.
import type { ProcessInfo } from '../../contract/node.ts';
import { linesOf, parseSections } from './sections.ts';
import { cleanText, countOf, kibibytes, numberWithin } from './values.ts';

/** `DD-HH:MM:SS` of ps (leading parts may be missing) as seconds. */
function elapsedSeconds(text: string | undefined): number | null {
  const parts = /^(?:(\d{1,6})-)?(?:(\d{1,2}):)?(\d{1,2}):(\d{2})$/.exec(text ?? '');
  if (parts === null) return null;
  const [days, hours, minutes, seconds] = parts
    .slice(1)
    .map((part) => Number((part as string | undefined) ?? 0));
  return (((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0);
}

/** A line `pid user %cpu rss-in-KiB elapsed command…`. */
function parseLine(line: string, now: number): ProcessInfo | undefined {
  const parts = /^\s*(\d+)\s+(\S+)\s+(\S+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line);
  const pid = countOf(parts?.[1]);
  if (parts === null || pid === null) return undefined;
  const elapsed = elapsedSeconds(parts[5]);
  return {
    pid,
    user: cleanText(parts[2], 64),
    cpuPercent: numberWithin(parts[3], 0, 1_000_000) ?? 0,
    memoryBytes: kibibytes(parts[4]) ?? 0,
    startedAt: elapsed === null ? null : Math.max(0, now - elapsed * 1000),
    command: cleanText(parts[6], 1000),
  };
}

/** Processes by their use of CPU, the busiest first. Never throws. */
export function parseProcesses(text: string, now: number): ProcessInfo[] {
  const lines = linesOf(parseSections(text), 'processes');
  return lines
    .flatMap((line) => parseLine(line, now) ?? [])
    .sort((a, b) => b.cpuPercent - a.cpuPercent || b.memoryBytes - a.memoryBytes);
}
