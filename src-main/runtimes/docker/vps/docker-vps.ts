// What can be done with the VPSes of a node's Engine (runtimes/vps-engine.ts).
import type { Readable } from 'node:stream';
import type Dockerode from 'dockerode';
import { z } from 'zod';
import type { CoreId, TaskId } from '../../../contract/ids.ts';
import type {
  InsideResult,
  SnapshotInfo,
  VpsEngine,
  VpsLimits,
  VpsLook,
  VpsUseSample,
} from '../../vps-engine.ts';
import { ContainerNotFoundError, fromDocker } from '../errors.ts';
import { containerName } from '../labels.ts';
import type { FoundContainer } from '../observed.ts';
import { runInside } from './inside.ts';
import { remakeFrom, settleAside } from './restore.ts';
import {
  commitVps,
  listSnapshots,
  loadSnapshot,
  removeSnapshot,
  saveSnapshot,
  snapshotRepository,
} from './snapshots.ts';
import { measureUse } from './use.ts';
import { findVps, setLimits } from './vps-container.ts';

const port = z.object({ HostIp: z.string().max(64), HostPort: z.string().max(8) });
const lookReply = z.object({
  RestartCount: z.number().int().nonnegative(),
  State: z.object({
    Running: z.boolean(),
    Paused: z.boolean(),
    Restarting: z.boolean(),
    ExitCode: z.number().int(),
    StartedAt: z.string().max(64),
    FinishedAt: z.string().max(64),
  }),
  NetworkSettings: z.object({
    Ports: z.record(z.string().max(32), z.array(port).nullish()).nullish(),
    Networks: z.record(z.string(), z.object({ IPAddress: z.string().max(64).nullish() })).nullish(),
  }),
});

export class DockerVps implements VpsEngine {
  readonly #docker: Dockerode;
  readonly #core: CoreId;

  constructor(docker: Dockerode, core: CoreId) {
    this.#docker = docker;
    this.#core = core;
  }

  async look(id: TaskId): Promise<VpsLook | undefined> {
    const found = await findVps(this.#docker, this.#core, { taskId: id });
    if (found === undefined) return undefined;
    try {
      const reply = lookReply.parse(await this.#docker.getContainer(found.id).inspect());
      return toLook(found, reply);
    } catch (error) {
      throw fromDocker(error, { kind: 'other', container: found.name });
    }
  }

  async runInside(
    id: TaskId,
    argv: readonly string[],
    options: { readonly stdin?: string; readonly signal: AbortSignal },
  ): Promise<InsideResult> {
    return runInside(this.#docker, await this.#found(id), { argv, ...options });
  }

  async use(id: TaskId): Promise<VpsUseSample | undefined> {
    return measureUse(this.#docker, await this.#found(id));
  }

  async setLimits(id: TaskId, limits: VpsLimits): Promise<void> {
    await setLimits(this.#docker, await this.#found(id), limits);
  }

  async output(id: TaskId, lines: number): Promise<string> {
    const found = await this.#found(id);
    try {
      const reply: unknown = await this.#docker
        .getContainer(found.id)
        .logs({ stdout: true, stderr: true, tail: lines, follow: false });
      return plainText(Buffer.isBuffer(reply) ? reply : Buffer.from(String(reply)));
    } catch (error) {
      throw fromDocker(error, { kind: 'other', container: found.name });
    }
  }

  snapshots(id: TaskId): Promise<readonly SnapshotInfo[]> {
    return listSnapshots(this.#docker, id);
  }

  async takeSnapshot(
    id: TaskId,
    options: { tag: string; note: string; secretNames: readonly string[] },
  ): Promise<void> {
    await commitVps(this.#docker, await this.#found(id), { id, ...options });
  }

  removeSnapshot(id: TaskId, tag: string): Promise<'removed' | 'in-use'> {
    return removeSnapshot(this.#docker, id, tag);
  }

  async restore(id: TaskId, tag: string): Promise<void> {
    await settleAside(this.#docker, this.#core, id);
    const image = `${snapshotRepository(id)}:${tag}`;
    await remakeFrom(this.#docker, await this.#found(id), { id, image });
  }

  saveSnapshot(id: TaskId, tag: string): Promise<Readable> {
    return saveSnapshot(this.#docker, id, tag);
  }

  loadSnapshot(from: Readable): Promise<void> {
    return loadSnapshot(this.#docker, from);
  }

  async #found(id: TaskId): Promise<FoundContainer> {
    const found = await findVps(this.#docker, this.#core, { taskId: id });
    if (found !== undefined) return found;
    throw new ContainerNotFoundError(
      `The container ${containerName('vps', id)} is not on the node.`,
      { details: { taskId: id } },
    );
  }
}

function toLook(found: FoundContainer, reply: z.infer<typeof lookReply>): VpsLook {
  const { State: state, NetworkSettings: network } = reply;
  const finishedAt = Date.parse(state.FinishedAt);
  const startedAt = Date.parse(state.StartedAt);
  const addresses = Object.values(network.Networks ?? {}).map(({ IPAddress }) => IPAddress ?? '');
  return {
    containerId: found.id,
    containerName: found.name,
    isRunning: state.Running && !state.Restarting,
    isPaused: state.Paused,
    isRestarting: state.Restarting,
    restarts: reply.RestartCount,
    lastExitCode: finishedAt > 0 ? state.ExitCode : null,
    startedAt: startedAt > 0 ? startedAt : null,
    ip: addresses.find((address) => address !== '') ?? null,
    ports: publishedPorts(network.Ports ?? {}),
  };
}

function publishedPorts(
  ports: Record<string, readonly z.infer<typeof port>[] | null | undefined>,
): VpsLook['ports'] {
  return Object.entries(ports).flatMap(([inside, bindings]) => {
    const [container = '', protocol = 'tcp'] = inside.split('/');
    return (bindings ?? []).map(({ HostIp, HostPort }) => ({
      container: Number(container),
      protocol,
      address: HostIp,
      host: Number(HostPort),
    }));
  });
}

/** The Engine's frames (8 bytes of head each) without their heads. */
function plainText(framed: Buffer): string {
  const parts: Buffer[] = [];
  for (let at = 0; at + 8 <= framed.length;) {
    const length = framed.readUInt32BE(at + 4);
    parts.push(framed.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  return Buffer.concat(parts).toString();
}
