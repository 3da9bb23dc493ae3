// What makes sure that nothing ordered earlier still comes: before a connection looks at a node or
// orders anything, what calls of the shell and runners have under way there is taken away.
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

/** Where calls of the shell make attempts, or why they cannot: an answer of process-launch.sh. */
export type Stage =
  | { readonly word: string; readonly problem?: undefined }
  | { readonly word?: undefined; readonly problem: string };

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
 * first: what was moved out of it before is seen, and nothing is moved out of it afterwards. The same
 * holds for a call that is given up while the connection goes on.
 */
export class TakeOver {
  readonly #options: TakeOverOptions;
  #done: Promise<Stage> | undefined;
  #runners = 0;
  #runs = 0;
  /** How names go on behind the core's that are to be taken away: at first, all. */
  readonly #lost = new Set<string>(['']);

  constructor(options: TakeOverOptions) {
    this.#options = options;
  }

  /** Resolves when nothing given up before can begin any more; to be awaited before each look. Throws what the link throws; the next call tries again. */
  async ensure(): Promise<void> {
    await this.#taken('look');
  }

  /** Like `ensure`, for what is about to make attempts. */
  async stage(): Promise<Stage> {
    const seen = this.#taken('make');
    const stage = await seen;
    // There was no home to make it in, or no room: not for a look, but now it is needed.
    if (stage.problem === undefined) return stage;
    if (this.#done === seen) this.#done = undefined;
    return this.#taken('make');
  }

  /** A word for the next runner. */
  nextRunner(): string {
    this.#runners += 1;
    return `${this.#options.word}-r${String(this.#runners)}`;
  }

  /** A runner of this connection was let go: what it has not begun it must not begin. */
  forgetRunner(): void {
    this.#lost.add(`${this.#options.word}-r`);
    this.#done = undefined;
  }

  /** A call that made attempts in this stage was given up, or found it taken away. */
  forgetStage(word: string): void {
    // Any later one was made after those before it were taken away.
    if (word === this.#newest) this.#done = undefined;
  }

  get #newest(): string {
    return `${this.#options.word}-s${String(this.#runs)}`;
  }

  #taken(how: 'look' | 'make'): Promise<Stage> {
    this.#done ??= this.#run(how);
    return this.#done;
  }

  async #run(how: 'look' | 'make'): Promise<Stage> {
    const { link, machineId, coreId } = this.#options;
    this.#runs += 1;
    const own = this.#newest;
    const lost = [...this.#lost];
    this.#lost.clear();
    const args = [machineId, coreId, own, how, ...lost, `${this.#options.word}-s`];
    const script = readNodeScript('process-take-over.sh');
    try {
      const result = await link.runScript(script, args, { timeoutMs });
      if (result.exitCode === 0) {
        const answer = result.stdout.toString().trim();
        return answer === 'made' ? { word: own } : { problem: answer };
      }
      throw new ProcessCreationError(
        'On the node, what an earlier connection has under way could not be taken away. Its home directory may be broken.',
        { retry: 'later', details: { stderr: result.stderr.toString().slice(0, 300) } },
      );
    } catch (error) {
      for (const word of lost) this.#lost.add(word);
      this.#done = undefined;
      throw error;
    }
  }
}
