// Deliberate breaks of the core, to see that the simulation notices: each takes away one thing that
// keeps a promise. `npm run simulate -- --mutants` tries them all.

export interface Change {
  readonly file: string;
  /** Must be there exactly once. */
  readonly from: string;
  readonly to: string;
}

export interface Mutant {
  readonly name: string;
  /** What is broken, as a sentence. */
  readonly breaks: string;
  readonly changes: readonly Change[];
  /** Not noticed, and why that is so: something else keeps the promise. */
  readonly survives?: string;
}

const attempts = 'src-main/services/attempts/attempt-service.ts';
const driver = 'src-main/services/attempts/attempt-driver.ts';
const dispatcher = 'src-main/services/planner/dispatcher.ts';
const steps = 'src-main/domain/task-steps.ts';
const machine = 'src-main/domain/task-machine.ts';
const collector = 'src-main/services/logs/log-collector.ts';
const commit = 'src-main/store/group-commit.ts';
const gangs = 'src-main/domain/planner/gangs.ts';
const gangStart = 'src-main/domain/planner/gang-start.ts';
const guards = 'src-main/domain/planner/guards.ts';

export const mutants: readonly Mutant[] = [
  {
    name: 'holdings-forgotten-while-starting',
    breaks: 'What an attempt holds is not told to the planner while its image loads.',
    changes: [
      {
        file: dispatcher,
        from: '  if (holding === undefined) return undefined;',
        to: "  if (holding === undefined || task.state.status === 'ASSIGNING') return undefined;",
      },
    ],
  },
  {
    name: 'holdings-forgotten-while-paused',
    breaks: 'A frozen attempt is told to the planner as holding nothing.',
    changes: [
      {
        file: dispatcher,
        from: '  if (holding === undefined) return undefined;',
        to: "  if (holding === undefined || task.state.status === 'PAUSED') return undefined;",
      },
    ],
  },
  {
    name: 'holdings-forgotten-while-lost',
    breaks: 'An attempt whose node is out of reach is told to the planner as holding nothing.',
    changes: [
      {
        file: dispatcher,
        from: '  if (holding === undefined) return undefined;',
        to: "  if (holding === undefined || task.state.status === 'LOST') return undefined;",
      },
    ],
  },
  {
    name: 'effect-before-intent',
    breaks: 'An attempt is started on its node before its placement is on disk.',
    changes: [
      {
        file: attempts,
        from: `    await this.#parts.book.flushed();
    for (const stored of effects)`,
        to: '    for (const stored of effects)',
      },
    ],
  },
  {
    name: 'settle-before-durable',
    breaks: 'A node is settled with what a crash could still undo.',
    changes: [
      {
        file: attempts,
        from: `    await book.durable();
    for (const { id, attempt } of tasks)`,
        to: '    for (const { id, attempt } of tasks)',
      },
    ],
  },
  {
    name: 'tidy-before-durable',
    breaks: 'Leftovers are removed before the end of their task is on disk.',
    changes: [
      {
        file: attempts,
        from: `    await this.#parts.book.durable();
    for (const { ref, isAlive } of leftovers)`,
        to: '    for (const { ref, isAlive } of leftovers)',
      },
    ],
  },
  {
    name: 'answered-before-durable',
    breaks: 'People are told that tasks were accepted before they are on disk.',
    changes: [
      {
        file: 'src-main/services/tasks/task-service.ts',
        from: `    await book.flushed();
    return prepared.map(`,
        to: '    return prepared.map(',
      },
    ],
  },
  {
    name: 'commit-not-forced',
    breaks: 'A commit counts as durable before the disk was forced: a power cut takes it back.',
    changes: [
      {
        file: commit,
        from: '    await this.#durability?.sync();',
        to: '    await Promise.resolve();',
      },
    ],
  },
  {
    name: 'failed-commit-kept-in-memory',
    breaks: 'When the database refuses, the core goes on as if the changes were kept.',
    changes: [{ file: commit, from: '    this.#failed.emit(failure);', to: '' }],
  },
  {
    name: 'lost-is-dead',
    breaks: 'A node that is out of reach counts as dead, and so does what runs on it.',
    changes: [
      {
        file: attempts,
        from: "book.apply(id, { kind: 'node-lost', attempt, why });",
        to: "book.apply(id, { kind: 'vanished', attempt, why });",
      },
    ],
  },
  {
    name: 'retry-while-it-runs',
    breaks: 'A task whose node is out of reach is queued again while its attempt may still run.',
    changes: [
      {
        file: steps,
        from: `      status: 'LOST',
      ...activePart(state),
      since: now,
      reason: event.why,
      was: state.status,
      startedAt: startedAtOf(state),
    },`,
        to: '      ...backInTheQueue(now, event.why, null),\n    },',
      },
    ],
  },
  {
    name: 'retry-without-end',
    breaks: 'A failed task is tried again for ever.',
    changes: [
      {
        file: 'src-main/domain/retry.ts',
        from: 'task.attempt > policy.count',
        to: 'task.attempt > policy.count + 3',
      },
    ],
  },
  {
    name: 'vanished-is-started-again',
    breaks: 'An attempt that ran and is gone is started anew instead of given up.',
    changes: [{ file: driver, from: 'if (!isThere && hasBegun(task)) {', to: 'if (false) {' }],
  },
  {
    name: 'start-forgets-kill',
    breaks: 'A start under way does not look whether the task is to be killed.',
    changes: [
      {
        file: driver,
        from: '    if (state?.kill !== null) throw new KillRequested();',
        to: '    void state;',
      },
      { file: steps, from: '    effects: outstandingStop(task, state),', to: '' },
      {
        file: driver,
        from: '    if (wish !== null) this.stop(wish)',
        to: '    if (wish === undefined) this.stop(wish)',
      },
    ],
  },
  {
    name: 'kill-forgotten-with-the-link',
    breaks: 'A kill that met a start under way, a lost link or a crash is not carried on.',
    changes: [
      {
        file: driver,
        from: '    if (wish !== null) this.stop(wish)',
        to: '    if (wish === undefined) this.stop(wish)',
      },
      {
        file: steps,
        from: 'effects: state.kill === null ? [] : [stopAttempt(task, state.place, state.kill)],',
        to: '',
      },
      {
        file: steps,
        from: `nothing to signal yet.
    effects: outstandingStop(task, state),`,
        to: '',
      },
    ],
  },
  {
    name: 'killed-when-signalled',
    breaks: 'A task counts as gone once the signal was sent, not once it is proven gone.',
    changes: [
      {
        file: driver,
        from: "if (delivered) this.#apply({ kind: 'kill-delivered', attempt: this.#ref.attempt });",
        to: "if (delivered) this.#apply({ kind: 'vanished', attempt: this.#ref.attempt, why: 'signalled' });",
      },
    ],
  },
  {
    name: 'end-recorded-twice',
    breaks: 'An attempt that has ended can end again.',
    changes: [
      {
        file: machine,
        from: '  COMPLETED: { warned: warn },',
        to: '  COMPLETED: { warned: warn, ended: end as never },',
      },
      {
        file: driver,
        from: '    await book.flushed();\n  }\n\n  /** Follows until it has ended',
        to: "    if (last?.condition.kind === 'ended')\n      this.#tell(endEvents(task, { ...last.condition, imageDigest: null }));\n    await book.flushed();\n  }\n\n  /** Follows until it has ended",
      },
    ],
  },
  {
    name: 'late-news-accepted',
    breaks: 'News of an earlier attempt is taken for news of the newest.',
    changes: [
      {
        file: machine,
        from: "'attempt' in event && event.attempt !== task.attempt",
        to: "'attempt' in event && event.attempt > task.attempt",
      },
      {
        file: driver,
        from: 'return task?.attempt === this.#ref.attempt ? task : undefined;',
        to: 'return task;',
      },
    ],
    survives:
      'an attempt is let go before its task gets another, so nothing speaks of it any more; the check in the machine is a second lock',
  },
  {
    name: 'oom-by-exit-code',
    breaks: 'Exit code 137 is read as «out of memory».',
    changes: [
      {
        file: 'src-main/domain/task-ending.ts',
        from: `  if (end.oomKilled) {
    return { status: 'KILLED_OOM'`,
        to: `  if (end.oomKilled || end.exitCode === 137) {
    return { status: 'KILLED_OOM'`,
      },
    ],
  },
  {
    name: 'log-from-the-start',
    breaks: 'After a lost link a log is collected from its beginning again.',
    changes: [
      {
        file: collector,
        from: 'runtime.logs(ref, writer.lastCursor, signal)',
        to: 'runtime.logs(ref, null, signal)',
      },
    ],
  },
  {
    name: 'log-not-forced',
    breaks: 'A task counts as ended before its log is forced to the disk.',
    changes: [
      { file: collector, from: '    await writer.sync();\n    if (writer', to: '    if (writer' },
    ],
  },
  {
    name: 'end-before-log',
    breaks: 'The end of a task does not wait for its log.',
    changes: [
      {
        file: driver,
        from: 'collectLog(runtime, this.#ref, signal).catch(onFailure),',
        to: 'Promise.race([collectLog(runtime, this.#ref, signal), runtime.waitForEnd(this.#ref, signal)]).catch(onFailure),',
      },
    ],
  },
  {
    name: 'others-are-tidied-away',
    breaks: 'Work that carries the ID of another core is taken for ours.',
    changes: [
      {
        file: attempts,
        from: `    if (seen.core !== coreId || seen.taskId === null) return undefined;
    const ref = { taskId: seen.taskId, attempt: seen.attempt };
    const task = book.find(seen.taskId)?.task;`,
        to: `    if (seen.taskId === null) return undefined;
    const ref = { taskId: seen.taskId, attempt: seen.attempt };
    const task = book.find(seen.taskId)?.task ?? { attempt: 9, spec: { keepFailed: false }, state: { status: 'COMPLETED' } as never };
    void coreId;`,
      },
    ],
    survives:
      'the runtime finds only what carries its own core’s ID, whatever it is told to stop or remove',
  },
  {
    name: 'leftovers-stay',
    breaks: 'What an ended attempt leaves on its node is not removed, neither then nor later.',
    changes: [
      {
        file: attempts,
        from: '    if (leftovers.length === 0) return;',
        to: '    if (leftovers.length >= 0) return;',
      },
      {
        file: attempts,
        from: '    if (effect.vps !== true) await runtime?.remove(ref, { keep: effect.keep });\n    else if',
        to: '    if (effect.vps !== true) await Promise.resolve();\n    else if',
      },
    ],
  },
  {
    name: 'removal-only-by-effect',
    breaks: 'What an effect did not remove is not tidied up later.',
    changes: [
      {
        file: attempts,
        from: '    if (leftovers.length === 0) return;',
        to: '    if (leftovers.length >= 0) return;',
      },
    ],
    survives:
      'removals are stored with the end and run again until they are done; tidying is a second broom',
  },
  {
    name: 'held-tasks-run',
    breaks: 'A task on hold is planned and placed like any other.',
    changes: [
      {
        file: dispatcher,
        from: 'return !held && blockedBy.length === 0',
        to: 'return held !== undefined && blockedBy.length === 0',
      },
      {
        file: steps,
        from: "  if (state.held) return 'The task is on hold; it can be placed when it is released.';\n",
        to: '',
      },
    ],
  },
  {
    name: 'dependencies-ignored',
    breaks: 'A task is planned and placed before those it waits for have ended.',
    changes: [
      {
        file: dispatcher,
        from: 'return !held && blockedBy.length === 0 &&',
        to: 'return !held &&',
      },
      {
        file: steps,
        from: "  if (state.blockedBy.length > 0) return 'The task waits for others to end first.';\n",
        to: '',
      },
    ],
  },
  {
    name: 'dependants-never-told',
    breaks: 'What waited for a task does not hear that it has ended.',
    changes: [
      {
        file: 'src-main/services/queue/queue-keeper.ts',
        from: "if (standing.kind === 'met') book.apply(waiter",
        to: "if (standing.kind === 'met' && waiter === on) book.apply(waiter",
      },
    ],
  },
  {
    name: 'any-end-will-do',
    breaks: 'A task that waits for another to complete starts however that ended.',
    changes: [
      {
        file: 'src-main/services/queue/queue-keeper.ts',
        from: "if (standing.kind === 'met') book.apply(waiter",
        to: "if (standing.kind !== 'open') book.apply(waiter",
      },
    ],
  },
  {
    name: 'array-cap-ignored',
    breaks: 'More elements of an array hold something than its cap allows.',
    changes: [
      {
        file: 'src-main/services/planner/array-tickets.ts',
        from: 'batch.admitted.size < batch.most) {',
        to: 'batch.admitted.size <= batch.most) {',
      },
    ],
  },
  {
    name: 'time-limit-ignored',
    breaks: 'A task runs on past its time limit.',
    changes: [
      {
        file: 'src-main/services/queue/queue-keeper.ts',
        from: '  if (spec.timeLimitSeconds === null ||',
        to: '  if (spec.timeLimitSeconds !== null ||',
      },
    ],
  },
  {
    name: 'cores-not-counted',
    breaks: 'The planner does not count the cores that attempts hold.',
    changes: [
      {
        file: 'src-main/domain/planner/node-state.ts',
        from: '    this.freeCores -= place.cores;',
        to: '',
      },
    ],
  },
  {
    name: 'exclusive-ignored',
    breaks: 'A node that is held by one task alone takes others.',
    changes: [
      {
        file: 'src-main/domain/planner/node-state.ts',
        from: '    if (place.exclusive) this.exclusiveBy = holder;\n',
        to: '',
      },
    ],
  },
  {
    name: 'secrets-left-out',
    breaks: 'Secret variables do not reach the work.',
    changes: [
      {
        file: 'src-main/services/attempts/attempt-spec.ts',
        from: '...spec.env, ...inputs.secrets, ...ourVariables(inputs)',
        to: '...spec.env, ...ourVariables(inputs)',
      },
    ],
  },
  {
    name: 'effects-taken-off-too-soon',
    breaks: 'An effect is taken off the list although its node could not be reached.',
    changes: [{ file: attempts, from: '      if (!isDone) return;\n', to: '      void isDone;\n' }],
    survives:
      'most of what was taken off is found when its node is settled: a start by its task, a stop by the wish for it, a removal by tidying; seed 6279 notices what was to be kept',
  },
  {
    name: 'dead-links-stay',
    breaks: 'An attempt whose link was lost is not driven again when its node is back.',
    changes: [
      {
        file: attempts,
        from: '    for (const { id, attempt } of tasks) this.#resume(id, attempt);\n',
        to: '    void tasks;\n',
      },
    ],
  },
  {
    name: 'gangs-start-in-part',
    breaks: 'Of a gang, those start that find room.',
    changes: [
      {
        file: gangStart,
        from: '      takeBack(entries.slice(0, index), books);\n      return undefined;\n',
        to: '      return placements.length === 0 ? undefined : placements;\n',
      },
    ],
  },
  {
    name: 'gangs-without-their-slow',
    breaks: 'A gang starts without those of it that are on hold or wait for others.',
    changes: [
      {
        file: gangs,
        from: 'if (unready.size === 0) yield lane;',
        to: 'if (unready.size >= 0) yield lane;',
      },
    ],
  },
  {
    name: 'reservations-forgotten',
    breaks: 'The planner plans as if nothing were reserved.',
    changes: [
      {
        file: guards,
        from: '  if (by.owners.includes(task.owner) || now >= by.to) return true;',
        to: '  if (by.owners.length > 0) return true;',
      },
    ],
  },
  {
    name: 'reservations-without-look-ahead',
    breaks: 'What is reserved is kept only from when the reservation begins.',
    changes: [
      {
        file: guards,
        from: '  return now + (timeLimitMs ?? policy.assumedRunMs) <= by.from;',
        to: '  void timeLimitMs;\n  return now < by.from || policy.waitMs < 0;',
      },
    ],
  },
];

/** Applies changes to a source. Throws where one does not fit any more. */
export function mutate(source: string, changes: readonly Change[]): string {
  let text = source;
  for (const { file, from, to } of changes) {
    if (text.split(from).length !== 2)
      throw new Error(`${file} has changed; not once in it: ${from}`);
    text = text.replace(from, () => to);
  }
  return text;
}
