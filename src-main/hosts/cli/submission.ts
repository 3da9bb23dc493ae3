// A submission from the options of `task submit` and `task resubmit`.
import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Option, type Command } from 'commander';
import type { GpuRequest, Mount, TaskSubmissionInput, Vessel, Work } from '../../contract/task.ts';
import { parseMemorySize } from '../../domain/size.ts';
import type { Call } from './call.ts';
import { UsageError } from './errors.ts';
import { readShape, shapeOptions, type ShapeOptions } from './shape-options.ts';
import type { TaskFetch, TaskSync } from '../../contract/task-files.ts';
import { parseFetch, parseSync } from './parse/task-folder.ts';
import { parseMount } from './parse/mount.ts';
import { asIs, collecting, reading, wholeNumber } from './parse/option.ts';
import { parseEnvFile, parsePair, recordOf } from './parse/pairs.ts';

type Pair = readonly [string, string];

export interface SubmissionOptions extends ShapeOptions {
  target?: readonly string[];
  cores?: number;
  memory?: number;
  gpus?: number;
  gpuModel?: string;
  gpuMemory?: number;
  container?: string;
  image?: string;
  runtime?: 'process';
  env?: readonly Pair[];
  envFile?: string;
  mount?: readonly Mount[];
  sync?: readonly TaskSync[];
  fetch?: readonly TaskFetch[];
  workdir?: string;
  user?: string;
  privileged?: boolean;
  name?: string;
  label?: readonly Pair[];
  secretEnv?: readonly string[];
  script?: string;
  priority?: number;
  hold?: boolean;
  exclusive?: boolean;
  gang?: boolean;
  onNodeLabel?: readonly Pair[];
  avoidNode?: readonly string[];
  owner?: string;
  keepFailed?: boolean;
}

/** Adds what a task can be asked for with. */
export function submissionOptions(command: Command): Command {
  return shapeOptions(otherOptions(vesselOptions(resourceOptions(command))));
}

function resourceOptions(command: Command): Command {
  return command
    .option(
      '-t, --target <target>',
      'node, node:numa, node::gpu,gpu or node:numa::gpu,gpu (repeatable: a task for each; without it the scheduler chooses)',
      collecting(asIs),
    )
    .option(
      '-c, --cores <number>',
      'processor cores; 0 for no limit',
      reading(wholeNumber(0, 4096)),
    )
    .option('-m, --memory <size>', 'memory, such as 512M or 8G', reading(parseMemorySize))
    .option('--gpus <number>', 'so many GPUs, wherever they are free', reading(wholeNumber(1, 64)))
    .option('--gpu-model <text>', 'GPUs with this in the name of their model')
    .option('--gpu-memory <size>', 'GPUs with at least this much memory', reading(parseMemorySize));
}

function vesselOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--container <environment>', 'run in an environment').conflicts([
        'image',
        'runtime',
      ]),
    )
    .addOption(
      new Option('--image <reference>', 'run in an image of a registry').conflicts('runtime'),
    )
    .addOption(new Option('--runtime <kind>', 'run as a plain process').choices(['process']))
    .option('--env <name=value>', 'variable (repeatable)', collecting(parsePair))
    .option('--env-file <file>', 'variables, NAME=VALUE a line')
    .option(
      '--secret-env <name>',
      'variable that is kept secret; its value is taken from the environment of this command, or asked for (repeatable)',
      collecting(asIs),
    )
    .option(
      '--mount <src:dst[:ro]>',
      'directory of the node to show in the container (repeatable)',
      collecting(parseMount),
    )
    .option(
      '--sync <dir:dst>',
      'folder here to put on the node before the start, as it is then; .gitignore counts (repeatable)',
      collecting(parseSync),
    )
    .option(
      '--fetch <src:dir>',
      'folder of the node to bring here after the end; {id} and {index} stand for the task and its number in an array (repeatable)',
      collecting(parseFetch),
    )
    .option('--workdir <dir>', 'directory to start in')
    .option('--user <user>', 'user to run as')
    .option('--privileged', 'give the container the rights of the node');
}

function otherOptions(command: Command): Command {
  return command
    .option('--name <name>', 'what to call it')
    .option('--label <name=value>', 'label (repeatable)', collecting(parsePair))
    .option(
      '--script <file>',
      'shell script to run instead of a command; - reads it from standard input',
    )
    .option(
      '--priority <number>',
      'from -100 to 100, larger is sooner',
      reading(wholeNumber(-100, 100)),
    )
    .option('--hold', 'do not start it before it is released')
    .option('--exclusive', 'have the node alone')
    .option('--gang', 'an array, or several targets: all start together, or none')
    .option(
      '--on-node-label <name=value>',
      'only on nodes with this label (repeatable)',
      collecting(parsePair),
    )
    .option('--avoid-node <node>', 'not on this node (repeatable)', collecting(asIs))
    .option('--owner <name>', 'submit in the name of somebody else')
    .option('--keep-failed', 'keep the container when it fails');
}

/**
 * What was asked for, and only that: the core knows the defaults. Reads the files named; takes
 * secret values from the environment or asks for them. Throws UsageError.
 */
export async function readSubmission(
  call: Call<SubmissionOptions>,
  command: readonly string[],
): Promise<Partial<TaskSubmissionInput>> {
  const { options } = call;
  const gpus = gpuRequestOf(options);
  const vessel = vesselOf(options);
  const work = await workOf(call, command);
  const env = await envOf(call);
  const secretEnv = await secretsOf(call);
  return withoutAbsent({
    work,
    vessel,
    gpus,
    env,
    secretEnv,
    targets: copied(options.target),
    cores: options.cores,
    memoryBytes: options.memory,
    mounts: copied(options.mount),
    sync: await syncsOf(call),
    fetch: fetchesOf(call),
    workdir: options.workdir,
    user: options.user,
    privileged: options.privileged,
    name: options.name,
    labels: options.label === undefined ? undefined : recordOf(options.label),
    priority: options.priority,
    hold: options.hold,
    exclusive: options.exclusive,
    gang: options.gang,
    onNodeLabels: options.onNodeLabel === undefined ? undefined : recordOf(options.onNodeLabel),
    avoidNodes: copied(options.avoidNode),
    owner: options.owner,
    keepFailed: options.keepFailed,
    ...readShape(options, call.io.now()),
  });
}

/** Text of a file named on the command line. Throws UsageError when it cannot be read. */
async function readTextFile(call: Call, file: string): Promise<string> {
  try {
    return await readFile(resolve(call.io.cwd, file), 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new UsageError(`${file} cannot be read (${code ?? 'unknown'}).`, { cause });
  }
}

async function workOf(
  call: Call<SubmissionOptions>,
  command: readonly string[],
): Promise<Work | undefined> {
  const { script } = call.options;
  if (script === undefined) {
    return command.length === 0 ? undefined : { kind: 'command', argv: [...command] };
  }
  if (command.length > 0) throw new UsageError('Give a command or --script, not both.');
  const text = script === '-' ? await call.io.readInput() : await readTextFile(call, script);
  if (text === '') throw new UsageError('The script is empty.');
  return { kind: 'script', text };
}

function vesselOf({ container, image, runtime }: SubmissionOptions): Vessel | undefined {
  if (container !== undefined) return { kind: 'environment', name: container };
  if (image !== undefined) return { kind: 'image', reference: image };
  return runtime === undefined ? undefined : { kind: runtime };
}

/** A wish about the GPU without a number means one GPU. */
function gpuRequestOf(options: SubmissionOptions): GpuRequest | undefined {
  const { gpus, gpuModel, gpuMemory } = options;
  if (gpus === undefined && gpuModel === undefined && gpuMemory === undefined) return undefined;
  return {
    count: gpus ?? 1,
    ...(gpuModel === undefined ? {} : { model: gpuModel }),
    ...(gpuMemory === undefined ? {} : { minMemoryBytes: gpuMemory }),
  };
}

async function envOf(call: Call<SubmissionOptions>): Promise<Record<string, string> | undefined> {
  const { env, envFile } = call.options;
  if (env === undefined && envFile === undefined) return undefined;
  const fromFile =
    envFile === undefined ? {} : parseEnvFile(await readTextFile(call, envFile), envFile);
  return { ...fromFile, ...recordOf(env) };
}

/** Values never come from the command line itself: everybody on the computer can read that. */
async function secretsOf(
  call: Call<SubmissionOptions>,
): Promise<Record<string, string> | undefined> {
  const { secretEnv } = call.options;
  if (secretEnv === undefined) return undefined;
  const { env, prompts } = call.io;
  const values: Record<string, string> = {};
  for (const name of secretEnv) {
    if (name.includes('=')) {
      throw new UsageError(
        'Give --secret-env only the name: its value is taken from the environment of this command, where others cannot read it.',
      );
    }
    const value = env[name] ?? (await prompts?.secret(`Value of ${name}`));
    if (value === undefined) {
      throw new UsageError(
        `--secret-env ${name}: there is no variable ${name} in the environment of this command.`,
      );
    }
    values[name] = value;
  }
  return values;
}

/** Folders here become whole paths, as the core is not where the command was typed. */
async function syncsOf(call: Call<SubmissionOptions>): Promise<TaskSync[] | undefined> {
  const { sync } = call.options;
  if (sync === undefined) return undefined;
  refuseElsewhere(call, '--sync');
  const found: TaskSync[] = [];
  for (const { from, to } of sync) {
    const path = resolve(call.io.cwd, from);
    const isFolder = await stat(path).then(
      (there) => there.isDirectory(),
      () => false,
    );
    if (!isFolder) throw new UsageError(`--sync: there is no folder ${path}.`);
    found.push({ from: path, to });
  }
  return found;
}

function fetchesOf(call: Call<SubmissionOptions>): TaskFetch[] | undefined {
  const { fetch } = call.options;
  if (fetch === undefined) return undefined;
  refuseElsewhere(call, '--fetch');
  return fetch.map(({ from, to }) => ({ from, to: resolve(call.io.cwd, to) }));
}

function refuseElsewhere(call: Call, option: string): void {
  if (!call.isElsewhere) return;
  throw new UsageError(
    `${option} is about folders of the computer of the core, and that is another one.`,
  );
}

function copied<T>(list: readonly T[] | undefined): T[] | undefined {
  return list === undefined ? undefined : [...list];
}

type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function withoutAbsent<T extends object>(fields: T): Given<T> {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as Given<T>;
}
