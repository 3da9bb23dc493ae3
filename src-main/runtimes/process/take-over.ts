// What makes sure that nothing a runner was ordered earlier still comes: before a connection looks at
// a node or orders anything, what runners of earlier ones have under way there is taken away.
import type { CoreId } from '../../contract/ids.ts';
import type { Clock } from '../../domain/clock.ts';
import type { NodeLink } from '../../link/node-link.ts';
import { readNodeScript } from '../node-scripts.ts';
import { ProcessCreationError } from './errors.ts';

export interface TakeOverOptions {
  readonly link: NodeLink;
  readonly machineId: string;
  readonly coreId: CoreId;
  /** Of this connection: directories under way carry it. */
  readonly word: string;
}

const timeoutMs = 60_000;
let connections = 0;

/** No two connections have directories of the same name. */
export function wordOfConnection(clock: Clock): string {
  connections += 1;
  return [clock.now(), process.pid, connections].map(String).join('-');
}

/**
 * An order is on its way while the link drops; the next connection looks, sees nothing, and says that
 * it never ran. It must not run after that. So the directory in which it would be made is taken away
 * first: what was moved out of it before is seen, and nothing is moved out of it afterwards.
 */
export class TakeOver {
  readonly #options: TakeOverOptions;
  #done: Promise<void> | undefined;
  #runners = 0;
  /** What earlier connections had under way is gone; what remains is ours. */
  #isAlone = false;

  constructor(options: TakeOverOptions) {
    this.#options = options;
  }

  /** Resolves when nothing ordered before can begin any more; to be awaited before each call. Throws what the link throws; the next call tries again. */
  async ensure(): Promise<void> {
    this.#done ??= this.#run();
    await this.#done;
  }

  /** A word for the next runner. */
  nextRunner(): string {
    this.#runners += 1;
    return `${this.#options.word}-r${String(this.#runners)}`;
  }

  /** A runner of this connection was let go: what it has not begun it must not begin. */
  forgetRunner(): void {
    this.#done = undefined;
  }

  async #run(): Promise<void> {
    const { link, machineId, coreId, word } = this.#options;
    const script = readNodeScript('process-take-over.sh');
    const whose = `${coreId}-${this.#isAlone ? word : ''}`;
    try {
      const result = await link.runScript(script, [machineId, whose], { timeoutMs });
      this.#isAlone ||= result.exitCode === 0;
      if (result.exitCode === 0) return;
      throw new ProcessCreationError(
        'On the node, what an earlier connection has under way could not be taken away. Its home directory may be broken.',
        { retry: 'later', details: { stderr: result.stderr.toString().slice(0, 300) } },
      );
    } catch (error) {
      this.#done = undefined;
      throw error;
    }
  }
}
