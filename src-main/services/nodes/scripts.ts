import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Reads the scripts of `<resourcesDir>/node`, each once. Throws where one is missing: the installation is broken then. */
export function scriptsOf(resourcesDir: string): (name: string) => string {
  const texts = new Map<string, string>();
  return (name) => {
    const known = texts.get(name);
    if (known !== undefined) return known;
    const text = readFileSync(join(resourcesDir, 'node', name), 'utf8');
    texts.set(name, text);
    return text;
  };
}
