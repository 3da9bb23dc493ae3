// The app as it is built, for tests that run it as people do: a command from its sources takes twice the time.
import { join } from 'node:path';
import { buildAll } from '../../scripts/lib/build-parts.ts';

export const root = join(import.meta.dirname, '../..');
/** What `bin/kohakuriver` runs. */
export const builtCli = join(root, 'dist/main/cli.js');

let building: Promise<unknown> | undefined;

/** Builds what has changed since it was built last, once in this process. */
export async function ensureBuilt(): Promise<void> {
  building ??= buildAll({ force: false });
  await building;
}
