// How our command line is started on this computer.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { quoteForShell } from '../link/quote.ts';
import { findPlaces } from './places.ts';

/**
 * Shell text that starts it on a data directory; undefined where it is not installed, as in the
 * packaged app.
 */
export function ownCommand(dataDir: string): string | undefined {
  const { root } = findPlaces(import.meta.url);
  const words = [...(programOf(root) ?? []), '--data-dir', dataDir];
  return words.length === 2 ? undefined : quoteForShell(words);
}

/** As it is written, where this process is it; else what was built. */
function programOf(root: string): string[] | undefined {
  const source = join(root, 'src-main', 'hosts', 'cli', 'main.ts');
  if (process.argv[1] === source) return [process.execPath, source];
  const launcher = join(root, 'bin', 'kohakuriver');
  const isBuilt = existsSync(launcher) && existsSync(join(root, 'dist', 'main', 'cli.js'));
  return isBuilt ? [launcher] : undefined;
}
