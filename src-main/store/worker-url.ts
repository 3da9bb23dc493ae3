import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Where the file of a worker thread is. From sources it lies beside the module that starts it and
 * ends in `.ts` (Node strips the types); in a build every worker lies beside the main bundle, and
 * the module that starts it there or in a folder of chunks below.
 * @param from `import.meta.url` of the module that starts it.
 */
export function workerUrl(name: string, from: string): URL {
  if (from.endsWith('.ts')) return new URL(`./${name}.ts`, from);
  const beside = new URL(`./${name}.js`, from);
  return existsSync(fileURLToPath(beside)) ? beside : new URL(`../${name}.js`, from);
}
