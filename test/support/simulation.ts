// One run of the task side under faults: people, links, machines and the core itself do what a seed
// says, and after each step everything that must always be true is checked (design, section 4).
import type { TaskStatus } from '../../src-main/contract/task.ts';
import { taskId, type TaskId } from '../../src-main/contract/ids.ts';
import type { Task } from '../../src-main/domain/task.ts';
import { Dice, hashOf, seeded } from './random.ts';
import { checkAlways, checkAtRest, checkAtTheEnd, type Memory } from './simulation-checks.ts';
import type { Order, SimulatedMachine, SimulatedWork } from './simulated-machine.ts';
import { simulatedWork } from './task-side.ts';
import { otherCore, World } from './world.ts';

const weights = {
  submit: 22,
  kill: 8,
  holdOrRelease: 4,
  reprioritize: 2,
  pause: 5,
  resume: 5,
  forget: 2,
  dropLink: 5,
  cutNode: 2,
  reboot: 1,
  vanish: 1,
  othersPause: 1,
  drain: 1,
  clockStep: 2,
  crash: 4,
  armCrash: 8,
  refuseWrites: 1.5,
  pass: 26,
};
type Step = keyof typeof weights;

export interface SimulationOptions {
  readonly seed: number;
  readonly steps?: number;
  readonly onStep?: (line: string) => void;
}

/** What a run came to. */
export interface SimulationResult {
  readonly tasks: number;
  readonly crashes: number;
  readonly faults: number;
  readonly virtualSeconds: number;
  /** The same for two runs of one seed. */
  readonly trace: number;
}

/** Runs one seed. Throws with the seed and what was wrong. */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const run = new Simulation(options);
  try {
    return await run.run();
  } catch (error) {
    const lines = run.lines.slice(-60).join('\n');
    const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
    throw new Error(`seed ${String(options.seed)}: ${why}\n${lines}`, { cause: error });
  } finally {
    await run.world[Symbol.asyncDispose]();
  }
}

class Simulation {
  readonly world: World;
  readonly lines: string[] = [];
  readonly #options: SimulationOptions;
  readonly #dice: Dice;
  readonly #memory: Memory = {
    accepted: new Set(),
    removed: new Set(),
    ended: new Map(),
    killAsked: new Set(),
    disturbed: new Set(),
    foreign: new Set(),
  };
  readonly #orderCounts = new Map<string, number>();
  /** Set while an armed crash waits: how many more orders or commits until it comes. */
  #fuse: { of: 'order' | 'commit'; left: number } | undefined;
  #isCalm = false;
  #crashes = 0;
  #faults = 0;
  #trace = 0;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.#dice = new Dice(options.seed);
    this.world = new World({
      nodes: [
        { cores: 4, gpus: 2 },
        { cores: 2, gpus: 1 },
        { cores: 3, gpus: 0 },
      ],
    });
    this.world.onCommit = (moment) => {
      const isHere = moment === (this.#options.seed % 2 === 0 ? 'before-commit' : 'after-commit');
      if (isHere) this.#burn('commit');
    };
    this.world.nodes.forEach(({ machine }, index) => {
      machine.fault = (order) => this.#faultOf(order, index);
    });
    this.#addForeignWork();
  }

  #addForeignWork(): void {
    const machine = this.world.machine(0);
    const work = machine.create(
      {
        ...(simulatedWork(['seconds=100000000']) as object),
        taskId: taskId.parse('5'),
        attempt: 1,
        gpus: [],
        work: { kind: 'command', argv: ['sim', 'seconds=100000000'] },
      } as never,
      otherCore,
    );
    machine.start(work);
    this.#memory.foreign.add(work);
  }

  async run(): Promise<SimulationResult> {
    await this.#restart();
    const steps = this.#options.steps ?? 120;
    for (let index = 0; index < steps; index += 1) {
      await this.#step(this.#dice.weighted(weights));
      if (!this.world.isUp) await this.#restart();
      checkAlways(this.world, this.#memory);
      if (index % 5 === 4) await this.#rest();
    }
    await this.#comeToAnEnd();
    await checkAtTheEnd(this.world, this.#memory);
    return {
      tasks: this.#memory.accepted.size,
      crashes: this.#crashes,
      faults: this.#faults,
      virtualSeconds: Math.round(this.world.time.monotonic() / 1000),
      trace: this.#trace,
    };
  }

  async #rest(): Promise<void> {
    await this.world.settle();
    if (!this.world.isUp) await this.#restart();
    checkAtRest(this.world, this.#memory);
  }

  #note(line: string): void {
    const at = (this.world.time.monotonic() / 1000).toFixed(3);
    const whole = `${at} ${line}`;
    this.lines.push(whole);
    this.#trace = hashOf(`${String(this.#trace)}${whole}`);
    this.#options.onStep?.(whole);
  }

  /** Faults follow from what an order is, not from when it comes. */
  #faultOf(order: Order, node: number): 'lost' | 'hang' | undefined {
    if (this.#isCalm || !this.world.isUp) return undefined;
    const ref =
      order.ref === null ? String(node) : `${order.ref.taskId}/${String(order.ref.attempt)}`;
    const name = `${order.name} ${ref} ${order.when}`;
    const count = (this.#orderCounts.get(name) ?? 0) + 1;
    this.#orderCounts.set(name, count);
    this.#burn('order', `${name} ${String(count)}`);
    const draw = seeded(hashOf(`${String(this.#options.seed)} ${name} ${String(count)}`))();
    if (draw > 0.05) return undefined;
    this.#faults += 1;
    const fault = draw < 0.015 ? 'hang' : 'lost';
    this.#note(`  fault ${fault} at ${name}`);
    // Silence is noticed after a while, and then the link is given up.
    if (fault === 'hang') this.world.time.after(15_000, () => this.#dropLink(node));
    return fault;
  }

  #burn(of: 'order' | 'commit', where = 'commit'): void {
    if (this.#fuse?.of !== of || !this.world.isUp) return;
    this.#fuse.left -= 1;
    if (this.#fuse.left > 0) return;
    this.#fuse = undefined;
    this.#crash(where);
  }

  #crash(where: string): void {
    const how = this.#dice.is(0.5) ? 'kill' : 'power-cut';
    this.#crashes += 1;
    this.#note(`  crash (${how}) at ${where}`);
    this.world.crash(how, this.#dice.chance);
  }

  async #restart(): Promise<void> {
    this.#fuse = undefined;
    const core = await this.world.restart();
    this.#note('restart');
    this.world.nodes.forEach(({ plan }, index) => {
      if (this.#dice.is(0.8)) core.fleet.connect(plan.id);
      else this.#reconnectLater(index);
    });
    await this.world.settle();
  }

  #dropLink(index: number): void {
    if (!this.world.isUp) return;
    const { core } = this.world;
    const id = this.world.nodeId(index);
    core.fleet.disconnect(id, false);
    this.#reconnectLater(index);
    this.world.time.after(30_000, () => {
      if (core.isAlive && core.fleet.node(id)?.state === 'connecting')
        core.fleet.disconnect(id, true);
    });
  }

  #reconnectLater(index: number): void {
    const { core } = this.world;
    const id = this.world.nodeId(index);
    this.world.time.after(this.#dice.between(0, 50_000), () => {
      if (!core.isAlive || core.fleet.node(id)?.state === 'online') return;
      if (this.world.machine(index).isReachable) core.fleet.connect(id);
      else this.#reconnectLater(index);
    });
  }

  /** Tasks that a person could mean. */
  #someTask(isMeant: (task: Task) => boolean = () => true): TaskId | undefined {
    return this.#dice.oneOf([...this.world.core.book.all()].filter(isMeant))?.id;
  }

  async #step(step: Step): Promise<void> {
    this.#note(step);
    await this.#steps[step](this.#dice.between(0, this.world.nodes.length - 1));
  }

  /** What can happen; some of it to the node with this number. */
  readonly #steps: Readonly<Record<Step, (index: number) => Promise<void> | void>> = {
    submit: () => this.#submit(),
    kill: () => this.#kill(),
    holdOrRelease: () => {
      const order = this.#dice.is(0.3) ? 'hold' : 'release';
      return this.#order('PENDING', (id) => this.world.core.tasks[order]([id], anna));
    },
    reprioritize: () => {
      const priority = this.#dice.between(-5, 5);
      return this.#order(null, (id) =>
        this.world.core.tasks.setPriority([id], { ...anna, priority }),
      );
    },
    pause: () => this.#order('RUNNING', (id) => this.world.core.tasks.pause([id], anna)),
    resume: () => this.#order('PAUSED', (id) => this.world.core.tasks.resume([id], anna)),
    forget: () => this.#forget(),
    dropLink: (index) => {
      this.#dropLink(index);
      return this.world.settle();
    },
    cutNode: (index) => {
      const machine = this.world.machine(index);
      machine.isReachable = false;
      this.#dropLink(index);
      const backMs = this.#dice.between(1000, 90_000);
      this.world.time.after(backMs, () => (machine.isReachable = true));
      return this.world.settle();
    },
    reboot: (index) => {
      this.#dropLink(index);
      return this.#toWorks(index, (machine, work) =>
        machine.finish(work, rebooted, 'the node rebooted'),
      );
    },
    vanish: (index) =>
      this.#toWorks(index, (machine, work) => {
        if (this.#dice.is(0.5)) return;
        this.#memory.disturbed.add(work.ref.taskId);
        machine.vanish(work);
      }),
    othersPause: (index) =>
      this.#toWorks(index, (machine, work) => {
        if (work.condition.kind === 'running') machine.pause(work);
        else machine.resume(work);
      }),
    drain: (index) => {
      const drained = this.#dice.is(0.3);
      this.world.core.fleet.change(this.world.nodeId(index), { drained });
      return this.world.settle();
    },
    clockStep: () => {
      const { time } = this.world;
      time.setWallClock(time.now() + this.#dice.between(-100_000, 100_000));
    },
    crash: () => this.#crash('a step'),
    armCrash: () => {
      const of = this.#dice.is(0.6) ? 'order' : 'commit';
      this.#fuse = { of, left: this.#dice.between(1, 12) };
    },
    refuseWrites: () => this.#refuseWrites(),
    pass: () => {
      const longestMs = this.#dice.is(0.25) ? 40_000 : 3000;
      return this.world.pass(this.#dice.between(1, longestMs));
    },
  };

  /** Something happens to everything of ours on a machine. */
  #toWorks(
    index: number,
    action: (machine: SimulatedMachine, work: SimulatedWork) => void,
  ): Promise<void> {
    const machine = this.world.machine(index);
    for (const work of [...machine.works.values()])
      if (!this.#memory.foreign.has(work)) action(machine, work);
    return this.world.settle();
  }

  /** An order about a task in a status, if there is one. */
  #order(status: TaskStatus | null, order: (id: TaskId) => Promise<unknown>): Promise<void> | void {
    const id = this.#someTask(({ state }) => status === null || state.status === status);
    if (id !== undefined) return this.#ask(() => order(id));
  }

  #forget(): Promise<void> | void {
    const id = this.#dice.oneOf([...this.#memory.ended.keys()]);
    if (id === undefined || this.#memory.removed.has(id)) return;
    this.#memory.removed.add(id);
    return this.#ask(() => this.world.core.tasks.remove([id]));
  }

  async #submit(): Promise<void> {
    const { core } = this.world;
    const dice = this.#dice;
    const words = [`seconds=${String(dice.oneOf([0, 0.2, 1, 5, 20, 60]))}`];
    if (dice.is(0.3)) words.push(`exit=${String(dice.between(1, 3))}`);
    if (dice.is(0.5)) words.push('print=hello', `ticks=${String(dice.between(1, 5))}`);
    if (dice.is(0.05)) words.push('oom');
    if (dice.is(0.2)) words.push('ignore-term');
    const gpus = dice.is(0.4) ? { count: dice.between(1, 2) } : null;
    const submission = simulatedWork(words, {
      gpus,
      cores: dice.between(0, 2),
      priority: dice.between(-2, 2),
      hold: dice.is(0.1),
      keepFailed: dice.is(0.1),
      targets: gpus === null && dice.is(0.3) ? [`n${String(dice.between(1, 3))}`] : [],
      secretEnv: dice.is(0.2) ? { TOKEN: 'secret' } : {},
    });
    const count = dice.is(0.2) ? 5 : 1;
    const batch = Array.from({ length: count }, () => submission);
    return this.#ask(async () => {
      for (const { taskIds } of await core.tasks.submitMany(batch, { who: 'anna' }))
        for (const id of taskIds) this.#memory.accepted.add(id);
    });
  }

  async #kill(): Promise<void> {
    const { core } = this.world;
    const id = this.#someTask();
    if (id === undefined) return;
    this.#memory.killAsked.add(id);
    const signal = this.#dice.is(0.7) ? 'SIGTERM' : 'SIGKILL';
    const graceSeconds = this.#dice.oneOf([0, 1, 10, 60]);
    return this.#ask(() => core.tasks.kill([id], { who: 'anna', signal, graceSeconds }));
  }

  /** For a while the disk takes nothing. */
  async #refuseWrites(): Promise<void> {
    const { core } = this.world;
    await this.world.settle();
    if (!this.world.isUp || !core.isAlive) return;
    const disk = this.world.sabotagedDisk();
    disk.refuse(this.#dice.is(0.5) ? 'commit' : 'write');
    await this.#submit();
    if (this.world.isUp) await this.#kill();
    if (this.world.isUp) await this.world.pass(this.#dice.between(1, 5000));
    await this.world.settle();
    // What a crash leaves behind is repaired by itself; the old file is nobody's any more.
    if (core.isAlive) disk.repair();
    disk[Symbol.dispose]();
  }

  /** A request of a person: it may be refused, and never answered when the core goes down. */
  async #ask(request: () => Promise<unknown>): Promise<void> {
    request().then(
      () => this.#note('  answered'),
      (error: unknown) =>
        this.#note(`  refused: ${(error as { code?: string }).code ?? String(error)}`),
    );
    // Often the next thing happens before this one is through.
    if (this.#dice.is(0.6)) await this.world.settle();
    else await new Promise<void>((resolve) => setImmediate(resolve));
  }

  /** Everything heals, everybody is patient. */
  async #comeToAnEnd(): Promise<void> {
    this.#note('calm');
    this.#isCalm = true;
    this.#fuse = undefined;
    const { world } = this;
    for (const { machine } of world.nodes) machine.isReachable = true;
    await world.pass(60_000);
    const { core } = world;
    for (const { plan } of world.nodes) {
      core.fleet.change(plan.id, { drained: false });
      core.fleet.connect(plan.id);
    }
    for (let minute = 0; minute < 60 && [...core.book.all()].length > 0; minute += 1)
      await this.#letGo();
    await world.pass(120_000);
    for (const task of core.book.all())
      this.#note(`left: ${task.id} ${JSON.stringify(task.state)}`);
  }

  /** A minute in which nothing is held back. */
  async #letGo(): Promise<void> {
    const { nodes, core } = this.world;
    for (const { machine } of nodes)
      for (const work of machine.works.values())
        if (work.condition.kind === 'paused') machine.resume(work);
    const held = [...core.book.all()].filter(({ state }) => state.status === 'PENDING');
    await core.tasks.release(
      held.map(({ id }) => id),
      anna,
    );
    await this.world.pass(60_000);
  }
}

const anna = { who: 'anna' };
const rebooted = { exitCode: null, signal: 'SIGKILL', oomKilled: false };
