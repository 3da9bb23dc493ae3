// The whole task side of a core: a real store, real services, simulated machines, and time that is
// handed in. world.ts has it crash and start again.
import type { TaskId } from '../../src-main/contract/ids.ts';
import type { SettingKey } from '../../src-main/contract/settings.ts';
import { makeQueue, makeRules } from '../../src-main/core-queue.ts';
import { taskSubmission, type TaskSubmissionInput } from '../../src-main/contract/task.ts';
import type { Timers } from '../../src-main/domain/clock.ts';
import { SnowflakeFactory } from '../../src-main/domain/snowflake.ts';
import type { Task } from '../../src-main/domain/task.ts';
import { attemptSpec } from '../../src-main/services/attempts/attempt-spec.ts';
import { AttemptService } from '../../src-main/services/attempts/attempt-service.ts';
import type { Logger } from '../../src-main/services/logger.ts';
import { LogCollector } from '../../src-main/services/logs/log-collector.ts';
import { LogReader } from '../../src-main/services/logs/log-reader.ts';
import { Dispatcher } from '../../src-main/services/planner/dispatcher.ts';
import { InPlacePlanner } from '../../src-main/services/planner/planner-mirror.ts';
import type { PlannerPort } from '../../src-main/services/planner/planner-port.ts';
import { SettingsService } from '../../src-main/services/settings.ts';
import { TaskBook } from '../../src-main/services/tasks/task-book.ts';
import { SubmissionDesk } from '../../src-main/services/tasks/submission-desk.ts';
import { TaskFeeds } from '../../src-main/services/tasks/task-feeds.ts';
import { TaskSecrets } from '../../src-main/services/tasks/task-secrets.ts';
import { TaskService } from '../../src-main/services/tasks/task-service.ts';
import { openStore, type Store } from '../../src-main/store/open.ts';
import { disk } from './immediate-disk.ts';
import { sabotage } from './sabotage.ts';
import { SimulatedFleet, type NodePlan } from './simulated-node.ts';
import type { SimulatedMachine, SimulatedTime } from './simulated-machine.ts';

/** What a core said. */
export interface Said {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly facts: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** Where a core may be ended by a test: before a group of writes is committed, or right after. */
export type CommitMoment = 'before-commit' | 'after-commit';

export interface TaskSideOptions {
  readonly dataDir: string;
  readonly time: SimulatedTime;
  readonly nodes: readonly { readonly plan: NodePlan; readonly machine: SimulatedMachine }[];
  readonly planner?: PlannerPort;
  readonly flags?: Partial<Record<SettingKey, unknown>>;
  readonly onCommit?: (moment: CommitMoment) => void;
  /** Every ID that was made, over all lives: a clock that is set back repeats none. */
  readonly made: { last: string | undefined };
  /** Default: as much as is written is committed together in a turn of the loop. */
  readonly realTimers?: Timers;
}

/** One life of the task side of a core. */
export class TaskSide {
  readonly said: Said[] = [];
  readonly store: Store;
  readonly settings: SettingsService;
  readonly book: TaskBook;
  readonly fleet: SimulatedFleet;
  readonly secrets: TaskSecrets;
  readonly planner: PlannerPort;
  readonly dispatcher: Dispatcher;
  readonly collector: LogCollector;
  readonly attempts: AttemptService;
  readonly tasks: TaskService;
  readonly feeds: TaskFeeds;
  readonly reader: LogReader;
  readonly queue: ReturnType<typeof makeQueue>;
  readonly rules: ReturnType<typeof makeRules>;
  readonly log: Logger;
  readonly #life: Life;

  static async start(options: TaskSideOptions): Promise<TaskSide> {
    const life = new Life(options);
    const store = await openStore({
      dataDir: options.dataDir,
      clock: options.time,
      host: 'test',
      log: { warn: () => undefined },
      schedule: (commit) => life.scheduleCommit(commit),
      migrations: sabotage,
    });
    return new TaskSide(options, { store, life });
  }

  private constructor(options: TaskSideOptions, { store, life }: { store: Store; life: Life }) {
    const { time, flags = {} } = options;
    const { tasks: records, effects, logs, identity } = store;
    const { coreId: core } = identity;
    const timers = life.timers;
    this.#life = life;
    this.store = store;
    this.log = loggerInto(this.said, life);
    const { log } = this;
    const file = { read: () => ({}), set: () => undefined };
    this.settings = new SettingsService({ flags, environment: {}, file });
    this.book = new TaskBook({ records, commit: store, clock: time, log });
    this.secrets = new TaskSecrets(store.vault);
    this.fleet = new SimulatedFleet(core);
    for (const { plan, machine } of options.nodes) this.fleet.add(plan, machine);
    const { book, settings, secrets, fleet } = this;
    this.planner = options.planner ?? new InPlacePlanner();
    const ids = idsAfter(options);
    const queueRecords = store.queue;
    const rules = makeRules({ book, queueRecords, fleet, settings, ids, clock: time, timers });
    this.rules = rules;
    this.dispatcher = new Dispatcher({
      ...{ book, fleet, planner: this.planner, clock: time, timers, log },
      rules: rules.now,
    });
    this.collector = new LogCollector({
      logs,
      clock: time,
      timers,
      maxBytesPerTask: () => settings.get('logs.maxBytesPerTask'),
      setLogBytes: (id, bytes) => book.setLogBytes(id, bytes),
      log,
    });
    this.attempts = new AttemptService({
      coreId: core,
      book,
      effects,
      fleet,
      timers,
      log,
      buildSpec: (task, place, node) =>
        attemptSpec({ task, place, node, secrets: secrets.values(task), logBufferBytes: 1e6 }),
      collectLog: (runtime, ref, signal) => this.collector.collect(runtime, ref, signal),
    });
    const removeLogs = async (removed: readonly TaskId[]) => {
      for (const id of removed) await logs.remove(id);
    };
    const desk = new SubmissionDesk({ book, records, fleet, settings, ids, clock: time });
    this.tasks = new TaskService({
      book,
      records,
      fleet,
      dispatcher: this.dispatcher,
      settings,
      secrets,
      desk,
      removeLogs,
    });
    const { tasks, dispatcher } = this;
    const shared = { book, records, rules, dispatcher, fleet, desk, tasks, secrets, settings, ids };
    this.queue = makeQueue({ ...shared, clock: time, timers, log });
    this.feeds = new TaskFeeds({ book, service: this.tasks, records, timers });
    this.reader = new LogReader({
      logs,
      book,
      resolve: (reference) => this.tasks.resolve(reference),
    });
    store.onDidFail(() => {
      book.reload();
      rules.reload();
    });
  }

  get isAlive(): boolean {
    return this.#life.isAlive;
  }

  /** Accepts one task for a simulated machine, as a process. */
  async submit(words: readonly string[], more: Partial<TaskSubmissionInput> = {}): Promise<TaskId> {
    const { taskIds } = await this.tasks.submit(simulatedWork(words, more), { who: 'tester' });
    const [id] = taskIds;
    if (id === undefined) throw new Error('no task was accepted');
    return id;
  }

  /** A task as it is now. */
  task(id: TaskId): Task {
    const found = this.book.find(id);
    if (found === undefined) throw new Error(`there is no task ${id}`);
    return found.task;
  }

  /** What is stored of an attempt's log, the newest one's unless told; gaps as `[gap]`. */
  async logOf(
    id: TaskId,
    stream: 'stdout' | 'stderr' = 'stdout',
    attempt = this.task(id).attempt,
  ): Promise<string> {
    let text = '';
    for await (const entry of this.store.logs.read({ taskId: id, attempt, stream }))
      text += entry.kind === 'bytes' ? Buffer.from(entry.bytes).toString() : '[gap]';
    return text;
  }

  connectAll(): void {
    for (const { id } of this.fleet.plannerNodes()) this.fleet.connect(id);
  }

  /** Ends without any goodbye: nothing of it happens any more, on nodes or here. */
  die(): void {
    this.#life.end();
    this.fleet.die();
  }

  /** A clean stop. */
  async stop(): Promise<void> {
    this.queue[Symbol.dispose]();
    this.dispatcher[Symbol.dispose]();
    await this.attempts[Symbol.asyncDispose]();
    await this.planner[Symbol.asyncDispose]();
    this.#life.end();
    await this.store.close();
  }
}

/** What can be taken away from a core at once. */
class Life {
  isAlive = true;
  readonly #options: TaskSideOptions;
  readonly #timers = new Set<Disposable>();

  constructor(options: TaskSideOptions) {
    this.#options = options;
  }

  readonly timers: Timers = {
    after: (delayMs, callback) => this.#keep((source) => source.after(delayMs, callback)),
    every: (intervalMs, callback) => this.#keep((source) => source.every(intervalMs, callback)),
  };

  #keep(begin: (source: Timers) => Disposable): Disposable {
    if (!this.isAlive) return { [Symbol.dispose]: () => undefined };
    const timer = begin(this.#options.realTimers ?? this.#options.time);
    this.#timers.add(timer);
    return {
      [Symbol.dispose]: () => {
        this.#timers.delete(timer);
        timer[Symbol.dispose]();
      },
    };
  }

  scheduleCommit(commit: () => void): void {
    setImmediate(() => {
      if (this.isAlive) this.#options.onCommit?.('before-commit');
      if (!this.isAlive) return;
      commit();
      disk.calls += 1;
      this.#options.onCommit?.('after-commit');
    });
  }

  end(): void {
    this.isAlive = false;
    for (const timer of this.#timers) timer[Symbol.dispose]();
  }
}

/** The instance is always the same, so that a run can be repeated. */
function idsAfter({ time, made }: TaskSideOptions): SnowflakeFactory {
  const after = made.last === undefined ? {} : { after: made.last };
  const ids = new SnowflakeFactory({ clock: time, instance: 1, ...after });
  const next = ids.next.bind(ids);
  ids.next = () => (made.last = next());
  return ids;
}

function loggerInto(said: Said[], life: Life): Logger {
  const say = (level: Said['level']) => (facts: object, message: string) => {
    if (life.isAlive && level !== 'debug') said.push({ level, facts: { ...facts }, message });
  };
  const logger: Logger = {
    debug: say('debug'),
    info: say('info'),
    warn: say('warn'),
    error: say('error'),
    child: () => logger,
  };
  return logger;
}

/** A submission for a simulated machine. */
export function simulatedWork(
  words: readonly string[],
  more: Partial<TaskSubmissionInput> = {},
): ReturnType<typeof taskSubmission.parse> {
  const argv = ['sim', ...words];
  return taskSubmission.parse({
    work: { kind: 'command', argv },
    vessel: { kind: 'process' },
    ...more,
  });
}
