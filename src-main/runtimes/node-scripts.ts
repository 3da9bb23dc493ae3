import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const cache = new Map<string, string>();

/**
 * The text of one of our scripts in resources/node, which run on nodes. Found by walking up from
 * this file, so that it works from the sources and from a bundle.
 */
export function readNodeScript(name: string): string {
  const known = cache.get(name);
  if (known !== undefined) return known;
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    const path = join(folder, 'resources', 'node', name);
    if (existsSync(path)) {
      const text = readFileSync(path, 'utf8');
      cache.set(name, text);
      return text;
    }
    if (folder === dirname(folder)) throw new Error(`The script ${name} is not in resources/node.`);
  }
}
