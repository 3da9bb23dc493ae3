// A container as the Engine describes it, read as an attempt. Everything here came from the node.
import { z } from 'zod';
import type { Instant } from '../../contract/ids.ts';
import type { ObservedAttempt } from '../runtime.ts';
import { signalOfExitCode } from '../signals.ts';
import { readLabels, type ReadLabels } from './labels.ts';

const text = z.string().max(64 * 1024);

/** What is read of `GET /containers/{id}/json`. */
export const containerReply = z.object({
  Id: z.string().regex(/^[a-f0-9]{64}$/),
  Name: z.string().max(300),
  Image: z.string().max(300),
  Path: text.nullish(),
  State: z.object({
    Status: z.string().max(32),
    OOMKilled: z.boolean(),
    ExitCode: z.number().int(),
    Error: text,
    StartedAt: z.string().max(64),
    FinishedAt: z.string().max(64),
  }),
  Config: z.object({ Labels: z.record(z.string(), z.string()).nullish() }),
  HostConfig: z.object({
    NanoCpus: z.number().nullish(),
    CpusetCpus: z.string().max(4096).nullish(),
    Memory: z.number().nullish(),
    DeviceRequests: z
      .array(z.object({ DeviceIDs: z.array(z.string().max(128)).max(64).nullish() }))
      .max(64)
      .nullish(),
  }),
});
export type ContainerReply = z.infer<typeof containerReply>;

/** A container with what its labels say. */
export interface FoundContainer {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly labels: ReadLabels;
  readonly attempt: ObservedAttempt;
}

/** Reads a container. */
export function toFound(reply: ContainerReply): FoundContainer {
  const labels = readLabels(reply.Config.Labels ?? {});
  const name = reply.Name.replace(/^\//, '');
  const attempt: ObservedAttempt = {
    core: labels.core,
    taskId: labels.taskId,
    attempt: labels.attempt,
    runtime: 'docker',
    name,
    condition: conditionOf(reply),
    uses: usesOf(reply, labels),
    owner: labels.owner,
    imageDigest: labels.imageDigest ?? reply.Image,
  };
  return { id: reply.Id, name, status: reply.State.Status, labels, attempt };
}

function conditionOf(reply: ContainerReply): ObservedAttempt['condition'] {
  const { Status: status, StartedAt } = reply.State;
  const startedAt = instantOf(StartedAt);
  switch (status) {
    case 'created':
      return { kind: 'created' };
    case 'running':
    case 'restarting':
      return { kind: 'running', startedAt: startedAt ?? 0 };
    case 'paused':
      return { kind: 'paused', startedAt: startedAt ?? 0 };
    default:
      // exited, dead, removing: nothing of it runs any more.
      return endedCondition(reply, startedAt);
  }
}

function endedCondition(
  reply: ContainerReply,
  startedAt: Instant | null,
): ObservedAttempt['condition'] {
  const { ExitCode: exitCode, OOMKilled: oomKilled, FinishedAt } = reply.State;
  return {
    kind: 'ended',
    startedAt,
    finishedAt: instantOf(FinishedAt) ?? startedAt ?? 0,
    end: { exitCode, signal: signalOfExitCode(exitCode), oomKilled },
    problem: problemOf(reply),
  };
}

/** The init that runs the work answers 127 and 126 for it, as a shell does; nothing else tells. */
function problemOf(reply: ContainerReply): string | null {
  const { ExitCode: exitCode, Error: error } = reply.State;
  if (error !== '') return error.slice(0, 600);
  const program = (reply.Path ?? '').slice(0, 200);
  if (exitCode === 127) {
    return `Exit code 127: ${program} was not found in the image, or itself found no command.`;
  }
  if (exitCode === 126) return `Exit code 126: ${program} could not be executed.`;
  return null;
}

function usesOf(reply: ContainerReply, labels: ReadLabels): ObservedAttempt['uses'] {
  const { NanoCpus, CpusetCpus, Memory, DeviceRequests } = reply.HostConfig;
  const limited = Math.ceil((NanoCpus ?? 0) / 1e9) || cpuCount(CpusetCpus ?? '');
  const requested = (DeviceRequests ?? []).flatMap((request) => request.DeviceIDs ?? []);
  return {
    cores: labels.cores ?? Math.max(1, limited),
    memoryBytes: labels.memoryBytes ?? Math.max(0, Memory ?? 0),
    gpuUuids: labels.gpuUuids ?? requested,
  };
}

/** How many CPUs a list such as `0-3,8` names. */
function cpuCount(list: string): number {
  return list.split(',').reduce((count, part) => {
    const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part);
    if (match === null) return count;
    const first = Number(match[1]);
    return count + Math.max(0, Number(match[2] ?? first) - first + 1);
  }, 0);
}

/** The Engine's times are RFC 3339; the year 1 means never. */
function instantOf(time: string): Instant | null {
  const ms = Date.parse(time);
  return Number.isNaN(ms) || ms <= 0 ? null : ms;
}
