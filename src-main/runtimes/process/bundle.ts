// What is sent to a node to make an attempt: its description, its variables and its run.sh.
import type { CoreId, Instant } from '../../contract/ids.ts';
import { exportsForShell, quoteForShell } from '../../link/quote.ts';
import { argvOf } from '../argv.ts';
import type { AttemptSpec, ObservedAttempt } from '../runtime.ts';
import { ProcessUnsupportedError } from './errors.ts';
import type { RunnerOrder } from './runner.ts';

export interface BundleOptions {
  readonly core: CoreId;
  /** systemd-run is there and usable. */
  readonly limits: boolean;
  /** When it is ordered: times on the node are counted from here. */
  readonly now: Instant;
}

/** The words of process-launch.sh for one attempt. Throws ProcessUnsupportedError for what needs a container. */
export function attemptWords(spec: AttemptSpec, options: BundleOptions): string[] {
  refuseContainerWishes(spec);
  return [
    spec.taskId,
    String(spec.attempt),
    launchWords(spec, options.limits),
    metaLines(spec, options.core).join('\n'),
    exportsForShell({ ...spec.env, ...gpuEnvironment(spec) }),
    runScriptHead(spec, options),
  ];
}

function refuseContainerWishes(spec: AttemptSpec): void {
  const wish =
    spec.mounts.length > 0 ? 'mounts' : spec.user !== null ? 'a user of its own' : undefined;
  if (wish === undefined) return;
  throw new ProcessUnsupportedError(
    `A plain process cannot have ${wish}. Leave that out, or choose an image or environment.`,
    { details: { wish } },
  );
}

/** These fork and end at once when they lead their group already, as the work of the runner does. */
const makesSession = /\b(?:setsid|daemonize|daemon|start-stop-daemon)\b/;

/**
 * What process-runner.py is told; undefined for an attempt that needs more than being started: limits,
 * places or a session of its own. Throws like `attemptWords`, for the same.
 */
export function runnerOrder(spec: AttemptSpec, options: BundleOptions): RunnerOrder | undefined {
  if (launchWords(spec, options.limits) !== 'sh' || spec.numa !== null) return undefined;
  const argv = argvOf(spec.work);
  if (argv.some((word) => makesSession.test(word))) return undefined;
  // The shell that holds the work until it is recorded would load what is meant for the work.
  if (Object.keys(spec.env).some((name) => name.startsWith('LD_'))) return undefined;
  return {
    path: `${spec.taskId}/${String(spec.attempt)}`,
    meta: metaLines(spec, options.core).join('\n'),
    env: { ...spec.env, ...gpuEnvironment(spec) },
    argv,
    workdir: spec.workdir,
    at: Math.floor(options.now),
  };
}

/** What an attempt holds on its node. */
export function usesOf(spec: AttemptSpec): ObservedAttempt['uses'] {
  return {
    cores: Math.max(1, spec.cores),
    memoryBytes: spec.memoryBytes ?? 0,
    gpuUuids: spec.gpus.map((gpu) => gpu.uuid),
  };
}

/** Read back by parseRecords; one value a line. */
function metaLines(spec: AttemptSpec, core: CoreId): string[] {
  const uses = usesOf(spec);
  const values = {
    core,
    task: spec.taskId,
    attempt: String(spec.attempt),
    type: spec.taskType,
    owner: spec.owner.replace(/[\r\n]/g, ' '),
    cores: String(uses.cores),
    memory: String(uses.memoryBytes),
    gpus: uses.gpuUuids.join(','),
  };
  return Object.entries(values).map(([key, value]) => `${key}=${value}`);
}

/** The variables by which CUDA and HIP see just the GPUs that are held; none for a task without. */
export function gpuEnvironment(spec: Pick<AttemptSpec, 'env' | 'gpus'>): Record<string, string> {
  const nvidia = spec.gpus.filter((gpu) => gpu.vendor === 'nvidia').map((gpu) => gpu.uuid);
  const amd = spec.gpus.filter((gpu) => gpu.vendor === 'amd').map((gpu) => String(gpu.index));
  const hidden = (name: string) => (name in spec.env ? {} : { [name]: '' });
  return {
    ...(nvidia.length === 0
      ? hidden('CUDA_VISIBLE_DEVICES')
      : { CUDA_VISIBLE_DEVICES: nvidia.join(','), NVIDIA_VISIBLE_DEVICES: nvidia.join(',') }),
    ...(amd.length === 0 ? hidden('HIP_VISIBLE_DEVICES') : { HIP_VISIBLE_DEVICES: amd.join(',') }),
  };
}

/** Shell words that run.sh is started with; `$user_flag` is set by process-launch.sh. */
export function launchWords(spec: AttemptSpec, hasLimits: boolean): string {
  const limits = [
    ...(spec.cores === 0 ? [] : ['-p', `CPUQuota=${String(spec.cores * 100)}%`]),
    ...(spec.memoryBytes === null
      ? []
      : ['-p', `MemoryMax=${String(spec.memoryBytes)}`, '-p', 'MemorySwapMax=0']),
  ];
  if (!hasLimits || limits.length === 0) return 'sh';
  const unit = `--unit=kohakuriver-task-${spec.taskId}-${String(spec.attempt)}`;
  return `systemd-run $user_flag --scope --quiet --collect ${unit} ${limits.join(' ')} -- sh`;
}

/** How its run.sh begins; process-wrapper.sh is the rest. */
function runScriptHead(spec: AttemptSpec, options: BundleOptions): string {
  const isLimited = launchWords(spec, options.limits) !== 'sh';
  const workdir = spec.workdir === null ? '"$HOME"' : quoteForShell([spec.workdir]);
  return `#!/bin/sh
kr_dir=\${0%/*}
kr_events=\${kr_dir%/tasks/*}/events-${options.core}-
kr_starter=$1
kr_id=${spec.taskId}
kr_attempt=${String(spec.attempt)}
kr_at=${String(Math.floor(options.now))}
kr_workdir=${workdir}
kr_limited=${isLimited ? '1' : '0'}
kr_cpus=${spec.numa === null ? "''" : spec.numa.cpus.join(',')}
kr_memory_node=${String(spec.numa?.id ?? 0)}
set -- ${quoteForShell(argvOf(spec.work))}`;
}
