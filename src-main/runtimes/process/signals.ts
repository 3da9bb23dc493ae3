// Signals to attempts on a node: those that are sent at about the same time are one script.
import type { CoreId } from '../../contract/ids.ts';
import type { Timers } from '../../domain/clock.ts';
import type { NodeLink } from '../../link/node-link.ts';
import { readNodeScript } from '../node-scripts.ts';
import type { AttemptRef } from '../runtime.ts';
import { failure } from './errors.ts';
import { Gathered, type Gathering } from './gathered.ts';

export interface SignalsOptions {
  readonly link: NodeLink;
  readonly coreId: CoreId;
  readonly machineId: string;
  readonly timers: Timers;
}

export interface SignalOrder {
  /** Without SIG. */
  readonly signal: string;
  /** `work`: not the script around it, which has to record the end. */
  readonly whom: 'work' | 'all';
  /** How often, since processes may be born while others are signalled. Ends when there are none. */
  readonly rounds: number;
}

interface Sent extends SignalOrder {
  readonly ref: AttemptRef;
}

const timeoutMs = 60_000;
/** For each, the node's shell does less than it takes to look at all processes: many share that. */
const together: Gathering = { pauseMs: null, most: 256 };

export class Signals {
  readonly #options: SignalsOptions;
  readonly #sending: Gathered<Sent>;

  constructor(options: SignalsOptions) {
    this.#options = options;
    this.#sending = new Gathered(options.timers, together, (sent) => this.#send(sent));
  }

  /** How many signals reached a process; 0 for what has ended or is not there. Throws what `failure` makes of other answers. */
  async send(ref: AttemptRef, order: SignalOrder): Promise<number> {
    const answer = await this.#sending.ask({ ref, ...order });
    const match = /^signalled (\d{1,9})$/.exec(answer);
    if (match !== null) return Number(match[1]);
    if (answer === 'ended' || answer === 'missing') return 0;
    throw failure(answer, ref);
  }

  async #send(sent: readonly Sent[]): Promise<(order: Sent) => string> {
    const { link, machineId, coreId } = this.#options;
    const words = sent.flatMap(({ ref, signal, whom, rounds }) => [
      ref.taskId,
      String(ref.attempt),
      signal,
      whom,
      String(rounds),
    ]);
    const args = [machineId, coreId, ...words];
    const result = await link.runScript(readNodeScript('process-signal.sh'), args, { timeoutMs });
    const answers = new Map<Sent, string>();
    for (const line of result.stdout.toString().split('\n')) {
      const [, number, answer = ''] = /^(\d{1,3}) (.{1,400})$/.exec(line) ?? [];
      const order = sent[Number(number) - 1];
      if (order !== undefined) answers.set(order, answer);
    }
    const silence = `failed ${result.stderr.toString().slice(0, 300)}`;
    return (order) => answers.get(order) ?? silence;
  }
}
