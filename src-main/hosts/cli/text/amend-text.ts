// A change of a waiting task as the words of `task amend` that make it.
import { quoteForShell } from '../../../link/quote.ts';
import type { TaskAmendment } from '../../../contract/task.ts';

/** The options of `task amend` for what suggestions change. */
export function amendArguments(changes: TaskAmendment): string[] {
  return [
    ...gpuArguments(changes.gpus),
    ...given('--cores', changes.cores),
    ...given('--memory', changes.memoryBytes, memoryText),
    ...given('--time-limit', changes.timeLimitSeconds, (seconds) => `${String(seconds)}s`),
    ...given('--target', changes.target),
    ...takenAway(changes),
  ];
}

function takenAway({ target, exclusive, onNodeLabels, avoidNodes }: TaskAmendment): string[] {
  const isEmpty = (value: object | undefined) =>
    value !== undefined && Object.keys(value).length === 0;
  const words = [
    ...(target === null ? ['target'] : []),
    ...(exclusive === false ? ['exclusive'] : []),
    ...(isEmpty(onNodeLabels) ? ['labels'] : []),
    ...(isEmpty(avoidNodes) ? ['avoid'] : []),
  ];
  return words.flatMap((word) => ['--without', word]);
}

function gpuArguments(gpus: TaskAmendment['gpus']): string[] {
  if (gpus === undefined || gpus === null) return [];
  return [
    ...given('--gpus', gpus.count),
    ...given('--gpu-model', gpus.model),
    ...given('--gpu-memory', gpus.minMemoryBytes, memoryText),
  ];
}

function given<T extends string | number>(
  option: string,
  value: T | null | undefined,
  write: (value: T) => string = String,
): string[] {
  return value === undefined || value === null ? [] : [option, write(value)];
}

/** In MiB where that is exact. */
function memoryText(bytes: number): string {
  return bytes % 2 ** 20 === 0 ? `${String(bytes / 2 ** 20)}M` : `${String(bytes)}B`;
}

/** A command as people type it: quoted only where a shell needs it. */
export function typedCommand(words: readonly string[]): string {
  return words
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : quoteForShell([word])))
    .join(' ');
}
