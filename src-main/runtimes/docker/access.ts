// Going into containers that are there: programs, files, addresses. What may be gone into is the
// caller's to decide; `look` says whose a container is.
import type Dockerode from 'dockerode';
import { z } from 'zod';
import type { CoreId } from '../../contract/ids.ts';
import type { RemoteProcess } from '../../link/node-link.ts';
import {
  ContainerNotFoundError,
  DockerConnectionError,
  fromDocker,
  readComplaint,
} from './errors.ts';
import {
  containerHas,
  execInContainer,
  signalMarked,
  type ExecOptions,
  type ExecParts,
} from './exec.ts';
import { managedLabel, readLabels } from './labels.ts';

export interface ContainerLook {
  readonly isRunning: boolean;
  readonly isPaused: boolean;
  /** It carries this core's label. */
  readonly isOurs: boolean;
  /** Where it answers on the node; null without a network of its own, or while stopped. */
  readonly address: string | null;
}

export interface ContainerAccess {
  /** Throws ContainerNotFoundError. */
  look(container: string): Promise<ContainerLook>;
  /** Throws DockerError; a container that is stopped or paused is `docker/container-execution`. */
  exec(container: string, options: ExecOptions): Promise<RemoteProcess>;
  /** Signals what was started under a mark; what is gone already is success. */
  signalMarked(container: string, options: { mark: string; signal: string }): Promise<void>;
  /** Whether there is something at this path, running or not. */
  has(container: string, path: string): Promise<boolean>;
}

const lookReply = z.object({
  State: z.object({ Running: z.boolean(), Paused: z.boolean().nullish() }),
  Config: z.object({ Labels: z.record(z.string(), z.string()).nullish() }),
  HostConfig: z.object({ NetworkMode: z.string().max(300).nullish() }),
  NetworkSettings: z
    .object({
      IPAddress: z.string().max(64).nullish(),
      Networks: z
        .record(z.string(), z.object({ IPAddress: z.string().max(64).nullish() }))
        .nullish(),
    })
    .nullish(),
});

export function containerAccess(parts: ExecParts, core: CoreId): ContainerAccess {
  const { docker } = parts;
  return {
    look: (container) => look(docker, container, core),
    exec: (container, options) => execInContainer(parts, container, options),
    signalMarked: (container, options) => signalMarked(docker, container, options),
    has: (container, path) => containerHas(docker, container, path),
  };
}

async function look(docker: Dockerode, container: string, core: CoreId): Promise<ContainerLook> {
  const reply = lookReply.safeParse(await inspect(docker, container));
  if (!reply.success) {
    throw new DockerConnectionError(`The Engine's description of ${container} makes no sense.`, {
      cause: reply.error,
    });
  }
  const { State, Config, HostConfig, NetworkSettings } = reply.data;
  const labels = Config.Labels ?? {};
  return {
    isRunning: State.Running,
    isPaused: State.Paused === true,
    isOurs: labels[managedLabel] === 'true' && readLabels(labels).core === core,
    address:
      HostConfig.NetworkMode === 'host' && State.Running
        ? '127.0.0.1'
        : addressOf(NetworkSettings ?? {}),
  };
}

type Networks = NonNullable<z.infer<typeof lookReply>['NetworkSettings']>;

function addressOf({ IPAddress, Networks }: Networks): string | null {
  const all = [IPAddress, ...Object.values(Networks ?? {}).map((network) => network.IPAddress)];
  return all.find((address) => address !== undefined && address !== null && address !== '') ?? null;
}

async function inspect(docker: Dockerode, container: string): Promise<unknown> {
  try {
    return await docker.getContainer(container).inspect();
  } catch (error) {
    if (readComplaint(error).status !== 404) throw fromDocker(error, { kind: 'other', container });
    throw new ContainerNotFoundError(`There is no container ${container} on the node.`, {
      cause: error,
      details: { container },
    });
  }
}
