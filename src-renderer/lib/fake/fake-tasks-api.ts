// The tasks part of the fake contract.
import { RequestError } from '../../../src-main/contract/errors.ts';
import type { BatchId, TaskId } from '../../../src-main/contract/ids.ts';
import {
  isFinal,
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
import { eventsOf, sketchTask } from './fake-tasks.ts';

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
    workdir: task.workdir,
    name: task.name,
    labels: task.labels,
    priority: task.priority,
  });
}

function explain(
  core: FakeCore,
  wish: Pick<TaskSubmissionInput, 'cores' | 'gpus' | 'targets'>,
): WaitReason {
  const nodes = core.nodes.map((node) => {
    const facts = node.facts;
    const lacks: string[] = [];
    if (node.state !== 'online') lacks.push(`is ${node.state}`);
    if (node.drained) lacks.push('is drained');
    const freeCores = (facts?.cores ?? 0) - node.allocated.cores;
    if ((wish.cores ?? 1) > freeCores)
      lacks.push(`has ${freeCores} of ${wish.cores ?? 1} cores free`);
    const freeGpus = (facts?.gpus.length ?? 0) - node.allocated.gpus.length;
    const wanted = wish.gpus?.count ?? 0;
    if (wanted > freeGpus) lacks.push(`has ${freeGpus} of ${wanted} GPUs free`);
    const model = wish.gpus?.model;
    if (
      model !== undefined &&
      facts?.gpus.every(({ name }) => !name.toLowerCase().includes(model.toLowerCase())) !== false
    ) {
      lacks.push(`has no ${model}`);
    }
    const named = (wish.targets ?? []).map((target) => target.split(':')[0]);
    if (named.length > 0 && !named.includes(node.name)) lacks.push('is not among the targets');
    return {
      nodeId: node.id,
      node: node.name,
      fits: lacks.length === 0,
      possible: wanted <= (facts?.gpus.length ?? 0),
      lacks,
    };
  });
  const fit = nodes.find(({ fits }) => fits);
  const summary =
    fit === undefined
      ? `Would wait: ${nodes[0]?.lacks[0] === undefined ? 'there is no node' : `${nodes[0].node} ${nodes[0].lacks[0]}`}.`
      : `Would start now on ${fit.node}.`;
  return { summary, ahead: fit === undefined ? 3 : 0, nodes };
}

function submitted(
  core: FakeCore,
  input: TaskSubmissionInput,
): { taskIds: TaskId[]; batchId: BatchId; warnings: string[] } {
  const wish = taskSubmission.parse(input);
  const at = core.now();
  const targets = wish.targets.length === 0 ? [null] : wish.targets;
  const tasks = targets.map((target, i) =>
    sketchTask(at, i, {
      target,
      name: wish.name,
      work: wish.work,
      cores: wish.cores,
      memoryBytes: wish.memoryBytes,
      gpuRequest: wish.gpus,
      env: wish.env,
      secretEnvNames: Object.keys(wish.secretEnv),
      mounts: wish.mounts,
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
    batchId: (tasks[0]?.id ?? '1') as string as BatchId,
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
      const reason = explain(core, {
        cores: found.cores,
        gpus: found.gpuRequest,
        targets: found.target === null ? [] : [found.target],
      });
      return { ...reason, summary: found.reason ?? reason.summary };
    },
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
    submission: async ({ task }) => submissionOf(mustFind(core, task)),
    resubmit: async ({ task, changes }) =>
      submitted(core, { ...submissionOf(mustFind(core, task)), ...changes } as TaskSubmissionInput),
    remove: ({ tasks }) =>
      orderAll(core, tasks, (task) => (isFinal(task.status) ? {} : 'It has not ended.')),
  };
}
