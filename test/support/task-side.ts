// The whole task side of a core in virtual time: a real store, real services, simulated machines.
// A core can crash at any moment and be started again on what was on the disk by then.
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { coreId, type NodeId, type TaskId } from '../../src-main/contract/ids.ts';
import type { SettingKey } from '../../src-main/contract/settings.ts';
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
import { TaskFeeds } from '../../src-main/services/tasks/task-feeds.ts';
import { TaskSecrets } from '../../src-main/services/tasks/task-secrets.ts';
import { TaskService } from '../../src-main/services/tasks/task-service.ts';
import { openStore, type Store } from '../../src-main/store/open.ts';
import { FakeTime } from './fake-time.ts';
import { copyAfterKill, copyAfterPowerCut, disk } from './immediate-disk.ts';
import { SabotagedDisk, sabotage } from './sabotage.ts';
import { aNodePlan, SimulatedFleet, type NodePlan } from './simulated-node.ts';
import { keyOf, SimulatedMachine, type SimulatedTime } from './simulated-machine.ts';

/** In memory where the system has such a place: a simulation writes a lot and keeps nothing. */
export const fastTemporary = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

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
    const policy = () => ({ useForeignGpus: settings.get('tasks.useForeignGpus') });
    this.dispatcher = new Dispatcher({ book, fleet, planner: this.planner, timers, log, policy });
    this.collector = new LogCollector({
      logs,
      clock: time,
      timers,
      maxBytesPerTask: () => settings.get('logs.maxBytesPerTask'),
      setLogBytes: (id, bytes) => book.setLogBytes(id, bytes),
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
    const ids = idsAfter(options);
    const removeLogs = async (removed: readonly TaskId[]) => {
      for (const id of removed) await logs.remove(id);
    };
    this.tasks = new TaskService({
      book,
      records,
      fleet,
      dispatcher: this.dispatcher,
      settings,
      secrets,
      ids,
      clock: time,
      removeLogs,
    });
    this.feeds = new TaskFeeds({ book, service: this.tasks, records, timers });
    this.reader = new LogReader({
      logs,
      book,
      resolve: (reference) => this.tasks.resolve(reference),
    });
    store.onDidFail(() => book.reload());
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

  /** What is stored of the newest attempt's log, gaps as `[gap]`. */
  async logOf(id: TaskId, stream: 'stdout' | 'stderr' = 'stdout'): Promise<string> {
    const { attempt } = this.task(id);
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

export interface WorldOptions {
  readonly nodes?: readonly { readonly cores: number; readonly gpus: number }[];
  readonly flags?: Partial<Record<SettingKey, unknown>>;
  readonly planner?: PlannerPort;
}

/**
 * Machines, virtual time, and one core after the other on the same data. Use with
 * `vi.mock('node:fs/promises', () => import('…/immediate-disk.ts'))`, or a run cannot be repeated.
 */
export class World implements AsyncDisposable {
  readonly time = new FakeTime();
  readonly nodes: readonly { readonly plan: NodePlan; readonly machine: SimulatedMachine }[];
  readonly #root: string;
  readonly #options: WorldOptions;
  readonly #dead: TaskSide[] = [];
  readonly #made = { last: undefined };
  #lives = 0;
  #core: TaskSide | undefined;
  onCommit: (moment: CommitMoment) => void = () => undefined;

  constructor(options: WorldOptions = {}) {
    this.#root = mkdtempSync(join(fastTemporary, 'kohakuriver-world-'));
    this.#options = options;
    const sizes = options.nodes ?? [{ cores: 4, gpus: 2 }];
    this.nodes = sizes.map((size, index) => ({
      plan: aNodePlan(index + 1, size),
      machine: new SimulatedMachine(this.time),
    }));
  }

  /** A world with a core that has connected to every node. */
  static async begin(options: WorldOptions = {}): Promise<World> {
    const world = new World(options);
    await world.restart();
    world.core.connectAll();
    await world.settle();
    return world;
  }

  get core(): TaskSide {
    if (this.#core === undefined) throw new Error('no core runs');
    return this.#core;
  }

  get isUp(): boolean {
    return this.#core !== undefined;
  }

  get dataDir(): string {
    return join(this.#root, String(this.#lives));
  }

  machine(index = 0): SimulatedMachine {
    const node = this.nodes[index];
    if (node === undefined) throw new Error(`there is no node ${String(index)}`);
    return node.machine;
  }

  nodeId(index = 0): NodeId {
    const node = this.nodes[index];
    if (node === undefined) throw new Error(`there is no node ${String(index)}`);
    return node.plan.id;
  }

  /** Starts a core on what is on the disk. It is not connected to any node yet. */
  async restart(): Promise<TaskSide> {
    this.#core = await TaskSide.start({
      ...this.#options,
      dataDir: this.dataDir,
      time: this.time,
      nodes: this.nodes,
      onCommit: (moment) => this.onCommit(moment),
      made: this.#made,
    });
    return this.#core;
  }

  /**
   * Ends the core without a goodbye. `kill`: what it had written to files is there; `power-cut`:
   * only what it had forced to the disk, and perhaps more.
   */
  crash(how: 'kill' | 'power-cut' = 'kill', chance: () => number = () => 0): void {
    const core = this.core;
    const from = this.dataDir;
    core.die();
    this.#dead.push(core);
    this.#core = undefined;
    this.#lives += 1;
    for (const name of ['kohakuriver.db', 'kohakuriver.db-wal', 'vault.key']) {
      if (existsSync(join(from, name))) cpSync(join(from, name), join(this.dataDir, name));
    }
    using disk = new SabotagedDisk(join(this.dataDir, 'kohakuriver.db'));
    disk.repair();
    const copy = how === 'kill' ? copyAfterKill : copyAfterPowerCut;
    copy(join(from, 'logs'), join(this.dataDir, 'logs'), chance);
  }

  /** Lets the store of the core that runs refuse. See SabotagedDisk. */
  sabotagedDisk(): SabotagedDisk {
    return new SabotagedDisk(this.core.store.paths.database);
  }

  /** Lets everything that needs no time come to its end. */
  async settle(): Promise<void> {
    for (let round = 0; round < 1000; round += 1) {
      await this.#rest();
      this.time.advance(0);
      if (!(await this.#isStirring())) return;
    }
    throw new Error('it never comes to rest');
  }

  /** Whether anything came of timers that were due at once. */
  async #isStirring(): Promise<boolean> {
    const before = disk.calls;
    const quietTurns = 3;
    for (let turn = 0; turn < quietTurns; turn += 1) await aTurn();
    return disk.calls !== before || (this.time.nextDue ?? Infinity) <= this.time.monotonic();
  }

  async #rest(): Promise<void> {
    const quietTurns = 6;
    for (let quiet = 0; quiet < quietTurns; quiet += 1) {
      const before = disk.calls;
      await aTurn();
      if (disk.calls !== before || isDiskBusy()) quiet = 0;
    }
  }

  /** Passes time; everything that falls due comes to its end before the next thing does. */
  async pass(ms: number): Promise<void> {
    const until = this.time.monotonic() + ms;
    for (;;) {
      await this.settle();
      const due = this.time.nextDue;
      if (due === undefined || due > until) break;
      this.time.advance(Math.max(0, due - this.time.monotonic()));
    }
    this.time.advance(until - this.time.monotonic());
    await this.settle();
  }

  /** Passes time until something is true. */
  async until(isTrue: () => boolean, what = 'a condition'): Promise<void> {
    for (let second = 0; second < 600; second += 1) {
      await this.settle();
      if (isTrue()) return;
      await this.pass(1000);
    }
    throw new Error(`not in time: ${what}`);
  }

  /** Passes time until a task has one of the statuses. */
  async reaches(id: TaskId, ...statuses: string[]): Promise<Task> {
    const isThere = () => statuses.includes(this.core.task(id).state.status);
    await this.until(isThere, `${id} ${statuses.join('|')}`);
    return this.core.task(id);
  }

  /** Everything a machine has under this task. */
  worksOf(id: TaskId): string[] {
    return this.nodes.flatMap(({ machine }) =>
      [...machine.works.values()]
        .filter(({ ref }) => ref.taskId === id)
        .map(({ ref }) => keyOf(ref)),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const last = this.#core;
    last?.die();
    for (const side of [...this.#dead, ...(last === undefined ? [] : [last])])
      await side.store.close();
    rmSync(this.#root, { recursive: true, force: true });
  }
}

function aTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Where the real disk is used, something may be under way in the thread pool. */
function isDiskBusy(): boolean {
  return process.getActiveResourcesInfo().some((name) => name.startsWith('FSReq'));
}

/** Another core's ID, for work that is not ours. */
export const otherCore = coreId.parse('424242');
