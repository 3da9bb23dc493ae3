import type { Clock } from '../../domain/clock.ts';
import type { RemoteFiles } from '../../link/node-link.ts';
import type { Root } from '../files/places.ts';
import { findTools, type Tools } from './far-side.ts';

/** What is installed or removed meanwhile is seen after that. */
const keptMs = 2 * 60_000;

/**
 * What programs are at a place, looked for once in a while and not for every transfer: to start them
 * all takes half a second, as long as 100 MB. A new link is looked at anew.
 */
export class KnownTools {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #found = new WeakMap<RemoteFiles, { readonly tools: Tools; readonly at: number }>();

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  async of(root: Root): Promise<Tools> {
    const known = this.#found.get(root.files);
    const now = this.#clock.monotonic();
    if (known !== undefined && now - known.at < keptMs) return known.tools;
    const tools = await findTools(root);
    // A place that ran nothing just now may do so the next time.
    if (root.nodeId === undefined || tools.shell) this.#found.set(root.files, { tools, at: now });
    return tools;
  }
}
