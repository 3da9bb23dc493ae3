import { mostElements } from '../../../contract/task-shape.ts';
import type { ArrayRequest } from '../../../contract/task-shape.ts';
import { UsageError } from '../errors.ts';

const howTo = 'write 10 (numbers 0 to 9), 1-10, 1,3,7-9 or 0-99%4 (at most 4 at a time)';

/** `N`, `A-B`, `A,B,C-D`, each with `%MAX`: the elements of an array. Throws UsageError. */
export function parseArray(text: string): ArrayRequest {
  const match = /^([\d,-]+)(?:%(\d+))?$/.exec(text.replaceAll(' ', ''));
  if (match === null) throw new UsageError(`"${text}" is not an array: ${howTo}.`);
  const [, list = '', most] = match;
  const indices = /^\d+$/.test(list) ? range(0, Number(list) - 1, text) : parts(list, text);
  if (indices.length === 0) throw new UsageError(`"${text}" is an array without elements.`);
  return { indices, maxRunning: most === undefined ? null : Number(most) };
}

function parts(list: string, text: string): number[] {
  return list.split(',').flatMap((part) => {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part);
    if (match === null) throw new UsageError(`"${text}" is not an array: ${howTo}.`);
    const first = Number(match[1]);
    return range(first, match[2] === undefined ? first : Number(match[2]), text);
  });
}

function range(first: number, last: number, text: string): number[] {
  const count = last - first + 1;
  if (count > mostElements) {
    throw new UsageError(
      `"${text}" has ${String(count)} elements; an array may have at most ${String(mostElements)}.`,
    );
  }
  if (count < 1 && last >= 0)
    throw new UsageError(`"${text}" goes from a larger number to a smaller.`);
  return Array.from({ length: Math.max(0, count) }, (_, index) => first + index);
}
