import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';

const manifest = z.object({ name: z.string(), version: z.string() });

/** The folder this program was installed to, whether it runs from its sources or from `dist`. */
export function packageRoot(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error('package.json is missing above the program.');
    folder = parent;
  }
  return folder;
}

/** The version of this program. */
export function appVersion(): string {
  return manifest.parse(JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')))
    .version;
}

/** Where the built page is. */
export function rendererDir(): string {
  return join(packageRoot(), 'dist', 'renderer');
}
