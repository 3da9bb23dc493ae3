// What a tar program gives of files that it is told the names of.
import { bytesOfText } from '../../domain/files/path-text.ts';
import type { Item } from '../../domain/transfers/plan.ts';
import type { RemoteProcess } from '../../link/node-link.ts';
import type { End } from './small-files.ts';

/** A command, and what it is given as its input. */
interface Asking {
  readonly command: readonly string[];
  readonly input: string;
}

/** By a list of names. */
export function askByList(items: readonly Item[], { directory }: End): Asking {
  const text = 'cd "$1" && LC_ALL=C exec tar -c -f - -T -';
  const input = items.map(({ path }) => `./${path}\n`).join('');
  return { command: ['sh', '-c', text, 'sh', directory], input };
}

/** Far below what a system gives to one command (128 KiB for one word of Linux, where it goes by SSH). */
const argumentBytes = 48 * 1024;

/** A small tar (BusyBox's) reads no list of names: it is given them as its arguments, many at a time. */
export function* askByArguments(items: readonly Item[], { directory }: End): Generator<Asking> {
  const text = 'cd "$1" && shift && LC_ALL=C exec tar -c -f - "$@"';
  let names: string[] = [];
  let size = 0;
  for (const [at, { path }] of items.entries()) {
    names.push(`./${path}`);
    // Each may be quoted on its way.
    size += 2 * bytesOfText(path).length + 8;
    if (size < argumentBytes && at < items.length - 1) continue;
    yield { command: ['sh', '-c', text, 'sh', directory, ...names], input: '' };
    names = [];
    size = 0;
  }
}

/** Its output is the archive. */
export async function startArchive(
  { command, input }: Asking,
  { root }: End,
  signal: AbortSignal,
): Promise<RemoteProcess> {
  const process = await root.spawn(command, { signal });
  process.stderr.resume();
  process.stdin.on('error', () => undefined);
  process.stdin.end(Buffer.from(bytesOfText(input)));
  return process;
}
