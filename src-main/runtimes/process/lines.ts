import type { Readable } from 'node:stream';
import { AppError } from '../../contract/errors.ts';
import { ProcessCreationError } from './errors.ts';

/** None of our programs says more in one line. */
const longest = 16_384;

/**
 * What a program on a node prints, by lines, until it ends or its link does; what comes behind the
 * last line end is dropped. Throws ProcessCreationError when a line does not end: it is not ours then.
 */
export async function* linesOf(stream: Readable): AsyncGenerator<string, void, undefined> {
  stream.setEncoding('utf8');
  let rest = '';
  try {
    for await (const chunk of stream as AsyncIterable<string>) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > longest)
        throw new ProcessCreationError('A program on the node prints a line without an end.');
      yield* lines;
    }
  } catch (error) {
    // That the stream broke off is how links end; whoever has the program hears why.
    if (error instanceof AppError) throw error;
  }
}
