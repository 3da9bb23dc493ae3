import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Lets whoever receives much ask for a small collection (link/ssh/collecting.ts), as `node --expose-gc`
 * does. Not in Electron, whose V8 takes no flags once it runs.
 */
export function exposeCollector(): void {
  if ('gc' in globalThis || 'electron' in process.versions) return;
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  Object.defineProperty(globalThis, 'gc', { value: collect, configurable: true });
}
