// What is typed into fields, as values; what is wrong with it goes into `problems` by field.
import { parseSeconds } from './duration-text.ts';
import { parseSize } from './sizes.ts';

export type Problems = Record<string, string>;

export interface Pair {
  key: string;
  value: string;
}

export function toPairs(record: Readonly<Record<string, string>> | undefined): Pair[] {
  return Object.entries(record ?? {}).map(([key, value]) => ({ key, value }));
}

/** Rows that are empty count as not there. */
export function fromPairs(
  pairs: readonly Pair[],
  field: string,
  problems: Problems,
): Record<string, string> {
  const used = pairs.filter(({ key, value }) => key !== '' || value !== '');
  const keys = used.map(({ key }) => key.trim());
  const twice = keys.find((key, i) => keys.indexOf(key) !== i);
  if (twice !== undefined) problems[field] = `«${twice}» is there twice.`;
  return Object.fromEntries(used.map(({ value }, i) => [keys[i] ?? '', value]));
}

export function readNumber(text: string, field: string, problems: Problems): number {
  const trimmed = text.trim();
  if (!/^-?\d+$/.test(trimmed)) problems[field] = 'A whole number, please.';
  return Number.parseInt(trimmed, 10) || 0;
}

/** Pairs of folders; rows that are empty count as not there. */
export function filledRows<T extends { from: string; to: string }>(rows: readonly T[]): T[] {
  return rows.filter(({ from, to }) => from !== '' || to !== '').map((row) => ({ ...row }));
}

/** A pair that is still being typed. */
export function isHalfFilled({ from, to }: { from: string; to: string }): boolean {
  return (from === '') !== (to === '');
}

/** Null for an empty field. */
export function readOptionalNumber(text: string, field: string, problems: Problems): number | null {
  return text.trim() === '' ? null : readNumber(text, field, problems);
}

/** Null for an empty field. */
export function readSize(text: string, field: string, problems: Problems): number | null {
  if (text.trim() === '') return null;
  const bytes = parseSize(text);
  if (bytes === undefined) problems[field] = 'A size such as 512M, 8G or 1.5G.';
  return bytes ?? null;
}

/** Seconds; null for an empty field. */
export function readDuration(text: string, field: string, problems: Problems): number | null {
  if (text.trim() === '') return null;
  const seconds = parseSeconds(text);
  if (seconds === undefined) problems[field] = 'A duration such as 90s, 30m, 2h or 1h30m.';
  return seconds ?? null;
}

/** Null for an empty field. */
export function readText(text: string): string | null {
  const trimmed = text.trim();
  return trimmed === '' ? null : trimmed;
}

/** Messages of the schema begin small and end open. */
export function sentence(message: string): string {
  const text = message.charAt(0).toUpperCase() + message.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
