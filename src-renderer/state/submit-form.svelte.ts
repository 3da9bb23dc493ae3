// The submit form: what is typed, what it means, what is wrong with it, and whether it would start.
import {
  taskSubmission,
  type TaskSubmissionInput,
  type TaskView,
  type WaitReason,
  type Work,
} from '../../src-main/contract/task.ts';
import type { TaskFetch, TaskSync } from '../../src-main/contract/task-files.ts';
import type { BatchId, TaskId } from '../../src-main/contract/ids.ts';
import type { KeptThing } from '../../src-main/contract/kept.ts';
import type { CoreClient } from '../lib/client.ts';
import { cliLines } from '../lib/cli-line.ts';
import {
  filledRows,
  fromPairs,
  isHalfFilled,
  readNumber,
  readSize,
  readText,
  sentence,
  toPairs,
  type Pair,
  type Problems,
} from '../lib/form-values.ts';
import { isAbort, toProblem, type Problem } from '../lib/problem.ts';
import { looksLikeShell, joinWords, splitWords } from '../lib/shell-words.ts';
import { parseSize, sizeText } from '../lib/sizes.ts';
import { targetText, type TargetChoice, parseTarget } from '../lib/target-text.ts';
import { readList, type CommandList } from '../lib/work-list.ts';
import { SubmitShape } from './submit-shape.svelte.ts';

export interface MountRow {
  source: string;
  destination: string;
  readOnly: boolean;
}
export type VesselKind = 'default' | 'environment' | 'image' | 'process';

export type WorkKind = 'command' | 'script' | 'list';

export interface Submitted {
  readonly taskIds: readonly TaskId[];
  /** Undefined for a list: each of its tasks is a batch of its own. */
  readonly batchId: BatchId | undefined;
  readonly warnings: readonly string[];
}

/** Typing pauses this long before the core is asked whether it would start. */
const askAfterMs = 250;

export class SubmitForm {
  readonly #client: CoreClient;
  /** How many tasks it makes, and when they may run. */
  readonly shape = new SubmitShape();
  workKind = $state<WorkKind>('command');
  command = $state('');
  script = $state('');
  /** Commands, one a line. */
  list = $state('');
  name = $state('');
  targets = $state.raw<readonly TargetChoice[]>([]);
  cores = $state('1');
  memory = $state('');
  gpuCount = $state('0');
  gpuModel = $state('');
  gpuMemory = $state('');
  exclusive = $state(false);
  vesselKind = $state<VesselKind>('default');
  environment = $state('');
  image = $state('');
  env = $state<Pair[]>([]);
  secretEnv = $state<Pair[]>([]);
  mounts = $state<MountRow[]>([]);
  sync = $state<TaskSync[]>([]);
  fetch = $state<TaskFetch[]>([]);
  workdir = $state('');
  user = $state('');
  privileged = $state(false);
  labels = $state<Pair[]>([]);
  onNodeLabels = $state<Pair[]>([]);
  /** Names of nodes, with commas between. */
  avoidNodes = $state('');
  priority = $state('0');
  hold = $state(false);
  keepFailed = $state(false);

  /** The task this began as, when it is submitted again. */
  #origin = $state<string | undefined>(undefined);
  #explained = $state.raw<WaitReason | undefined>(undefined);
  #explainProblem = $state.raw<Problem | undefined>(undefined);
  #isExplaining = $state(false);
  #problem = $state.raw<Problem | undefined>(undefined);
  #isSubmitting = $state(false);
  /** Problems of fields nobody has touched are not shown before the first try. */
  #wasTried = $state(false);
  #abort: AbortController | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  readonly #outcome = $derived(this.#read());
  /** What would be sent: one, or one for each command of a list; undefined while something is wrong. */
  readonly submissions = $derived(this.#outcome.submissions);
  readonly submission = $derived(this.submissions?.[0]);
  /** By field, as sentences. */
  readonly problems = $derived({ ...this.#outcome.problems, ...(this.#problem?.fields ?? {}) });
  readonly memoryBytes = $derived(this.memory.trim() === '' ? undefined : parseSize(this.memory));
  readonly gpuMemoryBytes = $derived(
    this.gpuMemory.trim() === '' ? undefined : parseSize(this.gpuMemory),
  );
  readonly usesShell = $derived(this.workKind === 'command' && looksLikeShell(this.command));
  readonly cli = $derived(this.submissions === undefined ? undefined : cliLines(this.submissions));
  /** GPUs are named by the targets, so they are not asked for by number. */
  /** It stands for several tasks that may start together; those of a list are on their own. */
  readonly isSeveral = $derived(
    this.workKind !== 'list' && (this.shape.howMany !== 'one' || this.targets.length > 1),
  );
  readonly namesGpus = $derived(this.targets.some(({ gpus }) => gpus.length > 0));

  constructor(client: CoreClient) {
    this.#client = client;
  }

  get origin(): string | undefined {
    return this.#origin;
  }
  get explained(): WaitReason | undefined {
    return this.#explained;
  }
  get explainProblem(): Problem | undefined {
    return this.#explainProblem;
  }
  get isExplaining(): boolean {
    return this.#isExplaining;
  }
  get problem(): Problem | undefined {
    return this.#problem;
  }
  get isSubmitting(): boolean {
    return this.#isSubmitting;
  }

  /** What is wrong with a field, once it is time to say so. */
  problemOf(field: string): string | undefined {
    if (!this.#wasTried && this.#isUntouched(field)) return undefined;
    return this.problems[field];
  }

  #isUntouched(field: string): boolean {
    const { numbers, parameters } = this.shape;
    if (field === 'work') return this.command === '' && this.script === '' && this.list === '';
    if (field === 'array') return numbers === '';
    if (field === 'sync' || field === 'fetch') return this[field].some(isHalfFilled);
    return (
      field === 'sweep' && parameters.every(({ name, values }) => name === '' || values === '')
    );
  }

  /** Fills the form with what a task was. Throws what the core answers. */
  async load(task: string): Promise<void> {
    const submission = await this.#client.api.tasks.submission({ task });
    this.#origin = task;
    this.fill(submission);
  }

  fill(from: TaskSubmissionInput): void {
    this.#fillWork(from);
    this.#fillNeeds(from);
    this.name = from.name ?? '';
    this.env = toPairs(from.env);
    this.mounts = (from.mounts ?? []).map(({ source, destination, readOnly = false }) => ({
      source,
      destination,
      readOnly,
    }));
    this.sync = from.sync ?? [];
    this.fetch = from.fetch ?? [];
    this.workdir = from.workdir ?? '';
    this.user = from.user ?? '';
    this.privileged = from.privileged ?? false;
    this.labels = toPairs(from.labels);
    this.priority = String(from.priority ?? 0);
    this.hold = from.hold ?? false;
    this.keepFailed = from.keepFailed ?? false;
    this.onNodeLabels = toPairs(from.onNodeLabels);
    this.avoidNodes = (from.avoidNodes ?? []).join(', ');
    this.shape.fill(from);
  }

  /** Tasks to wait for, by what is typed: the newest that match. */
  async findTasks(text: string, signal: AbortSignal): Promise<readonly TaskView[]> {
    const filter = text.trim() === '' ? {} : { text: text.trim().slice(0, 200) };
    return (await this.#client.api.tasks.list({ filter, limit: 8 }, { signal })).rows;
  }

  /** What it asks for, to be kept: secret variables by their names only; undefined while it is wrong. */
  template(): Extract<KeptThing, { kind: 'task-template' }> | undefined {
    if (this.submission === undefined || this.workKind === 'list') return undefined;
    const { secretEnv = {}, ...open } = this.submission;
    const secretNames = Object.keys(secretEnv);
    // A moment passes; what is kept is for many times.
    const submission = { ...taskSubmission.parse(open), secretEnv: {}, notBefore: null };
    return { kind: 'task-template', value: { submission, secretNames } };
  }

  /** Fills the form with a template; its secrets want their values again. */
  useTemplate({ value }: Extract<KeptThing, { kind: 'task-template' }>): void {
    this.#origin = undefined;
    this.fill(value.submission);
    this.secretEnv = value.secretNames.map((key) => ({ key, value: '' }));
  }

  /** Asks whether it would start now, a little later; called on every change of the form or the nodes. */
  askSoon(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#ask(), askAfterMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#abort?.abort();
  }

  /** Submits; undefined when something is wrong, which is then shown. */
  async submit(): Promise<Submitted | undefined> {
    this.#wasTried = true;
    this.#problem = undefined;
    const { submissions } = this;
    if (submissions === undefined) return undefined;
    this.#isSubmitting = true;
    try {
      return await this.#send(submissions);
    } catch (error) {
      this.#problem = toProblem(error);
      return undefined;
    } finally {
      this.#isSubmitting = false;
    }
  }

  async #send(submissions: readonly TaskSubmissionInput[]): Promise<Submitted> {
    const { tasks } = this.#client.api;
    const [one, ...others] = submissions;
    if (one === undefined || others.length > 0) {
      const { batches } = await tasks.submitMany({ submissions: [...submissions] });
      const taskIds = batches.flatMap((batch) => batch.taskIds);
      return { taskIds, batchId: undefined, warnings: [] };
    }
    // What is submitted again goes through the core, which still has the secret variables.
    if (this.#origin === undefined) return tasks.submit(one);
    return tasks.resubmit({ task: this.#origin, changes: one });
  }

  #fillWork({ work, vessel }: TaskSubmissionInput): void {
    this.workKind = work.kind;
    if (work.kind === 'command') this.command = joinWords(work.argv);
    else this.script = work.text;
    this.vesselKind = vessel?.kind ?? 'default';
    if (vessel?.kind === 'environment') this.environment = vessel.name;
    if (vessel?.kind === 'image') this.image = vessel.reference;
  }

  #fillNeeds({ targets, cores, memoryBytes, gpus, exclusive }: TaskSubmissionInput): void {
    this.targets = (targets ?? []).flatMap((text) => parseTarget(text) ?? []);
    this.cores = String(cores ?? 1);
    this.memory = memoryBytes == null ? '' : sizeText(memoryBytes);
    this.gpuCount = String(gpus?.count ?? 0);
    this.gpuModel = gpus?.model ?? '';
    this.gpuMemory = gpus?.minMemoryBytes === undefined ? '' : sizeText(gpus.minMemoryBytes);
    this.exclusive = exclusive ?? false;
  }

  #read(): { submissions?: readonly TaskSubmissionInput[]; problems: Problems } {
    const problems: Problems = {};
    const works = this.#works(problems);
    const input = { ...this.#input(problems), work: works[0] };
    const result = taskSubmission.safeParse(input);
    for (const issue of result.error?.issues ?? []) {
      const field = String(issue.path[0] ?? 'work');
      problems[field] ??= sentence(issue.message);
    }
    if (Object.keys(problems).length > 0) return { problems };
    const one = input as TaskSubmissionInput;
    const submissions = works.map((work, n) => ({
      ...one,
      work,
      ...(one.name == null || works.length === 1 ? {} : { name: `${one.name}-${String(n + 1)}` }),
    }));
    return { submissions, problems };
  }

  /** Every field stands there, also an empty one: what is submitted again must lose what was taken out. */
  #input(problems: Problems): Record<string, unknown> {
    const shape = this.shape.read(problems, this.targets.length);
    return {
      targets: this.targets.map(targetText),
      cores: readNumber(this.cores, 'cores', problems),
      memoryBytes: readSize(this.memory, 'memoryBytes', problems),
      gpus: this.#gpus(problems),
      vessel: this.#vessel(),
      env: fromPairs(this.env, 'env', problems),
      ...(this.secretEnv.length === 0
        ? {}
        : { secretEnv: fromPairs(this.secretEnv, 'secretEnv', problems) }),
      mounts: this.mounts
        .filter(({ source, destination }) => source !== '' || destination !== '')
        .map((row) => ({ ...row })),
      sync: filledRows(this.sync),
      fetch: filledRows(this.fetch),
      workdir: readText(this.workdir),
      user: readText(this.user),
      name: readText(this.name),
      privileged: this.privileged,
      labels: fromPairs(this.labels, 'labels', problems),
      onNodeLabels: fromPairs(this.onNodeLabels, 'onNodeLabels', problems),
      avoidNodes: this.avoidNodes
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== ''),
      priority: readNumber(this.priority, 'priority', problems),
      hold: this.hold,
      exclusive: this.exclusive,
      keepFailed: this.keepFailed,
      ...shape,
      ...(this.workKind === 'list' ? { array: null, sweep: null, gang: false } : {}),
    };
  }

  #gpus(problems: Problems): unknown {
    const count = this.namesGpus ? 0 : readNumber(this.gpuCount, 'gpus', problems);
    const minMemoryBytes = readSize(this.gpuMemory, 'gpuMemory', problems);
    const model = this.gpuModel.trim();
    if (count === 0) return null;
    return {
      count,
      ...(model === '' ? {} : { model }),
      ...(minMemoryBytes === null ? {} : { minMemoryBytes }),
    };
  }

  /** What is to run: one, or each command of a list. There always is one, to check the rest with. */
  #works(problems: Problems): readonly Work[] {
    if (this.workKind === 'script') {
      if (this.script.trim() === '') problems['work'] = 'Write what is to run.';
      return [{ kind: 'script', text: this.script }];
    }
    const read = this.workKind === 'list' ? readList(this.list) : this.#command();
    if (read.ok) return read.commands.map((argv) => ({ kind: 'command', argv }));
    problems['work'] = read.problem;
    return [{ kind: 'command', argv: [''] }];
  }

  #command(): CommandList {
    const split = splitWords(this.command);
    if (!split.ok) return split;
    if (split.words.length === 0) return { ok: false, problem: 'Write what is to run.' };
    return { ok: true, commands: [split.words] };
  }

  #vessel(): unknown {
    switch (this.vesselKind) {
      case 'default':
        return null;
      case 'environment':
        return { kind: 'environment', name: this.environment.trim() };
      case 'image':
        return { kind: 'image', reference: this.image.trim() };
      case 'process':
        return { kind: 'process' };
    }
  }

  async #ask(): Promise<void> {
    this.#abort?.abort();
    const { submission } = this;
    if (submission === undefined) {
      this.#explained = undefined;
      this.#explainProblem = undefined;
      this.#isExplaining = false;
      return;
    }
    const abort = new AbortController();
    this.#abort = abort;
    this.#isExplaining = true;
    // Secrets are no part of where something fits.
    const { secretEnv: _, ...open } = submission;
    try {
      const answer = await this.#client.api.tasks.explain(open, { signal: abort.signal });
      if (abort.signal.aborted) return;
      this.#explained = answer;
      this.#explainProblem = undefined;
    } catch (error) {
      if (isAbort(error) || abort.signal.aborted) return;
      this.#explained = undefined;
      this.#explainProblem = toProblem(error);
    } finally {
      if (!abort.signal.aborted) this.#isExplaining = false;
    }
  }
}
