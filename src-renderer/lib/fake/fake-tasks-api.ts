// The tasks part of the fake contract.
import { RequestError } from '../../../src-main/contract/errors.ts';
import type { NodeView } from '../../../src-main/contract/node.ts';
import type { BatchId, TaskId } from '../../../src-main/contract/ids.ts';
import { combinationCount } from '../../../src-main/contract/task-shape.ts';
import {
  isFinal,
  type GpuRequest,
  taskSubmission,
  taskWindowQuery,
  type TaskSubmission,
  type TaskSubmissionInput,
  type TaskView,
  type TaskWindow,
  type WaitReason,
} from '../../../src-main/contract/task.ts';
import type { Api } from '../client.ts';
import type { FakeCore } from './fake-core.ts';
import { fakeFeed } from './fake-feed.ts';
import { isForeign } from './fake-metrics.ts';
import { eventsOf, fakeTaskId, sketchTask } from './fake-tasks.ts';

type Order = (task: TaskView) => Partial<TaskView> | string;

function mustFind(core: FakeCore, ref: string): TaskView {
  const task = core.task(ref);
  if (task === undefined) throw new RequestError('not-found/task', `There is no task «${ref}».`);
  return task;
}

function orderAll(core: FakeCore, refs: readonly string[], order: Order) {
  return Promise.resolve(
    refs.map((ref) => {
      const task = mustFind(core, ref);
      const outcome = order(task);
      if (typeof outcome === 'string')
        return { id: task.id, ok: false, status: task.status, message: outcome };
      const next = { ...task, ...outcome };
      core.putTask(next);
      return { id: task.id, ok: true, status: next.status, message: null };
    }),
  );
}

function submissionOf(task: TaskView): TaskSubmission {
  return taskSubmission.parse({
    targets: task.target === null ? [] : [task.target],
    cores: task.cores,
    memoryBytes: task.memoryBytes,
    gpus: task.gpuRequest,
    work: task.work,
    vessel: task.image === null ? { kind: 'process' } : { kind: 'image', reference: task.image },
    env: task.env,
    mounts: task.mounts,
    sync: task.sync,
    fetch: task.fetch,
    workdir: task.workdir,
    name: task.name,
    labels: task.labels,
    priority: task.priority,
    array:
      task.arrayIndex === null
        ? null
        : { indices: [task.arrayIndex], maxRunning: task.arrayMaxRunning },
    timeLimitSeconds: task.timeLimitSeconds,
    retries: task.retries,
  });
}

/** The number of each task an array or a sweep makes; one without a number for neither. */
function indicesOf({ array, sweep }: TaskSubmission): readonly (number | null)[] {
  if (sweep !== null)
    return Array.from({ length: combinationCount(sweep.parameters) }, (_, index) => index);
  return array?.indices ?? [null];
}

type Wish = Pick<TaskSubmissionInput, 'cores' | 'gpus' | 'targets'>;

function wishOf({ cores, gpuRequest, target }: TaskView): Wish {
  return { cores, gpus: gpuRequest, targets: target === null ? [] : [target] };
}

function lacksOf(node: NodeView, { cores = 1, gpus, targets = [] }: Wish): string[] {
  const freeCores = (node.facts?.cores ?? 0) - node.allocated.cores;
  const named = targets.map((target) => target.split(':')[0]);
  const checks: [boolean, string][] = [
    [node.state !== 'online', `is ${node.state}`],
    [node.drained, 'is drained'],
    [cores > freeCores, `has ${freeCores} of ${cores} cores free`],
    [named.length > 0 && !named.includes(node.name), 'is not among the targets'],
  ];
  return [
    ...checks.flatMap(([isLacking, text]) => (isLacking ? [text] : [])),
    ...(gpus == null ? [] : lacksGpus(node, gpus)),
    ...lacksNamedGpus(node, targets),
  ];
}

function lacksNamedGpus(
  { name, facts, allocated }: NodeView,
  targets: readonly string[],
): string[] {
  const named = targets
    .filter((target) => target.startsWith(`${name}::`))
    .flatMap((target) => target.slice(name.length + 2).split(','))
    .map(Number);
  return named.flatMap((index) => {
    if (isForeign(name, index)) return [`GPU ${index} is used by others`];
    const uuid = facts?.gpus[index]?.uuid;
    return allocated.gpus.some((held) => held.uuid === uuid) ? [`GPU ${index} is held`] : [];
  });
}

function lacksGpus({ facts, allocated }: NodeView, { count, model = '' }: GpuRequest): string[] {
  const fitting = (facts?.gpus ?? []).filter(({ name }) =>
    name.toLowerCase().includes(model.toLowerCase()),
  );
  if (fitting.length === 0) return [`has no ${model === '' ? 'GPU' : model}`];
  const free = fitting.length - allocated.gpus.length;
  return count > free ? [`has ${free} of ${count} GPUs free`] : [];
}

function explain(core: FakeCore, wish: Wish): WaitReason {
  const nodes = core.nodes.map((node) => {
    const lacks = lacksOf(node, wish);
    const possible = (wish.gpus?.count ?? 0) <= (node.facts?.gpus.length ?? 0);
    return { nodeId: node.id, node: node.name, fits: lacks.length === 0, possible, lacks };
  });
  const fit = nodes.find(({ fits }) => fits);
  if (fit !== undefined) {
    const summary = `Would start now on ${fit.node}.`;
    return { summary, ahead: 0, expected: null, suggestions: [], nodes };
  }
  const [first] = nodes;
  const why = first === undefined ? 'there is no node' : `${first.node} ${first.lacks[0] ?? ''}`;
  const count = (wish.gpus?.count ?? 0) - 1;
  const fewer = core.nodes.find(
    (node) => count > 0 && lacksOf(node, { ...wish, gpus: { count } }).length === 0,
  );
  const at = core.now() + 40 * 60_000;
  return {
    summary: `Would wait: ${why}.`,
    ahead: 3,
    expected: {
      at,
      isPromise: false,
      why: `On ${first?.node ?? 'a node'} a task is over by its time limit by then at the latest. Tasks before it in the queue may take the room.`,
    },
    suggestions:
      fewer === undefined
        ? []
        : [
            {
              words: `Ask for ${count === 1 ? '1 GPU' : `${count} GPUs`}`,
              node: fewer.name,
              changes: { gpus: { count } },
            },
          ],
    nodes,
  };
}

function submitted(
  core: FakeCore,
  input: TaskSubmissionInput,
): { taskIds: TaskId[]; batchId: BatchId; warnings: string[] } {
  const wish = taskSubmission.parse(input);
  const at = core.now();
  const targets = wish.targets.length === 0 ? [null] : wish.targets;
  const each = targets.flatMap((target) =>
    indicesOf(wish).map((arrayIndex) => ({ target, arrayIndex })),
  );
  // Several may come in one millisecond.
  const before = core.tasks.length;
  const batchId = fakeTaskId(at, before) as string as BatchId;
  const tasks = each.map(({ target, arrayIndex }, i) =>
    sketchTask(at, before + i, {
      batchId,
      target,
      arrayIndex,
      arrayMaxRunning: (wish.array ?? wish.sweep)?.maxRunning ?? null,
      timeLimitSeconds: wish.timeLimitSeconds,
      retries: wish.retries,
      notBefore: wish.notBefore,
      gang: wish.gang,
      name: wish.name,
      work: wish.work,
      cores: wish.cores,
      memoryBytes: wish.memoryBytes,
      gpuRequest: wish.gpus,
      env: wish.env,
      secretEnvNames: Object.keys(wish.secretEnv),
      mounts: wish.mounts,
      sync: wish.sync,
      fetch: wish.fetch,
      priority: wish.priority,
      held: wish.hold,
      labels: wish.labels,
      runtime: wish.vessel?.kind === 'process' ? 'process' : 'docker',
      image: wish.vessel?.kind === 'image' ? wish.vessel.reference : null,
      reason: wish.hold ? 'On hold.' : explain(core, wish).summary,
    }),
  );
  for (const task of tasks) core.putTask(task);
  return {
    taskIds: tasks.map(({ id }) => id),
    batchId,
    warnings:
      wish.memoryBytes === null ? ['No memory limit is set; the task counts as needing none.'] : [],
  };
}

function windowFeed(
  core: FakeCore,
  input: Parameters<Api['tasks']['watchWindow']>[0],
  signal: AbortSignal | undefined,
) {
  const query = taskWindowQuery.parse(input);
  let shown = new Map<string, TaskView>();
  const look = (): TaskWindow => core.window(query);
  return fakeFeed({
    snapshot: () => {
      const window = look();
      shown = new Map(window.rows.map((row) => [row.id, row]));
      return window;
    },
    subscribe: (
      push: (change: {
        total: number;
        counts: TaskWindow['counts'];
        order: TaskId[];
        rows: TaskView[];
      }) => void,
    ) =>
      core.onTask.listen(() => {
        const { total, counts, rows } = look();
        const changed = rows.filter((row) => shown.get(row.id) !== row);
        shown = new Map(rows.map((row) => [row.id, row]));
        push({ total, counts, order: rows.map(({ id }) => id), rows: changed });
      }),
    signal,
  });
}

export function fakeTasksApi(core: FakeCore): Api['tasks'] {
  const endable: Order = (task) =>
    isFinal(task.status)
      ? 'It has ended already.'
      : {
          status: 'KILLED',
          finishedAt: core.now(),
          reason: 'Killed by you.',
          signal: 'SIGTERM',
          held: false,
        };
  const full = (task: TaskView) => ({ task, events: eventsOf(task) });
  return {
    submit: async (input) => submitted(core, input),
    submitMany: async ({ submissions }) => ({
      batches: submissions.map((each) => submitted(core, each)),
    }),
    list: async (input) => core.window(taskWindowQuery.parse(input)),
    watchWindow: async (input, options) => windowFeed(core, input, options?.signal),
    get: async ({ task }) => mustFind(core, task),
    watch: async ({ task }, options) => {
      const { id } = mustFind(core, task);
      return fakeFeed({
        snapshot: () => full(mustFind(core, id)),
        subscribe: (push: (change: ReturnType<typeof full>) => void) =>
          core.onTask.listen((changed) => {
            if (changed.id === id) push(full(changed));
          }),
        signal: options?.signal,
      });
    },
    events: async ({ task }) => eventsOf(mustFind(core, task)),
    why: async ({ task }) => {
      const found = mustFind(core, task);
      const reason = explain(core, wishOf(found));
      return { ...reason, summary: found.reason ?? reason.summary };
    },
    waits: async ({ tasks }) =>
      tasks.flatMap((id) => {
        const task = core.task(id);
        if (task?.status !== 'PENDING') return [];
        return { id: task.id, summary: task.reason ?? explain(core, wishOf(task)).summary };
      }),
    explain: async (input) => explain(core, input),
    kill: ({ tasks }) => orderAll(core, tasks, endable),
    pause: ({ tasks }) =>
      orderAll(core, tasks, (task) =>
        task.status === 'RUNNING'
          ? { status: 'PAUSED', reason: 'Paused by you.' }
          : 'It does not run.',
      ),
    resume: ({ tasks }) =>
      orderAll(core, tasks, (task) =>
        task.status === 'PAUSED' ? { status: 'RUNNING', reason: null } : 'It is not paused.',
      ),
    hold: ({ tasks }) =>
      orderAll(core, tasks, (task) =>
        task.status === 'PENDING' ? { held: true, reason: 'On hold by you.' } : 'It does not wait.',
      ),
    release: ({ tasks }) =>
      orderAll(core, tasks, (task) =>
        task.held ? { held: false, reason: null } : 'It is not on hold.',
      ),
    setPriority: ({ tasks, priority }) => orderAll(core, tasks, () => ({ priority })),
    amend: ({ tasks, changes }) =>
      orderAll(core, tasks, (task) =>
        task.status === 'PENDING'
          ? {
              ...(changes.priority === undefined ? {} : { priority: changes.priority }),
              ...(changes.cores === undefined ? {} : { cores: changes.cores }),
              ...(changes.memoryBytes === undefined ? {} : { memoryBytes: changes.memoryBytes }),
              ...(changes.gpus === undefined ? {} : { gpuRequest: changes.gpus }),
              ...(changes.target === undefined ? {} : { target: changes.target }),
            }
          : 'Only a task that waits can be changed.',
      ),
    submission: async ({ task }) => submissionOf(mustFind(core, task)),
    resubmit: async ({ task, changes }) =>
      submitted(core, { ...submissionOf(mustFind(core, task)), ...changes } as TaskSubmissionInput),
    remove: ({ tasks }) =>
      orderAll(core, tasks, (task) => (isFinal(task.status) ? {} : 'It has not ended.')),
  };
}
