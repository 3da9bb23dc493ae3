// What is done to attempts on a node by scripts that take many at once: making, starting, removing.
import type { CoreId } from '../../contract/ids.ts';
import type { Clock, Timers } from '../../domain/clock.ts';
import type { NodeLink } from '../../link/node-link.ts';
import { KeyedLock } from '../keyed-lock.ts';
import type { RuntimeLog } from '../log.ts';
import { readNodeScript } from '../node-scripts.ts';
import type { AttemptRef, AttemptSpec } from '../runtime.ts';
import { attemptWords, runnerOrder } from './bundle.ts';
import { Gathered, type Gathering } from './gathered.ts';
import { Runner, type RunnerOrder } from './runner.ts';
import type { TakeOver } from './take-over.ts';

export interface OrdersOptions {
  readonly link: NodeLink;
  readonly coreId: CoreId;
  readonly machineId: string;
  readonly limits: boolean;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: RuntimeLog;
  /** When starts are given to a program of their own. Default: while they come in a burst. */
  readonly runner?: 'for-bursts' | 'always' | 'never';
  /** Of this connection: directories under way carry it. */
  readonly word: string;
  readonly takeOver: TakeOver;
  /** A line that says `exit …`, from that program. */
  readonly onExit: (line: string) => void;
  /** That program is gone: something may have been missed. */
  readonly onLoss: () => void;
}

interface Order extends AttemptRef {
  readonly words: readonly string[];
  /** Goes to the runner rather than to the shell, should that be ready when its turn comes. */
  readonly prefersRunner?: true;
}

/** The answer to an order that the runner can do by now. */
const byRunner = 'by-runner';

const timeoutMs = 60_000;
/** How often an attempt is made whose stage was taken away meanwhile. */
const mostStages = 3;
const atOnce: Gathering = { pauseMs: 0, most: 32 };
/** Nobody waits for what is only tidied away. */
const unhurried: Gathering = { pauseMs: 100, most: 256 };
/**
 * So many starts within so long are a burst: bringing the runner up costs about as much as starting
 * these. What is started alone has a shell of its own, and shares nothing with others.
 */
const burst = 8;
const burstMs = 10_000;

/** Orders for one node. Each answers with the first word (and what follows) that the script had for the attempt. */
export class Orders {
  readonly #options: OrdersOptions;
  readonly #making: Readonly<Record<'create' | 'start' | 'launch', Gathered<Order>>>;
  readonly #removing: Readonly<Record<'keep' | 'drop', Gathered<Order>>>;
  readonly #runner: Runner;
  /** By task: its directory goes whole where a removal finds nothing else in it, and no other attempt must come just then. */
  readonly #tasks = new KeyedLock();
  /** When the last of those were started that a runner could start; the newest last. */
  #starts: number[] = [];
  #root: string | undefined;

  constructor(options: OrdersOptions) {
    this.#options = options;
    this.#runner = new Runner(options);
    const making = (what: string) =>
      new Gathered<Order>(options.timers, atOnce, (orders) => this.#makeOrPassOn(what, orders));
    const removing = (how: string) =>
      new Gathered<Order>(options.timers, unhurried, (orders) => this.#remove(how, orders));
    this.#making = {
      create: making('create'),
      start: making('start'),
      launch: making('launch'),
    };
    this.#removing = { keep: removing('keep'), drop: removing('drop') };
  }

  /** `~/.kohakuriver/<machine-id>` spelled out, once a script has told. */
  get root(): string | undefined {
    return this.#root ?? this.#runner.root;
  }

  create(spec: AttemptSpec): Promise<string> {
    return this.#afterRemovals(spec, () => this.#askToMake('create', this.#orderOf(spec)));
  }

  /** Creates and starts. */
  launch(spec: AttemptSpec): Promise<string> {
    return this.#afterRemovals(spec, () => this.#launch(spec));
  }

  /** Before the first attempt there is nothing to remove. */
  #afterRemovals(spec: AttemptSpec, make: () => Promise<string>): Promise<string> {
    return spec.attempt === 1 ? make() : this.#tasks.run(spec.taskId, make);
  }

  async #launch(spec: AttemptSpec): Promise<string> {
    const order = this.#orderOf(spec);
    const launch = () => this.#askToMake('launch', order);
    const { runner, coreId: core, limits, clock } = this.#options;
    const forRunner = runnerOrder(spec, { core, limits, now: clock.now() });
    if (forRunner === undefined || !this.#isInBurst()) return launch();
    if (!this.#runner.isReady && runner !== 'always') {
      // Beside these: they do not wait for it. But a shell takes few at a time.
      void this.#runner.ensure();
      const answer = await this.#askToMake('launch', { ...order, prefersRunner: true });
      if (answer !== byRunner) return answer;
    }
    const answer = await this.#launchByRunner(forRunner);
    // What is made already, and what the runner refused or took with it, is settled by looking.
    const isOpen = answer === undefined || answer === 'created' || answer === 'refused';
    return isOpen ? launch() : answer;
  }

  async #launchByRunner(order: RunnerOrder): Promise<string | undefined> {
    await this.#runner.ensure();
    return this.#runner.launch(order);
  }

  /** Counts one more start. */
  #isInBurst(): boolean {
    const { runner, clock } = this.#options;
    if (runner === 'never' || runner === 'always') return runner === 'always';
    const now = clock.monotonic();
    this.#starts = [...this.#starts, now].slice(-burst);
    const [first = now] = this.#starts;
    return this.#starts.length === burst && now - first <= burstMs;
  }

  /** The runner is let go: it waits for what it has started, whether or not we are there. */
  close(): Promise<void> {
    return this.#runner.close();
  }

  start({ taskId, attempt }: AttemptRef): Promise<string> {
    const words = [taskId, String(attempt), '', '', '', ''];
    return this.#askToMake('start', { taskId, attempt, words });
  }

  remove(ref: AttemptRef, how: 'keep' | 'drop'): Promise<string> {
    return this.#tasks.run(ref.taskId, () => this.#removeOne(ref, how));
  }

  async #removeOne({ taskId, attempt }: AttemptRef, how: 'keep' | 'drop'): Promise<string> {
    const path = `${taskId}/${String(attempt)}`;
    const answer = how === 'drop' ? await this.#runner.remove(path) : undefined;
    if (answer !== undefined && answer !== 'refused') return answer;
    return this.#removing[how].ask({ taskId, attempt, words: [taskId, String(attempt)] });
  }

  #orderOf(spec: AttemptSpec): Order {
    const { coreId: core, limits, clock } = this.#options;
    const words = attemptWords(spec, { core, limits, now: clock.now() });
    return { taskId: spec.taskId, attempt: spec.attempt, words };
  }

  /** Refused is what another call's end, or another connection, has taken the stage of: it is not begun. */
  async #askToMake(what: 'create' | 'start' | 'launch', order: Order): Promise<string> {
    for (let stages = 1; ; stages += 1) {
      const answer = await this.#making[what].ask(order);
      if (answer !== 'refused' || stages === mostStages) return answer;
    }
  }

  async #makeOrPassOn(what: string, orders: readonly Order[]): Promise<(order: Order) => string> {
    const isFor = ({ prefersRunner }: Order) => prefersRunner === true && this.#runner.isReady;
    const passed = new Set(orders.filter(isFor));
    const rest = orders.filter((order) => !passed.has(order));
    const answerTo = rest.length === 0 ? () => byRunner : await this.#make(what, rest);
    return (order) => (passed.has(order) ? byRunner : answerTo(order));
  }

  async #make(what: string, orders: readonly Order[]): Promise<(order: Order) => string> {
    const { takeOver } = this.#options;
    const { word, problem } = await takeOver.stage();
    if (word === undefined) return () => problem;
    const wrapper = what === 'start' ? '' : readNodeScript('process-wrapper.sh');
    try {
      const answerTo = await this.#run('process-launch.sh', [word, what, wrapper], orders);
      if (orders.some((order) => answerTo(order) === 'refused')) takeOver.forgetStage(word);
      return answerTo;
    } catch (error) {
      // It may still come, however late: whoever looks, or tries again, must be sure that it does not.
      takeOver.forgetStage(word);
      throw error;
    }
  }

  async #remove(how: string, orders: readonly Order[]): Promise<(order: Order) => string> {
    await this.#options.takeOver.ensure();
    return this.#run('process-remove.sh', [this.#options.word, how], orders);
  }

  async #run(
    script: 'process-launch.sh' | 'process-remove.sh',
    words: readonly string[],
    orders: readonly Order[],
  ): Promise<(order: Order) => string> {
    const { link, machineId, coreId } = this.#options;
    const args = [machineId, coreId, ...words, ...orders.flatMap((order) => order.words)];
    const result = await link.runScript(readNodeScript(script), args, { timeoutMs });
    const answers = new Map<string, string>();
    for (const line of result.stdout.toString().split('\n')) {
      const [, path, answer = ''] = /^(\d{1,19}\/\d{1,7}) (.{1,400})/.exec(line) ?? [];
      if (path !== undefined) answers.set(path, answer);
      this.#root = /^root (\/.{1,4000})$/.exec(line)?.[1] ?? this.#root;
    }
    const silence = `failed ${result.stderr.toString().slice(0, 300)}`;
    return ({ taskId, attempt }) => answers.get(`${taskId}/${String(attempt)}`) ?? silence;
  }
}
