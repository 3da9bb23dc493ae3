// What happens to links, machines, disks and clocks in a run, whatever people do.
import { ProcessDiskFullError } from '../../src-main/runtimes/process/errors.ts';
import { keyOf, type SimulatedMachine, type SimulatedWork } from '../support/simulated-machine.ts';
import type { People } from './people.ts';
import type { Stage } from './stage.ts';

/** How often what happens. */
export const events = {
  dropLink: 5,
  cutNode: 2,
  reboot: 1.5,
  vanish: 1,
  othersFreeze: 1,
  drain: 1,
  setClock: 2,
  fillNode: 1,
  fillLogDisk: 1.5,
  refuseWrites: 1.5,
};
export type Happening = keyof typeof events;

export class Weather {
  readonly #stage: Stage;
  readonly #people: People;
  /** The disk with the logs takes nothing. */
  isLogDiskFull = false;

  constructor(stage: Stage, people: People) {
    this.#stage = stage;
    this.#people = people;
  }

  /** Some of it happens to the node with this number. */
  async happen(what: Happening, index: number): Promise<void> {
    await this.#events[what](index);
  }

  readonly #events: Readonly<Record<Happening, (index: number) => Promise<void> | void>> = {
    dropLink: (index) => {
      this.#stage.fault('link dropped', String(index));
      this.dropLink(index);
      return this.#stage.world.settle();
    },
    cutNode: (index) => this.#cutNode(index),
    reboot: (index) => {
      this.#stage.fault('node rebooted', String(index));
      this.dropLink(index);
      return this.#toWorks(index, (machine, work) => machine.lose(work));
    },
    vanish: (index) => this.#vanish(index),
    othersFreeze: (index) =>
      this.#toWorks(index, (machine, work) => {
        this.#stage.fault('work frozen by others', keyOf(work.ref));
        if (work.condition.kind === 'running') machine.pause(work);
        else machine.resume(work);
      }),
    drain: (index) => {
      const { world, dice } = this.#stage;
      world.core.fleet.change(world.nodeId(index), { drained: dice.is(0.3) });
      return world.settle();
    },
    setClock: () => {
      const { world, dice } = this.#stage;
      this.#stage.fault('clock set');
      const most = dice.is(0.2) ? 600_000 : 100_000;
      world.time.setWallClock(world.time.now() + dice.between(-most, most));
    },
    fillNode: (index) => this.#fillNode(index),
    fillLogDisk: () => this.#fillLogDisk(),
    refuseWrites: () => this.#refuseWrites(),
  };

  dropLink(index: number): void {
    const { world } = this.#stage;
    if (!world.isUp) return;
    const { core } = world;
    const id = world.nodeId(index);
    core.fleet.disconnect(id, false);
    this.reconnectLater(index);
    world.time.after(30_000, () => {
      if (core.isAlive && core.fleet.node(id)?.state === 'connecting')
        core.fleet.disconnect(id, true);
    });
  }

  reconnectLater(index: number): void {
    const { world, dice } = this.#stage;
    const { core } = world;
    const id = world.nodeId(index);
    world.time.after(dice.between(0, 50_000), () => {
      if (!core.isAlive || core.fleet.node(id)?.state === 'online') return;
      if (world.machine(index).isReachable) core.fleet.connect(id);
      else this.reconnectLater(index);
    });
  }

  #cutNode(index: number): Promise<void> {
    const { world, dice } = this.#stage;
    this.#stage.fault('node cut off', String(index));
    const machine = world.machine(index);
    machine.isReachable = false;
    this.dropLink(index);
    const backMs = dice.between(1000, 90_000);
    world.time.after(backMs, () => (machine.isReachable = true));
    return world.settle();
  }

  /** Something happens to everything of ours on a machine. */
  #toWorks(
    index: number,
    action: (machine: SimulatedMachine, work: SimulatedWork) => void,
  ): Promise<void> {
    const { world, memory } = this.#stage;
    const machine = world.machine(index);
    for (const work of [...machine.works.values()])
      if (!memory.foreign.has(work)) action(machine, work);
    return world.settle();
  }

  /** Somebody removes works. What the core had on disk as begun must never begin again. */
  async #vanish(index: number): Promise<void> {
    const { world, dice, memory } = this.#stage;
    await world.settle();
    if (!world.isUp) return;
    await this.#toWorks(index, (machine, work) => {
      if (dice.is(0.5)) return;
      const { taskId, attempt } = work.ref;
      this.#stage.fault('work removed by others', keyOf(work.ref));
      memory.disturbed.add(taskId);
      const task = world.core.book.find(taskId)?.task;
      const isKnown = task?.attempt !== attempt || task.state.status !== 'ASSIGNING';
      const wasLost = task?.state.status === 'LOST' && task.state.startedAt === null;
      if (isKnown && !wasLost) memory.gone.add(keyOf(work.ref));
      machine.vanish(work);
    });
  }

  /** For a while nothing new can be made on a node. */
  #fillNode(index: number): void {
    const { world, dice } = this.#stage;
    this.#stage.fault('node disk full', String(index));
    const machine = world.machine(index);
    machine.refuse = (order) => (order === 'create' ? new ProcessDiskFullError() : undefined);
    world.time.after(dice.between(1000, 20_000), () => (machine.refuse = () => undefined));
  }

  /** For a while no log can be written. */
  #fillLogDisk(): void {
    const { world, dice } = this.#stage;
    this.#stage.fault('log disk full');
    this.isLogDiskFull = true;
    world.time.after(dice.between(1000, 20_000), () => (this.isLogDiskFull = false));
  }

  /** For a while the database takes nothing. */
  async #refuseWrites(): Promise<void> {
    const { world, dice } = this.#stage;
    const { core } = world;
    await world.settle();
    if (!world.isUp || !core.isAlive) return;
    this.#stage.fault('database refused');
    const database = world.sabotagedDisk();
    database.refuse(dice.is(0.5) ? 'commit' : 'write');
    await this.#people.submit();
    if (world.isUp) await this.#people.kill();
    if (world.isUp) await world.pass(dice.between(1, 5000));
    await world.settle();
    // What a crash leaves behind is repaired by itself; the old file is nobody's any more.
    if (core.isAlive) database.repair();
    database[Symbol.dispose]();
  }

  /** Everything heals. */
  clear(): void {
    this.isLogDiskFull = false;
    for (const { machine } of this.#stage.world.nodes) {
      machine.isReachable = true;
      machine.refuse = () => undefined;
    }
  }
}
