// The numbers of an array as people type them, read as `--array` reads them: `10` (0 to 9), `1-10`,
// `1,3,7-9`, each with `%4` for at most four at a time.
import { mostElements } from '../../src-main/contract/task-shape.ts';

export type ArrayNumbers =
  | { ok: true; indices: number[]; maxRunning: number | null }
  | { ok: false; problem: string };

const howTo = 'Write 10 (for 0 to 9), 1-10 or 1,3,7-9.';

export function parseArrayText(text: string): ArrayNumbers {
  const match = /^([\d,-]+)(?:%(\d+))?$/.exec(text.replaceAll(' ', ''));
  const list = match?.[1];
  if (list === undefined) return { ok: false, problem: howTo };
  const isCount = /^\d+$/.test(list);
  const ranges = isCount ? [{ first: 0, last: Number(list) - 1 }] : rangesOf(list);
  if (ranges === undefined) return { ok: false, problem: howTo };
  const count = ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  if (count > mostElements)
    return { ok: false, problem: `An array has at most ${String(mostElements)} tasks.` };
  if (count === 0) return { ok: false, problem: 'An array needs at least one task.' };
  const indices = ranges.flatMap(({ first, last }) =>
    Array.from({ length: last - first + 1 }, (_, i) => first + i),
  );
  const most = match?.[2];
  return { ok: true, indices, maxRunning: most === undefined ? null : Number(most) };
}

interface Range {
  first: number;
  last: number;
}

function rangesOf(list: string): Range[] | undefined {
  const ranges = list.split(',').map((part): Range | undefined => {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part);
    if (match === null) return undefined;
    const first = Number(match[1]);
    const last = match[2] === undefined ? first : Number(match[2]);
    return last < first ? undefined : { first, last };
  });
  return ranges.every((range) => range !== undefined) ? ranges : undefined;
}

/** The shortest text that is read back as these numbers, in their order. */
export function arrayText(indices: readonly number[]): string {
  const ranges: Range[] = [];
  for (const index of indices) {
    const current = ranges.at(-1);
    if (current !== undefined && index === current.last + 1) current.last = index;
    else ranges.push({ first: index, last: index });
  }
  const [only] = ranges;
  // One number alone would be read as how many there are.
  if (ranges.length === 1 && only !== undefined)
    return only.first === 0 ? String(only.last + 1) : `${String(only.first)}-${String(only.last)}`;
  return ranges
    .map(({ first, last }) => (first === last ? String(first) : `${String(first)}-${String(last)}`))
    .join(',');
}
