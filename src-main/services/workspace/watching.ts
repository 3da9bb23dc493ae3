// Open files and shown folders, watched on the machine that has them: one script a workspace.
import type { WatchInput, WatchNews } from '../../contract/workspace.ts';
import { sleep, type Timers } from '../../domain/clock.ts';
import { textOfBytes } from '../../domain/files/path-text.ts';
import { WatchLines, watchedFolders } from '../../domain/workspace/watch-lines.ts';
import type { Root } from '../files/places.ts';
import { BrokenOffError, MissingToolError } from './errors.ts';
import { startTied } from './tied-script.ts';

/** What happens in so short a time is told together; whoever writes all the time waits meanwhile. */
const togetherMs = 200;
const noProgram: readonly (number | null)[] = [67, 126, 127];

/**
 * Tells when it watches, and then what may be different, until it is left. A link that drops is thrown.
 * @throws MissingToolError, BrokenOffError
 */
export async function* watch(
  { root, timers }: { root: Root; timers: Timers },
  paths: Pick<WatchInput, 'files' | 'folders'>,
  signal: AbortSignal,
): AsyncGenerator<WatchNews> {
  const { files } = paths;
  await using script = await startTied(root, {
    name: 'workspace-watch.sh',
    args: [String(files.length), ...files, ...watchedFolders(paths)],
    signal,
  });
  const lines = new WatchLines(paths);
  let how: 'events' | 'looks' = 'events';
  for await (const chunk of script.output) {
    // Names are decoded as they come: a cut character only makes one line unknown.
    const text = textOfBytes(chunk);
    if (text.includes('Looking.')) how = 'looks';
    const { isReady, hasLooked, changed } = lines.push(text);
    if (isReady) yield { kind: 'watching', how };
    if (changed.length > 0) yield { kind: 'changed', paths: [...changed] };
    if (hasLooked) yield { kind: 'looked' };
    else if (changed.length > 0) await sleep(timers, togetherMs, signal);
  }
  signal.throwIfAborted();
  const { exitCode } = await script.ended;
  if (noProgram.includes(exitCode)) {
    throw new MissingToolError(root.label, 'There is no shell, or no stat, to watch files with');
  }
  throw new BrokenOffError(`Watching files on ${root.label} ended`, '');
}
