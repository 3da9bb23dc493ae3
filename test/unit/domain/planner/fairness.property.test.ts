// What must hold over time, whatever comes and however long it runs: a queue played through, event by
// event.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { batchId, type BatchId, type TaskId } from '../../../../src-main/contract/ids.ts';
import type { Place } from '../../../../src-main/domain/task.ts';
import type { PlannerNode, QueuedTask } from '../../../../src-main/domain/planner/model.ts';
import { mostTogether } from '../../../../src-main/domain/planner/plan.ts';
import { Planner } from '../../../../src-main/domain/planner/planner.ts';
import { plainPolicy, type PlannerPolicy } from '../../../../src-main/domain/planner/policy.ts';
import { aNode, GiB, queued, t0 } from '../builders.ts';

/** Nothing runs longer than this. */
const longest = 50;
const waitMs = 30;
const agingMs = 40;
const policy: PlannerPolicy = { ...plainPolicy, waitMs, agingMs };

const fleet = fc
  .array(
    fc.record({
      cores: fc.integer({ min: 3, max: 6 }),
      memory: fc.integer({ min: 3, max: 6 }),
      gpus: fc.integer({ min: 1, max: 4 }),
    }),
    { minLength: 1, maxLength: 3 },
  )
  .map((nodes) =>
    nodes.map(({ cores, memory, gpus }, index) =>
      aNode(`n${String(index)}`, { cores, memoryBytes: memory * GiB, gpuCount: gpus }),
    ),
  );

interface Arrival {
  readonly task: QueuedTask;
  readonly at: number;
  readonly runs: number;
}

/** Tasks as they come; some tell how long they may run, all are over by then. */
function arrivals(owners: readonly string[], priorities: readonly number[]) {
  return fc
    .array(
      fc.record({
        after: fc.integer({ min: 0, max: 8 }),
        cores: fc.integer({ min: 1, max: 6 }),
        memory: fc.integer({ min: 0, max: 6 }),
        gpus: fc.integer({ min: 0, max: 4 }),
        exclusive: fc.integer({ min: 0, max: 12 }),
        limit: fc.option(fc.integer({ min: 1, max: longest }), { freq: 9 }),
        share: fc.double({ min: 0.1, max: 1, noNaN: true }),
        owner: fc.constantFrom(...owners),
        priority: fc.constantFrom(...priorities),
        ganged: fc.integer({ min: 0, max: 5 }),
      }),
      { minLength: 15, maxLength: 40 },
    )
    .map((seeds) => {
      let at = t0;
      return seeds.map((seed, index): Arrival & { joins: boolean } => {
        at += seed.after;
        const task = queued(index + 1, {
          cores: seed.cores,
          memoryBytes: seed.memory * GiB,
          gpus: seed.gpus === 0 ? null : { count: seed.gpus },
          exclusive: seed.exclusive === 0,
          timeLimitMs: seed.limit,
          owner: seed.owner,
          priority: seed.priority,
          submittedAt: at,
          waitingSince: at,
        });
        const runs = Math.ceil((seed.limit ?? longest) * seed.share);
        return { task, at, runs, joins: seed.ganged === 0 && index > 0 };
      });
    })
    .map((all) => all.map((arrival, index) => ganged(all, arrival, index)));
}

/** Some start together with the one that came before them, and come with it. */
function ganged(
  all: readonly (Arrival & { readonly joins: boolean })[],
  { task, at, runs, joins }: Arrival & { readonly joins: boolean },
  index: number,
): Arrival {
  const first = joins && !all[index - 1]!.joins ? all[index - 1] : undefined;
  const isFirst = !joins && all[index + 1]?.joins === true;
  if (first === undefined && !isFirst) return { task, at, runs };
  const came = first?.at ?? at;
  const gang = batchId.parse(first?.task.id ?? task.id);
  return { task: { ...task, gang, submittedAt: came, waitingSince: came }, at: came, runs };
}

/** Plays arrivals through; hooks look after every pass. */
class Play {
  readonly planner = new Planner(policy);
  readonly waiting = new Map<TaskId, QueuedTask>();
  readonly running = new Map<TaskId, { readonly place: Place; readonly until: number }>();
  readonly startedAt = new Map<TaskId, number>();
  readonly #runs = new Map<TaskId, number>();
  now = t0;

  constructor(nodes: readonly PlannerNode[]) {
    for (const node of nodes) this.planner.upsertNode(node);
  }

  arrive({ task, runs }: Arrival): void {
    this.#runs.set(task.id, runs);
    this.waiting.set(task.id, task);
    this.planner.setNow(this.now);
    this.planner.upsertTask(task);
  }

  pass(): void {
    for (const { taskId, place } of this.planner.pass(this.now)) {
      const until = this.now + (this.#runs.get(taskId) ?? 1);
      this.waiting.delete(taskId);
      this.running.set(taskId, { place, until });
      this.startedAt.set(taskId, this.now);
    }
  }

  /** Goes on to an instant, or to the next end before it. */
  goOn(to: number): void {
    const next = Math.min(...[...this.running.values()].map(({ until }) => until));
    this.now = Math.min(to, Math.max(this.now, next));
    for (const [id, { until }] of this.running) {
      if (until > this.now) continue;
      this.running.delete(id);
      this.planner.release(id);
    }
  }

  through(all: readonly Arrival[], look: () => void): void {
    const coming = [...all];
    while (coming.length + this.running.size > 0) {
      this.goOn(coming[0]?.at ?? Infinity);
      while (coming[0] !== undefined && coming[0].at <= this.now)
        this.arrive(coming.shift() as Arrival);
      this.pass();
      look();
    }
  }
}

const everything = fc.record({
  nodes: fleet,
  all: arrivals(['anna', 'bert', 'cleo'], [-1, 0, 0, 2]),
});

test('nothing is ever promised beyond what is there', () => {
  fc.assert(
    fc.property(everything, ({ nodes, all }) => {
      const play = new Play(nodes);
      play.through(all, () => {
        const places = [...play.running.values()].map(({ place }) => place);
        const uuids = places.flatMap(({ gpus }) => gpus.map(({ uuid }) => uuid));
        expect(new Set(uuids).size).toBe(uuids.length);
        for (const { id, cores, memoryBytes } of nodes) {
          const here = places.filter(({ nodeId }) => nodeId === id);
          const sum = (of: (place: Place) => number) => here.reduce((all, one) => all + of(one), 0);
          expect(sum((place) => place.cores)).toBeLessThanOrEqual(cores);
          expect(sum((place) => place.memoryBytes)).toBeLessThanOrEqual(memoryBytes);
          if (here.some(({ exclusive }) => exclusive)) expect(here).toHaveLength(1);
        }
      });
    }),
    { numRuns: 150 },
  );
});

test('of a gang all start in one pass, or none', () => {
  fc.assert(
    fc.property(everything, ({ nodes, all }) => {
      const play = new Play(nodes);
      play.through(all, () => undefined);
      const starts = new Map<BatchId, (number | undefined)[]>();
      for (const { task } of all) {
        if (task.gang === null) continue;
        const at = play.startedAt.get(task.id);
        starts.set(task.gang, [...(starts.get(task.gang) ?? []), at]);
      }
      for (const times of starts.values()) expect(new Set(times).size).toBe(1);
    }),
    { numRuns: 100 },
  );
});

test('what still waits after a pass fits nowhere, by the same words that say why', () => {
  fc.assert(
    fc.property(everything, ({ nodes, all }) => {
      const play = new Play(nodes);
      play.through(all, () => {
        for (const task of play.waiting.values()) {
          const { nodes: answers, suggestions, caps } = play.planner.explain(task);
          // There may be room for one of a gang, but not for all of it.
          if (caps.length > 0) expect(task.gang).not.toBeNull();
          else
            for (const { fits, lacks } of answers) {
              expect(fits).toBe(false);
              expect(lacks).not.toEqual([]);
            }
          // Each change that is said to help does help.
          for (const { changes } of suggestions) {
            const { timeLimitSeconds, target: _target, ...rest } = changes;
            const changed = {
              ...task,
              ...rest,
              ...(timeLimitSeconds == null ? {} : { timeLimitMs: timeLimitSeconds * 1000 }),
            } as QueuedTask;
            const again = play.planner.explain(changed).nodes;
            expect(again.some(({ fits }) => fits)).toBe(true);
          }
        }
      });
    }),
    { numRuns: 40 },
  );
});

test('the first that waits starts by the time it was promised, and backfill never moves that back', () => {
  fc.assert(
    // First come, first served: nobody may come before the first later on.
    fc.property(fleet, arrivals(['anna'], [0]), (nodes, all) => {
      const play = new Play(nodes);
      const promised = new Map<TaskId, number>();
      play.through(all, () => {
        for (const { by } of play.planner.claims) {
          const task = by.kind === 'task' ? play.waiting.get(by.id) : undefined;
          if (by.kind !== 'task' || by.at === null || task === undefined) continue;
          if (play.planner.aheadOf(task) > 0) continue;
          expect(by.at).toBeLessThanOrEqual(promised.get(by.id) ?? Infinity);
          promised.set(by.id, by.at);
        }
      });
      for (const [id, at] of promised) expect(play.startedAt.get(id)).toBeLessThanOrEqual(at);
    }),
    { numRuns: 300 },
  );
});

/** More important work that never ends: always so much of it waits that every gap is filled at once. */
class Flood {
  static readonly most = 20;
  static readonly runs = 7;
  readonly #play: Play;
  readonly #waiting = new Set<TaskId>();
  #last = 1_000_000;

  constructor(play: Play) {
    this.#play = play;
  }

  rise(): void {
    const { now } = this.#play;
    while (this.#waiting.size < Flood.most) {
      this.#last += 1;
      const task = queued(this.#last, {
        owner: `other-${String(this.#last % 3)}`,
        priority: 3,
        gpus: this.#last % 3 === 0 ? { count: 1 } : null,
        submittedAt: now,
        waitingSince: now,
      });
      this.#waiting.add(task.id);
      this.#play.arrive({ task, at: now, runs: Flood.runs });
    }
  }

  /** What of it has started makes room for more. */
  ebb(): void {
    for (const id of this.#waiting) if (!this.#play.waiting.has(id)) this.#waiting.delete(id);
  }
}

test('nothing that can run waits for ever, whatever keeps coming', () => {
  fc.assert(
    fc.property(everything, ({ nodes, all }) => {
      const possible = all.filter(({ task }) => {
        const together = all.filter(
          (other) => other.task === task || (task.gang !== null && other.task.gang === task.gang),
        );
        const tasks = together.map((one) => one.task);
        return mostTogether(tasks, nodes, policy) === tasks.length;
      });
      const last = possible.at(-1)?.at ?? t0;
      // Once the last has aged past newcomers, only what came before it can be before it: what waited of
      // the flood, and the others, each of which has room kept on a node until what runs there is over,
      // and may find that another node has room sooner.
      const patience =
        6 * agingMs + Flood.most * Flood.runs + possible.length * (waitMs + 2 * longest);
      const play = new Play(nodes);
      const flood = new Flood(play);
      const coming = [...possible];
      const isLeft = () => possible.some(({ task }) => !play.startedAt.has(task.id));
      while (isLeft()) {
        while (coming[0] !== undefined && coming[0].at <= play.now)
          play.arrive(coming.shift() as Arrival);
        flood.rise();
        play.pass();
        flood.ebb();
        expect(play.now - last).toBeLessThan(patience);
        play.goOn(play.now + 5);
      }
    }),
    { numRuns: 100 },
  );
});
