// Machines in virtual time, and one core after the other on the same data: a core can crash at any
// moment and be started again on what was on the disk by then.
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { coreId, type NodeId, type TaskId } from '../../src-main/contract/ids.ts';
import type { SettingKey } from '../../src-main/contract/settings.ts';
import type { Task } from '../../src-main/domain/task.ts';
import type { PlannerPort } from '../../src-main/services/planner/planner-port.ts';
import { FakeTime } from './fake-time.ts';
import {
  copyAfterKill,
  copyAfterPowerCut,
  copyFileAfterPowerCut,
  disk,
  forgetFolder,
  noteSynced,
} from './immediate-disk.ts';
import { SabotagedDisk } from './sabotage.ts';
import { keyOf, SimulatedMachine } from './simulated-machine.ts';
import { aNodePlan, type NodePlan } from './simulated-node.ts';
import { TaskSide, type CommitMoment } from './task-side.ts';

/** In memory where the system has such a place: a simulation writes a lot and keeps nothing. */
const fastTemporary = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

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
    // While a store opens, SQLite itself forces the disk.
    noteSynced(join(this.dataDir, wal));
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
    for (const name of ['kohakuriver.db', wal, 'vault.key']) {
      const [source, target] = [join(from, name), join(this.dataDir, name)];
      if (!existsSync(source)) continue;
      if (name === wal && how === 'power-cut') copyFileAfterPowerCut(source, target, chance);
      else cpSync(source, target);
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
      // What a full disk did not take is no news by now.
      await side.store.close().catch(() => undefined);
    rmSync(this.#root, { recursive: true, force: true });
    forgetFolder(this.#root);
  }
}

function aTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Where the real disk is used, something may be under way in the thread pool. */
function isDiskBusy(): boolean {
  return process.getActiveResourcesInfo().some((name) => name.startsWith('FSReq'));
}

const wal = 'kohakuriver.db-wal';

/** Another core's ID, for work that is not ours. */
export const otherCore = coreId.parse('424242');
