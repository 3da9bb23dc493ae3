import { UsageError } from '../errors.ts';

/** `NAME=VALUE` as a pair; everything after the first `=` is the value. Throws UsageError. */
export function parsePair(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new UsageError(`"${text}" is not of the form NAME=VALUE.`);
  return [text.slice(0, at), text.slice(at + 1)];
}

/** `NAME=VALUE` sets a label, `NAME=` or `NAME-` removes it (null). Throws UsageError. */
export function parseLabelChange(text: string): readonly [string, string | null] {
  if (/^[^=]+-$/.test(text)) return [text.slice(0, -1), null];
  const [name, value] = parsePair(text);
  return [name, value === '' ? null : value];
}

/** Pairs as a record; of two with one name the later counts. */
export function recordOf<T>(pairs: readonly (readonly [string, T])[] = []): Record<string, T> {
  return Object.fromEntries(pairs);
}

/**
 * A file of variables: `NAME=VALUE` a line, taken as it is (no quotes, no `export`), as Docker reads
 * it; empty lines and those that begin with `#` are skipped. Throws UsageError, naming the line but
 * not what is in it.
 */
export function parseEnvFile(text: string, file: string): Record<string, string> {
  const pairs = text.split(/\r?\n/).flatMap((line, index) => {
    if (line.trim() === '' || line.trimStart().startsWith('#')) return [];
    const at = line.indexOf('=');
    if (at >= 1) return [[line.slice(0, at).trimStart(), line.slice(at + 1)] as const];
    throw new UsageError(`Line ${String(index + 1)} of ${file} is not of the form NAME=VALUE.`);
  });
  return recordOf(pairs);
}
