import type { Command } from 'commander';
import type { TaskAmendment } from '../../../contract/task.ts';
import type { Call } from '../call.ts';
import { UsageError } from '../errors.ts';
import { asIs, collecting, reading, wholeNumber } from '../parse/option.ts';
import { parseMemorySize } from '../../../domain/size.ts';
import { parsePair } from '../parse/pairs.ts';
import { parseDependency, parseRetryCauses, parseSeconds } from '../parse/shape.ts';
import { readSubmission, type SubmissionOptions } from '../submission.ts';
import { answerOrder } from './task-orders.ts';

interface AmendOptions extends SubmissionOptions {
  /** Targets, limits and so on that are taken away. */
  without?: readonly string[];
}

const removable = {
  target: { target: null },
  memory: { memoryBytes: null },
  gpus: { gpus: null },
  exclusive: { exclusive: false },
  labels: { onNodeLabels: {} },
  avoid: { avoidNodes: [] },
  'time-limit': { timeLimitSeconds: null },
  retries: { retries: null },
  'not-before': { notBefore: null },
  after: { after: [] },
  hold: { hold: false },
} as const satisfies Record<string, TaskAmendment>;

export const removableWords = Object.keys(removable);

/** Adds what can be changed. */
export function amendOptions(command: Command): Command {
  return command
    .option('-t, --target <target>', 'another target', collecting(asIs))
    .option('-c, --cores <number>', 'processor cores', reading(wholeNumber(0, 4096)))
    .option('-m, --memory <size>', 'memory, such as 512M or 8G', reading(parseMemorySize))
    .option('--gpus <number>', 'so many GPUs', reading(wholeNumber(1, 64)))
    .option('--gpu-model <text>', 'GPUs with this in the name of their model')
    .option('--gpu-memory <size>', 'GPUs with at least this much', reading(parseMemorySize))
    .option('--exclusive', 'have the node alone')
    .option('--on-node-label <name=value>', 'only on nodes with this label', collecting(parsePair))
    .option('--avoid-node <node>', 'not on this node (repeatable)', collecting(asIs))
    .option('--priority <number>', 'from -100 to 100', reading(wholeNumber(-100, 100)))
    .option('--hold', 'do not start it before it is released')
    .option('--after <id[:ok|any|failed]>', 'wait for these instead', collecting(parseDependency))
    .option('--time-limit <duration>', 'end it after this time', reading(parseSeconds))
    .option('--retries <number>', 'try again so often', reading(wholeNumber(1, 100)))
    .option('--retry-on <exit,oom,lost>', 'after which failures', reading(parseRetryCauses))
    .option('--retry-wait <duration>', 'the wait before the first retry', reading(parseSeconds))
    .option('--not-before <time>', 'not before this', asIs)
    .option(
      '--without <what>',
      `take something away: ${removableWords.join(', ')} (repeatable)`,
      collecting(asIs),
    );
}

/** `task amend`: changes what waiting tasks ask for. */
export async function amendTasks(call: Call<AmendOptions>, references: string[]): Promise<number> {
  const { targets, ...given } = await readSubmission(call, []);
  if (targets !== undefined && targets.length > 1) {
    throw new UsageError('A task has one target: give --target once.');
  }
  const taken = (call.options.without ?? []).map((word) => {
    if (Object.hasOwn(removable, word)) return removable[word as keyof typeof removable];
    throw new UsageError(`--without ${word}: choose from ${removableWords.join(', ')}.`);
  });
  const target = targets === undefined ? {} : { target: targets[0] ?? null };
  const changes = Object.assign({}, given, target, ...taken) as TaskAmendment;
  if (Object.keys(changes).length === 0) throw new UsageError('Say what to change.');
  const { tasks } = await call.api();
  return answerOrder(call, await tasks.amend({ tasks: references, changes }), 'changed');
}
