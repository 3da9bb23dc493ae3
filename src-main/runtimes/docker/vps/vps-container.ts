// The one container of a VPS: found by the task alone, made once, started again and again.
import type Dockerode from 'dockerode';
import type { CoreId } from '../../../contract/ids.ts';
import { hasOwnBoot } from '../../../domain/vps/boot.ts';
import type { AttemptRef, AttemptSpec, ObservedAttempt } from '../../runtime.ts';
import type { VpsLimits } from '../../vps-engine.ts';
import { inspectContainer } from '../containers.ts';
import {
  ContainerNotFoundError,
  fromDocker,
  NameTakenError,
  readComplaint,
  ResourceAllocationError,
} from '../errors.ts';
import { containerName } from '../labels.ts';
import { settleAside } from './restore.ts';
import type { FoundContainer } from '../observed.ts';

/** A VPS to be found: by name, and by labels that say it is this core's. */
export type VpsRef = Pick<AttemptRef, 'taskId'> & Partial<AttemptRef>;

/** This core's container of a VPS; undefined when there is none under its name. */
export async function findVps(
  docker: Dockerode,
  core: CoreId,
  ref: VpsRef,
): Promise<FoundContainer | undefined> {
  const found = await inspectContainer(docker, containerName('vps', ref.taskId));
  if (found?.labels.core !== core || found.labels.taskId !== ref.taskId) return undefined;
  return { ...found, attempt: asAttempt(found.attempt, ref) };
}

/** As the attempt sees it: a run that was settled with an earlier attempt is none of its own. */
function asAttempt(observed: ObservedAttempt, { attempt = 0, vps }: VpsRef): ObservedAttempt {
  const { condition } = observed;
  const isOld =
    condition.kind === 'ended' &&
    (condition.startedAt === null || condition.startedAt === vps?.lastRun);
  return { ...observed, attempt, condition: isOld ? { kind: 'created' } : condition };
}

export interface VpsMaking {
  readonly docker: Dockerode;
  readonly core: CoreId;
  readonly config: Dockerode.ContainerCreateOptions;
}

/**
 * Makes sure that the container of a VPS is there as it is asked for now. One that is there keeps
 * its disk and gets the limits of now. Throws ContainerNotFoundError when its disk is gone.
 */
export async function ensureVps(spec: AttemptSpec, making: VpsMaking): Promise<void> {
  const { docker, core, config } = making;
  await settleAside(docker, core, spec.taskId);
  const found = await findVps(docker, core, spec);
  if (found !== undefined) {
    await adjust(spec, found, docker);
    return;
  }
  if (spec.vps?.hasDisk === true) {
    throw new ContainerNotFoundError(
      `The container ${config.name ?? ''} is not on the node any more, and its disk went with it. Somebody removed it there. Starting again makes a new one from the image.`,
    );
  }
  await create(docker, config);
  if (!hasOwnBoot(spec.work) || (await hasShell(docker, config.name ?? ''))) return;
  // Nothing in it can run our boot script: what the image runs by itself has to do.
  await docker.getContainer(config.name ?? '').remove({ v: true });
  const { Entrypoint: _entrypoint, Cmd: _cmd, ...plain } = config;
  await create(docker, plain);
}

async function create(docker: Dockerode, config: Dockerode.ContainerCreateOptions): Promise<void> {
  try {
    await docker.createContainer(config);
  } catch (error) {
    const name = config.name ?? '';
    const complaint = readComplaint(error);
    if (complaint.status === 409) {
      throw new NameTakenError(
        `A container named ${name} is on the node and is not this VPS. It was left alone.`,
        { cause: error },
      );
    }
    if (/no command specified/i.test(complaint.text)) {
      throw new ResourceAllocationError(
        'The image has no shell and no program of its own: nothing in it can be kept running. Take an image with a shell.',
        { cause: error },
      );
    }
    throw fromDocker(error, { kind: 'create', container: name });
  }
}

async function hasShell(docker: Dockerode, name: string): Promise<boolean> {
  try {
    await docker.getContainer(name).infoArchive({ path: '/bin/sh' });
    return true;
  } catch (error) {
    if (readComplaint(error).status === 404) return false;
    throw fromDocker(error, { kind: 'other', container: name });
  }
}

async function adjust(spec: AttemptSpec, found: FoundContainer, docker: Dockerode): Promise<void> {
  const wired = [...(found.labels.gpuUuids ?? [])].sort().join();
  const wanted = spec.gpus
    .map((gpu) => gpu.uuid)
    .sort()
    .join();
  if (wired !== wanted) {
    throw new ResourceAllocationError(
      'Its container was made with other GPUs than those that are free now. Take a snapshot and make a new VPS from it, or start it when its own GPUs are free.',
    );
  }
  if (found.status === 'running' || found.status === 'paused') return;
  await setLimits(docker, found, spec);
}

/** Changes the limits of a container. The Engine takes 0 for «as it is», so no limit is the node's all. */
export async function setLimits(
  docker: Dockerode,
  found: FoundContainer,
  limits: VpsLimits,
): Promise<void> {
  try {
    const info = (await docker.info()) as { NCPU?: number; MemTotal?: number };
    const memory = limits.memoryBytes ?? info.MemTotal ?? 0;
    await docker.getContainer(found.id).update({
      NanoCpus: (limits.cores === 0 ? (info.NCPU ?? 1) : limits.cores) * 1e9,
      ...(memory === 0 ? {} : { Memory: memory, MemorySwap: memory }),
    });
  } catch (error) {
    const { text } = readComplaint(error);
    if (/device or resource busy|minimum memory limit|range of cpus/i.test(text)) {
      throw new ResourceAllocationError(
        `The limit cannot be set: more than that is in use, or it is out of range (${text}).`,
        { cause: error },
      );
    }
    throw fromDocker(error, { kind: 'other', container: found.name });
  }
}

/** Stops it so that the Engine knows it was meant: a reboot of the node does not start it again. */
export async function stopVps(
  docker: Dockerode,
  found: FoundContainer,
  graceMs: number,
): Promise<boolean> {
  const container = docker.getContainer(found.id);
  try {
    if (found.status === 'paused') await container.unpause();
    await container.stop({ t: Math.ceil(graceMs / 1000) });
    return true;
  } catch (error) {
    const { status, text } = readComplaint(error);
    // 304: it did not run.
    if (status === 304 || status === 404 || /not running|not paused/i.test(text)) return false;
    throw fromDocker(error, { kind: 'other', container: found.name });
  }
}
