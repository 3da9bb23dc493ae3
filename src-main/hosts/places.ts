import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

export interface Places {
  /** The folder with package.json: the checkout, or the app's own folder when packaged. */
  root: string;
  rendererDir: string;
  version: string;
}

/** Where the app's own files are, found from any of its modules, built or not. */
export function findPlaces(from: string): Places {
  let root = dirname(fileURLToPath(from));
  while (!existsSync(join(root, 'package.json'))) {
    const parent = dirname(root);
    if (parent === root) throw new Error(`No package.json above ${from}.`);
    root = parent;
  }
  const { version } = z
    .object({ version: z.string() })
    .parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
  return { root, rendererDir: join(root, 'dist', 'renderer'), version };
}
