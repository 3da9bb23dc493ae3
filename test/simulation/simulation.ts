// One run of the task side under faults: people, links, machines, disks and the core itself do what a
// seed says, and after each step everything that must always be true is checked (design, section 4).
// All time is virtual. Use with `node:fs/promises` replaced (see world.ts), or a run cannot be repeated.
import { taskId, type TaskId } from '../../src-main/contract/ids.ts';
import { plan } from '../../src-main/domain/planner/plan.ts';
import { plainPolicy } from '../../src-main/domain/planner/policy.ts';
import { toQueued } from '../../src-main/services/planner/dispatcher.ts';
import { disk } from '../support/immediate-disk.ts';
import { Dice, hashOf, seeded } from '../support/random.ts';
import type { Fault, Order } from '../support/simulated-machine.ts';
import { simulatedWork } from '../support/task-side.ts';
import { otherCore, World } from '../support/world.ts';
import { checkAlways, checkAtRest, checkAtTheEnd, wrongChange, wrongStart } from './checks.ts';
import { Memory, type FaultKind } from './memory.ts';
import { forever, People, wishes, type Wish } from './people.ts';
import { Stage } from './stage.ts';
import { events, Weather, type Happening } from './weather.ts';

/** How often something happens to the core itself, or nothing at all. */
const others = { crash: 3, armCrash: 8, pass: 26 };
const weights = { ...wishes, ...events, ...others };
type Step = keyof typeof weights;
/** Nothing goes wrong. */
const plainWeights: Readonly<Record<Step, number>> = {
  ...(Object.fromEntries(Object.keys(weights).map((step) => [step, 0])) as typeof weights),
  ...wishes,
  pass: others.pass,
};

export const usualSteps = 30;

export interface SimulationOptions {
  readonly seed: number;
  readonly steps?: number;
  readonly onStep?: (line: string) => void;
  /**
   * Nothing goes wrong but one thing: the core ends at this moment of the run, counted over all
   * orders, commits and writes of logs. 0: not at all, to count them.
   */
  readonly crashOnlyAt?: number;
}

/** What a run came to. */
export interface SimulationResult {
  readonly tasks: number;
  readonly attempts: number;
  readonly faults: Readonly<Record<FaultKind, number>>;
  /** How many moments there were at which the core could have ended. */
  readonly moments: number;
  readonly virtualSeconds: number;
  /** The same for two runs of one seed. */
  readonly trace: number;
}

/** A run that found something. */
export class SimulationFailure extends Error {
  readonly seed: number;
  /** What was wrong, in a line. */
  readonly what: string;
  /** The newest of its steps. */
  readonly lines: readonly string[];
  readonly trace: number;

  constructor(seed: number, { stage, cause }: { stage: Stage; cause: unknown }) {
    const what = cause instanceof Error ? cause.message : String(cause);
    const lines = stage.lines.slice(-60);
    super(`seed ${String(seed)}: ${what}\n${lines.join('\n')}`, { cause });
    this.name = 'SimulationFailure';
    this.seed = seed;
    this.what = what;
    this.lines = lines;
    this.trace = stage.trace;
  }
}

/** Runs one seed. Throws SimulationFailure. */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const run = new Simulation(options);
  try {
    return await run.run();
  } catch (cause) {
    throw new SimulationFailure(options.seed, { stage: run.stage, cause });
  } finally {
    disk.fault = () => undefined;
    await run.stage.world[Symbol.asyncDispose]();
  }
}

class Simulation {
  readonly stage: Stage;
  readonly #options: SimulationOptions;
  readonly #people: People;
  readonly #weather: Weather;
  readonly #orderCounts = new Map<string, number>();
  /** Set while an armed crash waits: how many more moments of a kind until it comes. */
  #fuse: { of: 'order' | 'commit' | 'disk'; left: number } | undefined;
  #isCalm = false;
  #moments = 0;
  /** How often orders go wrong in this run. */
  readonly #roughness: number;
  /** Something was wrong at a moment that is no step. */
  #problem: string | undefined;

  constructor(options: SimulationOptions) {
    this.#options = options;
    const world = new World({
      nodes: [
        { cores: 4, gpus: 2 },
        { cores: 2, gpus: 1 },
        { cores: 3, gpus: 0 },
      ],
    });
    const dice = new Dice(options.seed);
    this.#roughness = dice.oneOf([0.5, 1, 2, 4]) ?? 1;
    this.stage = new Stage({ world, dice, memory: new Memory(), onStep: options.onStep });
    this.#people = new People(this.stage);
    this.#weather = new Weather(this.stage, this.#people);
    this.#listen();
    this.#addForeignWork();
  }

  get #isPlain(): boolean {
    return this.#options.crashOnlyAt !== undefined;
  }

  #listen(): void {
    const { world, memory } = this.stage;
    const wanted = this.#options.seed % 2 === 0 ? 'before-commit' : 'after-commit';
    world.onCommit = (moment) => {
      if (this.#isPlain || moment === wanted) this.#reach('commit', moment);
    };
    world.nodes.forEach(({ machine }, index) => {
      machine.fault = (order) => this.#faultOf(order, index);
      machine.onStart = (work) => (this.#problem ??= wrongStart(world, memory, work));
    });
    disk.fault = (call, path) => this.#onDisk(call, path);
  }

  /** Somebody else's work is on the first node all the time. */
  #addForeignWork(): void {
    const { world, memory } = this.stage;
    const machine = world.machine(0);
    const words = [`seconds=${String(forever)}`];
    const work = machine.create(
      {
        ...(simulatedWork(words) as object),
        taskId: taskId.parse('5'),
        attempt: 1,
        gpus: [],
        env: {},
      } as never,
      otherCore,
    );
    memory.foreign.add(work);
    machine.onStart = () => undefined;
    machine.start(work);
    machine.onStart = (begun) => (this.#problem ??= wrongStart(world, memory, begun));
  }

  async run(): Promise<SimulationResult> {
    const { world, memory, dice } = this.stage;
    await this.#bringUp();
    const steps = this.#options.steps ?? usualSteps;
    for (let index = 0; index < steps; index += 1) {
      await this.#step(dice.weighted(this.#isPlain ? plainWeights : weights));
      await this.#bringUp();
      this.#check();
      if (index % 5 === 4) await this.#rest();
    }
    await this.#comeToAnEnd();
    this.#check();
    await checkAtTheEnd(world, memory);
    return {
      tasks: memory.accepted.size,
      attempts: memory.starts.size,
      faults: memory.faults,
      moments: this.#moments,
      virtualSeconds: Math.round(world.time.monotonic() / 1000),
      trace: this.stage.trace,
    };
  }

  #check(): void {
    if (this.#problem !== undefined) throw new Error(this.#problem);
    checkAlways(this.stage.world, this.stage.memory);
  }

  async #rest(): Promise<void> {
    const { world, memory } = this.stage;
    await world.settle();
    await this.#bringUp();
    checkAtRest(world, memory);
  }

  async #step(step: Step): Promise<void> {
    const { dice, world } = this.stage;
    this.stage.note(step);
    const index = dice.between(0, world.nodes.length - 1);
    if (step in wishes) return this.#people.do(step as Wish);
    if (step in events) return this.#weather.happen(step as Happening, index);
    if (step === 'crash') this.#crash('a step');
    else if (step === 'armCrash') this.#armCrash();
    else await world.pass(dice.between(1, dice.is(0.25) ? 40_000 : 3000));
  }

  #armCrash(): void {
    const { dice } = this.stage;
    const of = dice.weighted({ order: 5, commit: 4, disk: 2 });
    this.#fuse = { of, left: dice.between(1, 12) };
  }

  /** Faults follow from what an order is, not from when it comes. */
  #faultOf(order: Order, node: number): Fault {
    if (this.#isCalm || !this.stage.world.isUp) return undefined;
    const ref =
      order.ref === null ? String(node) : `${order.ref.taskId}/${String(order.ref.attempt)}`;
    const name = `${order.name} ${ref} ${order.when}`;
    const count = (this.#orderCounts.get(name) ?? 0) + 1;
    this.#orderCounts.set(name, count);
    const where = `${name} ${String(count)}`;
    this.#reach('order', where);
    if (this.#isPlain) return undefined;
    const chance = seeded(hashOf(`${String(this.#options.seed)} ${where}`));
    return this.#draw(chance, { order, node, where });
  }

  #draw(
    chance: () => number,
    { order, node, where }: { order: Order; node: number; where: string },
  ): Fault {
    const draw = chance() / this.#roughness;
    const isBack = order.when === 'after';
    if (draw < 0.012) {
      this.stage.fault('silence', where);
      // Silence is noticed after a while, and then the link is given up.
      this.stage.world.time.after(15_000, () => this.#weather.dropLink(node));
      return 'hang';
    }
    if (draw < 0.042) {
      this.stage.fault(isBack ? 'done, answer lost' : 'order lost', where);
      return 'lost';
    }
    if (draw < 0.065) {
      this.stage.fault(isBack ? 'answer late' : 'order late', where);
      const lateMs = Math.floor(chance() * (chance() < 0.2 ? 20_000 : 500));
      return { lateMs, whenLost: chance() < 0.5 ? 'done' : 'dropped' };
    }
    if (draw < 0.08 && !isBack) {
      this.stage.fault('order twice', where);
      return 'twice';
    }
    return undefined;
  }

  /** A moment at which the core may end. */
  #reach(of: 'order' | 'commit' | 'disk', where: string): void {
    if (this.#isCalm || !this.stage.world.isUp) return;
    this.#moments += 1;
    if (this.#moments === this.#options.crashOnlyAt) this.#crash(where);
    if (this.#fuse?.of !== of) return;
    this.#fuse.left -= 1;
    if (this.#fuse.left > 0) return;
    this.#fuse = undefined;
    this.#crash(where);
  }

  /** Each write of a log, and each time it is forced to the disk. */
  #onDisk(call: string, path: string): void {
    const { world } = this.stage;
    if (!world.isUp || !path.startsWith(`${world.dataDir}/logs`)) return;
    if (call !== 'write' && call !== 'sync') return;
    this.#reach('disk', `${call} of a log`);
    if (this.#weather.isLogDiskFull)
      throw Object.assign(new Error('simulated: no space left on device'), { code: 'ENOSPC' });
  }

  #crash(where: string): void {
    const { world, dice } = this.stage;
    const isPowerCut = this.#isPlain ? this.#options.seed % 2 === 0 : dice.is(0.5);
    this.stage.fault(isPowerCut ? 'power cut' : 'core killed', `at ${where}`);
    world.crash(isPowerCut ? 'power-cut' : 'kill', dice.chance);
  }

  /** A core runs; it may have gone down again while it came up. */
  async #bringUp(): Promise<void> {
    while (!this.stage.world.isUp) await this.#restart();
  }

  async #restart(): Promise<void> {
    const { world, dice } = this.stage;
    this.#fuse = undefined;
    this.#weather.isLogDiskFull = false;
    const core = await world.restart();
    core.book.onDidChange((change) => (this.#problem ??= wrongChange(change, core)));
    this.stage.note('restart');
    world.nodes.forEach(({ plan }, index) => {
      if (this.#isPlain || dice.is(0.8)) core.fleet.connect(plan.id);
      else this.#weather.reconnectLater(index);
    });
    await world.settle();
  }

  /** Everything heals, everybody is patient. */
  async #comeToAnEnd(): Promise<void> {
    const { world } = this.stage;
    this.stage.note('calm');
    this.#isCalm = true;
    this.#fuse = undefined;
    this.#weather.clear();
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
      this.stage.note(`left: ${task.id} ${JSON.stringify(task.state)}`);
  }

  /** A minute in which nothing is held back, and what would never end is ended. */
  async #letGo(): Promise<void> {
    const { world, memory } = this.stage;
    const { nodes, core } = world;
    for (const { machine } of nodes)
      for (const work of machine.works.values())
        if (work.condition.kind === 'paused') machine.resume(work);
    const active = [...core.book.all()];
    const waiting = active.filter(({ state }) => state.status === 'PENDING');
    await core.tasks.release(
      waiting.map(({ id }) => id),
      { who: 'anna' },
    );
    const hopeless = findHopeless(world, memory);
    // Who was promised an end, by a kill or a time limit, must not need to ask again.
    const endless = active.filter(
      ({ id, spec }) =>
        !memory.killAccepted.has(id) &&
        ((isEndless(spec.work) && spec.timeLimitSeconds === null) || hopeless.has(id)),
    );
    for (const { id } of endless) memory.killAsked.add(id);
    await core.tasks.kill(
      endless.map(({ id }) => id),
      { who: 'anna', signal: 'SIGKILL' },
    );
    await world.pass(60_000);
  }
}

/**
 * What has no room however long it waits: members of gangs where there is not enough for all beside the work
 * of the other core, which never ends, and what was asked for while on hold.
 */
function findHopeless({ core, time }: World, { askedOnHold }: Memory): ReadonlySet<TaskId> {
  const now = time.now();
  const members = [...core.book.all()]
    .filter(({ state }) => state.status === 'PENDING')
    .map((task) => toQueued(task, now));
  const nodes = core.fleet.plannerNodes();
  const together = [...Map.groupBy(members, ({ gang, id }) => gang ?? id).values()];
  const hopeless = together.filter((queue) => {
    if (!queue.some(({ gang, id }) => gang !== null || askedOnHold.has(id))) return false;
    const alone = queue.map((one) => ({ ...one, gang: null, held: false }));
    const room = plan({ queue: alone, nodes, holdings: [], policy: plainPolicy, now });
    return room.length < queue.length;
  });
  return new Set(hopeless.flat().map(({ id }) => id));
}

function isEndless(work: { readonly kind: string; readonly argv?: readonly string[] }): boolean {
  return work.argv?.includes(`seconds=${String(forever)}`) === true;
}
