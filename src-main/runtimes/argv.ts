// What an attempt runs, as one argument vector, the same for every runtime.
import { RequestError } from '../contract/errors.ts';
import type { Work } from '../contract/task.ts';

/** Linux refuses a single argument of 32 pages and more (MAX_ARG_STRLEN, execve(2)). */
const longestArgumentBytes = 131_071;

/**
 * The vector that runs: a command as it is, a script as `/bin/sh -c TEXT`.
 * Throws `input/invalid` for an argument Linux would refuse to pass on.
 */
export function argvOf(work: Work): readonly [string, ...string[]] {
  const argv = work.kind === 'script' ? ['/bin/sh', '-c', work.text] : work.argv;
  const tooLong = argv.find((argument) => Buffer.byteLength(argument) > longestArgumentBytes);
  if (tooLong !== undefined) {
    const what = work.kind === 'script' ? 'The script' : 'An argument of the command';
    throw new RequestError(
      'input/invalid',
      `${what} is longer than the 128 KiB that Linux passes to a program. Put it into a file on the node and run that file.`,
      { details: { bytes: Buffer.byteLength(tooLong), limit: longestArgumentBytes } },
    );
  }
  const [program, ...rest] = argv;
  if (program === undefined) {
    throw new RequestError('input/invalid', 'The command is empty. Name a program to run.');
  }
  return [program, ...rest];
}
