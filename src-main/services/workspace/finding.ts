// Text that is looked for in the files of a folder, on the machine that has them.
import {
  foldersLeftOut,
  mostHits,
  type FindHit,
  type FindInput,
  type FindNews,
} from '../../contract/workspace.ts';
import { HitCutter } from '../../domain/workspace/hits.ts';
import type { Root } from '../files/places.ts';
import { BadPatternError, BrokenOffError, MissingToolError } from './errors.ts';
import { startTied } from './tied-script.ts';

/** More output is of files that no person wrote: it is given up there. */
const mostOutputBytes = 64 * 1024 * 1024;

/** Exit codes of the script. */
const badPattern = 65;
const noFolder = 66;
const noGrep: readonly (number | null)[] = [67, 126, 127];

/**
 * Lines as they are found, then the end. Leaving the loop ends it at its source.
 * @throws BadPatternError, MissingToolError, BrokenOffError
 */
export async function* find(
  root: Root,
  input: FindInput & { path: string },
  signal: AbortSignal,
): AsyncGenerator<FindNews> {
  const options = `${input.isCaseSensitive ? '' : 'i'}${input.isWord ? 'w' : ''}`;
  await using script = await startTied(root, {
    name: 'workspace-find.sh',
    args: [
      input.isPattern ? 'E' : 'F',
      options === '' ? '-' : options,
      input.text,
      input.path,
      ...(input.isEverywhere ? [] : foldersLeftOut),
    ],
    signal,
  });
  const told = { hits: 0, bytes: 0 };
  const cutter = new HitCutter(input.isPattern ? '' : input.text);
  for await (const chunk of script.output) {
    told.bytes += chunk.length;
    const hits: FindHit[] = cutter.push(chunk).slice(0, mostHits - told.hits);
    told.hits += hits.length;
    if (hits.length > 0) yield { kind: 'hits', hits };
    if (told.hits >= mostHits || told.bytes >= mostOutputBytes) {
      yield { kind: 'end', isCut: true, unread: 0 };
      return;
    }
  }
  signal.throwIfAborted();
  const { exitCode } = await script.ended;
  const complaints = script.complaints();
  throwIfFailed(root, exitCode, complaints);
  yield { kind: 'end', isCut: false, unread: unreadIn(complaints) };
}

function throwIfFailed(root: Root, exitCode: number | null, complaints: string): void {
  if (exitCode === badPattern) throw new BadPatternError(reasonIn(complaints));
  if (noGrep.includes(exitCode)) {
    throw new MissingToolError(root.label, 'There is no grep that could look for it');
  }
  if (exitCode === noFolder) {
    throw new BrokenOffError('The folder cannot be entered', reasonIn(complaints));
  }
  if (exitCode === null || exitCode > 2) {
    throw new BrokenOffError(`Looking for it on ${root.label} ended early`, reasonIn(complaints));
  }
}

/** What the last complaint says, without the name of the program and control characters. */
function reasonIn(complaints: string): string {
  const [last = ''] = complaints.trim().split('\n').slice(-1);
  return last
    .replace(/^[^:]*:\s*/, '')
    .replace(/\p{Cc}/gu, ' ')
    .slice(0, 200);
}

/** `grep: ./a/b: Permission denied`, a line each. */
function unreadIn(complaints: string): number {
  return complaints.split('\n').filter((line) => line.includes(': ')).length;
}
