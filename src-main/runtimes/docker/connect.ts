// Finding the way to the Engine of a node, and saying what is wrong where there is none.
import Dockerode from 'dockerode';
import { z } from 'zod';
import { AppError } from '../../contract/errors.ts';
import type { NodeFacts } from '../../contract/node.ts';
import type { NodeLink } from '../../link/node-link.ts';
import { readNodeScript } from '../node-scripts.ts';
import { dialDoor, LinkAgent, type DockerDoor } from './agent.ts';
import {
  DockerAbsentError,
  DockerConnectionError,
  DockerDeniedError,
  fromDocker,
} from './errors.ts';

/** The Engine as the node's facts show it. */
export type DockerFacts = NonNullable<NodeFacts['docker']>;

/** A node's Engine that answered, and how it was reached. */
export interface DockerConnection {
  readonly facts: DockerFacts;
  readonly door: DockerDoor;
  /** Memory of the node as the Engine counts it. */
  readonly memoryBytes: number;
}

export interface ConnectOptions {
  /** Sockets to try before any other, for instance from DOCKER_HOST on this computer. */
  readonly sockets?: readonly string[];
}

const usualSocket = '/var/run/docker.sock';

/**
 * Reaches the node's Engine: the usual socket, one of `options.sockets`, a rootless or Desktop
 * socket, or `docker system dial-stdio` where forwarding is refused. Throws DockerAbsentError,
 * DockerDeniedError (with the exact command that helps) or DockerConnectionError.
 */
export async function connectDocker(
  link: NodeLink,
  options: ConnectOptions = {},
): Promise<DockerConnection> {
  const sockets = [...new Set([...(options.sockets ?? []), usualSocket])];
  let refused: unknown;
  for (const path of sockets) {
    try {
      return await greet(link, { kind: 'socket', path });
    } catch (error) {
      refused = error;
    }
  }
  // Only now ask the shell: where it hangs (a .bashrc), Docker over the usual socket still works.
  return lookFurther(link, sockets, refused);
}

/** A client for the Engine behind a door. Closing the agent ends its idle connections. */
export function engineClient(
  link: NodeLink,
  door: DockerDoor,
): { docker: Dockerode; agent: LinkAgent } {
  const agent = new LinkAgent(link, door);
  // dockerode reads DOCKER_* of our own environment; everything it could take from there is set.
  const options = {
    agent,
    host: 'docker',
    port: 80,
    protocol: 'http' as const,
    pathPrefix: '/',
    timeout: undefined as unknown as number,
  };
  return { docker: new Dockerode(options), agent };
}

const versionReply = z.object({ Version: z.string().max(100), ApiVersion: z.string().max(20) });
const infoReply = z.object({
  Runtimes: z.record(z.string(), z.unknown()).nullish(),
  CgroupVersion: z.string().max(10).nullish(),
  MemTotal: z.number().nonnegative().nullish(),
  DiscoveredDevices: z.array(z.object({ ID: z.string() })).nullish(),
});

async function greet(link: NodeLink, door: DockerDoor): Promise<DockerConnection> {
  // One connection by hand first: its error says more than what HTTP makes of it.
  const greeting = await dialDoor(link, door);
  // Breaking it off is no failure, though some streams say so.
  greeting.on('error', () => undefined);
  greeting.destroy();
  const { docker, agent } = engineClient(link, door);
  try {
    const [rawVersion, rawInfo, hasHook] = await Promise.all([
      docker.version(),
      docker.info() as Promise<unknown>,
      hasGpuHook(link),
    ]);
    const version = versionReply.parse(rawVersion);
    const info = infoReply.parse(rawInfo);
    return {
      door,
      memoryBytes: info.MemTotal ?? 0,
      facts: {
        version: version.Version,
        apiVersion: version.ApiVersion,
        cgroupVersion: info.CgroupVersion ?? null,
        gpuRuntime: 'nvidia' in (info.Runtimes ?? {}) || hasNvidiaDevice(info) || hasHook,
      },
    };
  } catch (error) {
    throw error instanceof z.ZodError
      ? new DockerConnectionError('What answers on the Docker socket is not a Docker Engine.', {
          cause: error,
          retry: 'after-user-action',
        })
      : fromDocker(error, { kind: 'ask' });
  } finally {
    agent.destroy();
  }
}

function hasNvidiaDevice(info: z.infer<typeof infoReply>): boolean {
  return (info.DiscoveredDevices ?? []).some((device) => device.ID.startsWith('nvidia.com/gpu'));
}

/** The Engine hands out NVIDIA GPUs by itself where this hook was on its PATH when it started. */
async function hasGpuHook(link: NodeLink): Promise<boolean> {
  try {
    const script = 'PATH=$PATH:/usr/sbin:/usr/local/bin; command -v nvidia-container-runtime-hook';
    return (await link.runScript(script, [], { timeoutMs: 5000 })).exitCode === 0;
  } catch (error) {
    // Without a shell the Engine's own word has to do.
    if (error instanceof AppError) return false;
    throw error;
  }
}

/** What resources/node/docker-look.sh found. */
export interface DockerLook {
  readonly user: string;
  readonly hasCli: boolean;
  readonly hasEngine: boolean;
  readonly sockets: readonly { readonly path: string; readonly isUsable: boolean }[];
}

/** Reads the script's lines; what it does not know is passed over. */
export function readLook(output: string): DockerLook {
  const lines = output.split('\n').map((line) => line.split('\t'));
  const words = (key: string) =>
    lines.filter(([name]) => name === key).map(([, value]) => value ?? '');
  const socketLines = lines.filter(([name, , path]) => name === 'socket' && path?.startsWith('/'));
  return {
    user: words('user')[0]?.slice(0, 64) ?? 'USER',
    hasCli: words('cli')[0] === 'yes',
    hasEngine: words('engine')[0] === 'yes',
    sockets: socketLines
      .slice(0, 16)
      .map(([, rights, path]) => ({ path: path ?? '', isUsable: rights === 'usable' })),
  };
}

async function lookFurther(
  link: NodeLink,
  tried: readonly string[],
  refused: unknown,
): Promise<DockerConnection> {
  const look = await lookAround(link, refused);
  for (const { path } of look.sockets.filter((socket) => socket.isUsable)) {
    if (tried.includes(path)) continue;
    const found = await attempt(() => greet(link, { kind: 'socket', path }));
    if (found !== undefined) return found;
  }
  const isForwardingRefused = look.sockets.some((socket) => socket.isUsable);
  if (look.hasCli && isForwardingRefused) {
    const found = await attempt(() => greet(link, { kind: 'dial-stdio' }));
    if (found !== undefined) return found;
  }
  throw whyNot(look, refused);
}

async function lookAround(link: NodeLink, refused: unknown): Promise<DockerLook> {
  try {
    const result = await link.runScript(readNodeScript('docker-look.sh'), [], {
      timeoutMs: 10_000,
    });
    return readLook(result.stdout.toString());
  } catch (error) {
    throw new DockerConnectionError(
      'The Docker socket cannot be reached, and the node did not answer why.',
      { cause: new AggregateError([refused, error]) },
    );
  }
}

async function attempt<T>(action: () => Promise<T>): Promise<T | undefined> {
  try {
    return await action();
  } catch (error) {
    // The reason told in the end is the one of the usual socket.
    if (error instanceof AppError) return undefined;
    throw error;
  }
}

/** The error for a node on which no way to the Engine was found. */
export function whyNot(look: DockerLook, cause: unknown): Error {
  const denied = look.sockets.find((socket) => !socket.isUsable);
  if (denied !== undefined && !look.sockets.some((socket) => socket.isUsable)) {
    return new DockerDeniedError(
      `${look.user} may not use Docker here. On the node run: sudo usermod -aG docker ${look.user} (and connect again).`,
      { cause, details: { socket: denied.path, user: look.user } },
    );
  }
  if (look.sockets.length === 0 && !look.hasEngine && !look.hasCli) {
    return new DockerAbsentError(
      'There is no Docker on this node. Install it, for instance with: curl -fsSL https://get.docker.com | sh',
      { cause },
    );
  }
  return new DockerConnectionError(
    'Docker is installed, and its Engine does not answer. Start it, for instance with: sudo systemctl start docker',
    { cause, retry: 'after-user-action' },
  );
}
