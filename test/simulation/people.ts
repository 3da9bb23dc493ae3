// What people ask of the core in a run.
import type { TaskStatus, TaskSubmissionInput } from '../../src-main/contract/task.ts';
import type { TaskId } from '../../src-main/contract/ids.ts';
import type { OrderResult } from '../../src-main/services/tasks/task-service.ts';
import { simulatedWork } from '../support/task-side.ts';
import type { Stage } from './stage.ts';

/** How often people do what. */
export const wishes = {
  submit: 22,
  kill: 7,
  killBatch: 1,
  resubmitFailed: 1,
  holdOrRelease: 4,
  amend: 4,
  reprioritize: 2,
  pause: 5,
  resume: 5,
  forget: 2,
  reserve: 3,
  unreserve: 1,
};
export type Wish = keyof typeof wishes;

const owners = ['anna', 'ben', 'carla'];
/** Longer than any run: it ends only by being killed. */
export const forever = 100_000_000;

export class People {
  readonly #stage: Stage;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  async do(wish: Wish): Promise<void> {
    await this.#wishes[wish]();
  }

  get #who() {
    return { who: this.#stage.dice.oneOf(owners) ?? 'anna' };
  }

  readonly #wishes: Readonly<Record<Wish, () => Promise<void> | void>> = {
    submit: () => this.submit(),
    kill: () => this.kill(),
    killBatch: () => this.#killBatch(),
    resubmitFailed: () => this.#resubmitFailed(),
    holdOrRelease: () => {
      const order = this.#stage.dice.is(0.3) ? 'hold' : 'release';
      return this.#order('PENDING', (id) => this.#tasks[order]([id], this.#who));
    },
    amend: () => this.#amend(),
    reprioritize: () => {
      const priority = this.#stage.dice.between(-5, 5);
      return this.#order(null, (id) => this.#tasks.setPriority([id], { ...this.#who, priority }));
    },
    pause: () => this.#order('RUNNING', (id) => this.#tasks.pause([id], this.#who)),
    resume: () => this.#order('PAUSED', (id) => this.#tasks.resume([id], this.#who)),
    forget: () => this.#forget(),
    reserve: () => this.#reserve(),
    unreserve: () => this.#unreserve(),
  };

  get #tasks() {
    return this.#stage.world.core.tasks;
  }

  /** An order about a task in a status, if there is one. */
  #order(status: TaskStatus | null, order: (id: TaskId) => Promise<unknown>): Promise<void> | void {
    const stage = this.#stage;
    const id = stage.someTask(({ state }) => status === null || state.status === status);
    if (id !== undefined) return stage.ask(() => order(id));
  }

  async submit(): Promise<void> {
    const { world, memory, dice } = this.#stage;
    const submission = simulatedWork(this.#words(), { ...this.#shape(), ...this.#terms() });
    const count = dice.is(0.12) ? 4 : 1;
    const batch = Array.from({ length: count }, () => submission);
    return this.#stage.ask(
      () => world.core.tasks.submitMany(batch, this.#who),
      (accepted) => {
        const ids = accepted.flatMap(({ taskIds }) => taskIds);
        for (const id of ids) memory.accepted.add(id);
        if (submission.hold) for (const id of ids) memory.askedOnHold.add(id);
      },
    );
  }

  /** What the work does on its machine. */
  #words(): string[] {
    const { dice } = this.#stage;
    const words = [`seconds=${String(dice.oneOf([0, 0.2, 1, 1, 5, 20, 60, forever]))}`];
    if (dice.is(0.3)) words.push(`exit=${String(dice.oneOf([1, 2, 137]))}`);
    if (dice.is(0.5)) words.push('print=hello', `ticks=${String(dice.between(1, 5))}`);
    if (dice.is(0.05)) words.push('oom');
    if (dice.is(0.2)) words.push('ignore-term');
    return words;
  }

  /** What it needs. */
  #shape(): Partial<TaskSubmissionInput> {
    const { dice, world } = this.#stage;
    const gpus = dice.is(0.4) ? { count: dice.between(1, 2) } : null;
    const target = `n${String(dice.between(1, world.nodes.length))}`;
    return {
      gpus,
      cores: dice.between(0, 2),
      exclusive: dice.is(0.05),
      targets: gpus === null && dice.is(0.3) ? [target] : [],
      keepFailed: dice.is(0.1),
      secretEnv: dice.is(0.2) ? { TOKEN: 'secret' } : {},
    };
  }

  /** When, how often, how long, and after what. */
  #terms(): Partial<TaskSubmissionInput> {
    const { dice, world } = this.#stage;
    const cause = dice.oneOf(['exit', 'oom', 'lost'] as const) ?? 'exit';
    const retries = { count: dice.between(1, 3), on: [cause], backoffSeconds: dice.between(0, 30) };
    const indices = Array.from({ length: dice.between(2, 5) }, (_, index) => index);
    const waitMs = dice.between(0, 60_000);
    const array = dice.is(0.15)
      ? { indices, maxRunning: dice.oneOf([1, 2, null, null]) ?? null }
      : null;
    return {
      priority: dice.between(-2, 2),
      hold: dice.is(0.1),
      after: dice.is(0.2) ? this.#dependencies() : [],
      array,
      gang: array?.maxRunning === null && dice.is(0.6),
      timeLimitSeconds: dice.is(0.2) ? dice.between(1, 30) : null,
      retries: dice.is(0.25) ? retries : null,
      notBefore: dice.is(0.08) ? world.time.now() + waitMs : null,
    };
  }

  #dependencies() {
    const { dice, memory } = this.#stage;
    const known = [...memory.accepted].filter((id) => !memory.removed.has(id)).slice(-8);
    const chosen = new Set([dice.oneOf(known), dice.is(0.3) ? dice.oneOf(known) : undefined]);
    return [...chosen].flatMap((task) =>
      task === undefined
        ? []
        : [{ task, on: dice.oneOf(['ok', 'any', 'failed'] as const) ?? 'ok' }],
    );
  }

  async kill(): Promise<void> {
    const { dice, memory } = this.#stage;
    const id = this.#stage.someTask();
    if (id === undefined) return;
    memory.killAsked.add(id);
    const signal = dice.is(0.7) ? 'SIGTERM' : 'SIGKILL';
    const graceSeconds = dice.oneOf([0, 1, 10, 60]);
    const asked = { ...this.#who, signal, graceSeconds };
    return this.#stage.ask(
      () => this.#tasks.kill([id], asked),
      (results) => this.#noteKills(results),
    );
  }

  #noteKills(results: readonly OrderResult[]): void {
    for (const { id, ok } of results) if (ok) this.#stage.memory.killAccepted.add(id);
  }

  #killBatch(): Promise<void> | void {
    const { world, memory } = this.#stage;
    const { core } = world;
    const batchId = this.#someBatch();
    if (batchId === undefined) return;
    for (const task of core.book.all()) if (task.batchId === batchId) memory.killAsked.add(task.id);
    const asked = { ...this.#who, signal: 'SIGTERM', graceSeconds: 5 };
    return this.#stage.ask(
      () => core.queue.batches.kill(batchId, asked),
      (results) => this.#noteKills(results),
    );
  }

  #resubmitFailed(): Promise<void> | void {
    const { world, memory } = this.#stage;
    const { core } = world;
    const batchId = this.#someBatch();
    if (batchId === undefined) return;
    return this.#stage.ask(
      () => core.queue.batches.resubmitFailed(batchId, this.#who),
      ({ taskIds }) => {
        for (const id of taskIds) memory.accepted.add(id);
      },
    );
  }

  #someBatch() {
    const { dice, memory, world } = this.#stage;
    const id = dice.oneOf([...memory.accepted].filter((one) => !memory.removed.has(one)));
    return id === undefined ? undefined : world.core.book.find(id)?.task.batchId;
  }

  /** Changes what a waiting task asks for; hold and retries are left as they were. */
  #amend(): Promise<void> | void {
    const { dice, world, memory } = this.#stage;
    const waitMs = dice.between(0, 30_000);
    const changes = dice.oneOf([
      { cores: dice.between(0, 2) },
      { gpus: dice.is(0.5) ? null : { count: 1 } },
      { priority: dice.between(-5, 5) },
      { timeLimitSeconds: dice.between(1, 30) },
      { notBefore: world.time.now() + waitMs },
      { after: this.#dependencies() },
      { exclusive: dice.is(0.5) },
    ]);
    const { amendments } = world.core.queue;
    return this.#order('PENDING', (id) => {
      const state = world.core.book.active(id)?.state;
      if (state?.status === 'PENDING' && state.held) memory.askedOnHold.add(id);
      return amendments.amend([id], { ...this.#who, changes: changes ?? {} });
    });
  }

  #forget(): Promise<void> | void {
    const { dice, memory } = this.#stage;
    const id = dice.oneOf([...memory.ended.keys()]);
    if (id === undefined || memory.removed.has(id)) return;
    memory.removed.add(id);
    return this.#stage.ask(() => this.#tasks.remove([id]));
  }

  /** A machine, or its first GPU, for somebody, soon and not for long. */
  #reserve(): Promise<void> | void {
    const { dice, world } = this.#stage;
    const from = world.time.now() + dice.between(0, 40_000);
    const request = {
      node: `n${String(dice.between(1, world.nodes.length))}`,
      gpus: dice.is(0.4) ? [0] : null,
      from,
      to: from + dice.between(1000, 90_000),
      owners: [this.#who.who],
      note: null,
    };
    return this.#stage.ask(() => world.core.rules.reservations.add(request, 'anna'));
  }

  #unreserve(): Promise<void> | void {
    const { dice, world } = this.#stage;
    const { reservations } = world.core.rules;
    const one = dice.oneOf(reservations.list());
    if (one !== undefined) return this.#stage.ask(() => reservations.remove(one.id));
  }
}
