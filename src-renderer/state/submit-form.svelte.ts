// The submit form: what is typed, what it means, what is wrong with it, and whether it would start.
import {
  taskSubmission,
  type TaskSubmissionInput,
  type WaitReason,
} from '../../src-main/contract/task.ts';
import type { KeptThing } from '../../src-main/contract/kept.ts';
import type { CoreClient } from '../lib/client.ts';
import { cliLine } from '../lib/cli-line.ts';
import { isAbort, toProblem, type Problem } from '../lib/problem.ts';
import { looksLikeShell, joinWords, splitWords } from '../lib/shell-words.ts';
import { parseSize, sizeText } from '../lib/sizes.ts';
import { targetText, type TargetChoice, parseTarget } from '../lib/target-text.ts';

export interface Pair {
  key: string;
  value: string;
}
export interface MountRow {
  source: string;
  destination: string;
  readOnly: boolean;
}
export type VesselKind = 'default' | 'environment' | 'image' | 'process';

/** Typing pauses this long before the core is asked whether it would start. */
const askAfterMs = 250;

export class SubmitForm {
  readonly #client: CoreClient;
  workKind = $state<'command' | 'script'>('command');
  command = $state('');
  script = $state('');
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
  workdir = $state('');
  user = $state('');
  privileged = $state(false);
  labels = $state<Pair[]>([]);
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
  readonly submission = $derived(this.#outcome.submission);
  /** By field, as sentences. */
  readonly problems = $derived({ ...this.#outcome.problems, ...(this.#problem?.fields ?? {}) });
  readonly memoryBytes = $derived(this.memory.trim() === '' ? undefined : parseSize(this.memory));
  readonly gpuMemoryBytes = $derived(
    this.gpuMemory.trim() === '' ? undefined : parseSize(this.gpuMemory),
  );
  readonly usesShell = $derived(this.workKind === 'command' && looksLikeShell(this.command));
  readonly cli = $derived(this.submission === undefined ? undefined : cliLine(this.submission));
  /** GPUs are named by the targets, so they are not asked for by number. */
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
    if (field === 'work' && !this.#wasTried && this.command === '' && this.script === '')
      return undefined;
    return this.problems[field];
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
    this.workdir = from.workdir ?? '';
    this.user = from.user ?? '';
    this.privileged = from.privileged ?? false;
    this.labels = toPairs(from.labels);
    this.priority = String(from.priority ?? 0);
    this.hold = from.hold ?? false;
    this.keepFailed = from.keepFailed ?? false;
  }

  /** What it asks for, to be kept: secret variables by their names only; undefined while it is wrong. */
  template(): Extract<KeptThing, { kind: 'task-template' }> | undefined {
    if (this.submission === undefined) return undefined;
    const { secretEnv = {}, ...open } = this.submission;
    const secretNames = Object.keys(secretEnv);
    const submission = { ...taskSubmission.parse(open), secretEnv: {} };
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
  async submit(): Promise<{ taskIds: string[]; warnings: string[] } | undefined> {
    this.#wasTried = true;
    this.#problem = undefined;
    const { submission } = this;
    if (submission === undefined) return undefined;
    this.#isSubmitting = true;
    try {
      // What is submitted again goes through the core, which still has the secret variables.
      return this.#origin === undefined
        ? await this.#client.api.tasks.submit(submission)
        : await this.#client.api.tasks.resubmit({
            task: this.#origin,
            changes: submission,
          });
    } catch (error) {
      this.#problem = toProblem(error);
      return undefined;
    } finally {
      this.#isSubmitting = false;
    }
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

  #read(): { submission?: TaskSubmissionInput; problems: Record<string, string> } {
    const problems: Record<string, string> = {};
    const input = this.#input(problems);
    const result = taskSubmission.safeParse(input);
    for (const issue of result.error?.issues ?? []) {
      const field = String(issue.path[0] ?? 'work');
      problems[field] ??= sentence(issue.message);
    }
    return Object.keys(problems).length === 0
      ? { submission: input as TaskSubmissionInput, problems }
      : { problems };
  }

  #input(problems: Record<string, string>): unknown {
    const gpuCount = this.namesGpus ? 0 : readNumber(this.gpuCount, 'gpus', problems);
    const model = this.gpuModel.trim();
    const minMemoryBytes = readSize(this.gpuMemory, 'gpuMemory', problems);
    const memoryBytes = readSize(this.memory, 'memoryBytes', problems);
    return {
      targets: this.targets.map(targetText),
      cores: readNumber(this.cores, 'cores', problems),
      ...(memoryBytes === undefined ? {} : { memoryBytes }),
      ...(gpuCount === 0
        ? {}
        : {
            gpus: {
              count: gpuCount,
              ...(model === '' ? {} : { model }),
              ...(minMemoryBytes === undefined ? {} : { minMemoryBytes }),
            },
          }),
      work: this.#work(problems),
      ...this.#vessel(),
      env: fromPairs(this.env, 'env', problems),
      ...(this.secretEnv.length === 0
        ? {}
        : { secretEnv: fromPairs(this.secretEnv, 'secretEnv', problems) }),
      mounts: this.mounts
        .filter(({ source, destination }) => source !== '' || destination !== '')
        .map((row) => ({ ...row })),
      ...(this.workdir.trim() === '' ? {} : { workdir: this.workdir.trim() }),
      ...(this.user.trim() === '' ? {} : { user: this.user.trim() }),
      ...(this.name.trim() === '' ? {} : { name: this.name.trim() }),
      privileged: this.privileged,
      labels: fromPairs(this.labels, 'labels', problems),
      priority: readNumber(this.priority, 'priority', problems),
      hold: this.hold,
      exclusive: this.exclusive,
      keepFailed: this.keepFailed,
    };
  }

  #work(problems: Record<string, string>): unknown {
    if (this.workKind === 'script') {
      if (this.script.trim() === '') problems['work'] = 'Write what is to run.';
      return { kind: 'script', text: this.script };
    }
    const split = splitWords(this.command);
    if (!split.ok) problems['work'] = split.problem;
    else if (split.words.length === 0) problems['work'] = 'Write what is to run.';
    return { kind: 'command', argv: split.ok ? split.words : [''] };
  }

  #vessel(): { vessel?: unknown } {
    switch (this.vesselKind) {
      case 'default':
        return {};
      case 'environment':
        return { vessel: { kind: 'environment', name: this.environment.trim() } };
      case 'image':
        return { vessel: { kind: 'image', reference: this.image.trim() } };
      case 'process':
        return { vessel: { kind: 'process' } };
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

function toPairs(record: Readonly<Record<string, string>> | undefined): Pair[] {
  return Object.entries(record ?? {}).map(([key, value]) => ({ key, value }));
}

function fromPairs(
  pairs: readonly Pair[],
  field: string,
  problems: Record<string, string>,
): Record<string, string> {
  const used = pairs.filter(({ key, value }) => key !== '' || value !== '');
  const keys = used.map(({ key }) => key.trim());
  const twice = keys.find((key, i) => keys.indexOf(key) !== i);
  if (twice !== undefined) problems[field] = `«${twice}» is there twice.`;
  return Object.fromEntries(used.map(({ value }, i) => [keys[i] ?? '', value]));
}

function readNumber(text: string, field: string, problems: Record<string, string>): number {
  const trimmed = text.trim();
  if (!/^-?\d+$/.test(trimmed)) problems[field] = 'A whole number, please.';
  return Number.parseInt(trimmed, 10) || 0;
}

function readSize(
  text: string,
  field: string,
  problems: Record<string, string>,
): number | undefined {
  if (text.trim() === '') return undefined;
  const bytes = parseSize(text);
  if (bytes === undefined) problems[field] = 'A size such as 512M, 8G or 1.5G.';
  return bytes;
}

/** Messages of the schema begin small and end open. */
function sentence(message: string): string {
  const text = message.charAt(0).toUpperCase() + message.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
