import type Dockerode from 'dockerode';
import type { CoreId } from '../../contract/ids.ts';
import { argvOf } from '../argv.ts';
import type { AttemptSpec } from '../runtime.ts';
import { containerName, labelsOf } from './labels.ts';

/** What only the node knows about itself. */
export interface ContainerSurroundings {
  readonly core: CoreId;
  /** As the user wrote it. */
  readonly imageReference: string;
  /** The registry's digest, or the ID of an image made on the node. */
  readonly imageDigest: string;
  /** `sha256:…`, what is really run. */
  readonly imageId: string;
  /** Of the node; a task without a limit may use half of it as shared memory, as on the node itself. */
  readonly nodeMemoryBytes: number;
  readonly amdDevices: readonly AmdDevice[];
}

/** The render device of an AMD GPU and the groups that may open it. */
export interface AmdDevice {
  readonly path: string;
  readonly groupIds: readonly number[];
}

/** The Engine's own default. */
const leastShmBytes = 64 * 1024 * 1024;
/** With four full files kept beside the one being written, the buffer is really available. */
const logFiles = 5;
const leastLogFileBytes = 1024 * 1024;

/**
 * The Engine's request for an attempt. The argument vector replaces ENTRYPOINT and CMD of the image:
 * what was asked for is exactly what runs, under an init that reaps and passes signals on.
 */
export function containerConfig(
  spec: AttemptSpec,
  around: ContainerSurroundings,
): Dockerode.ContainerCreateOptions {
  const [program, ...args] = argvOf(spec.work);
  return {
    name: containerName(spec.taskType, spec.taskId),
    Image: around.imageId,
    Entrypoint: [program],
    Cmd: args,
    Env: environment(spec),
    Labels: labelsOf(around.core, spec, {
      reference: around.imageReference,
      digest: around.imageDigest,
    }),
    AttachStdin: false,
    OpenStdin: false,
    Tty: false,
    // A health check of the image would run beside the task, on what the task holds.
    Healthcheck: { Test: ['NONE'] },
    ...(spec.workdir === null ? {} : { WorkingDir: spec.workdir }),
    ...(spec.user === null ? {} : { User: spec.user }),
    ...vpsIdentity(spec),
    HostConfig: hostConfig(spec, around),
  };
}

function hostConfig(spec: AttemptSpec, around: ContainerSurroundings): Dockerode.HostConfig {
  return {
    Init: true,
    // A VPS comes back with its node, unless it was stopped.
    RestartPolicy: { Name: spec.vps === undefined ? 'no' : 'unless-stopped' },
    Privileged: spec.privileged,
    LogConfig: logConfig(spec.logBufferBytes),
    // Mounts, unlike Binds, refuse a source that does not exist instead of making a directory of it.
    Mounts: spec.mounts.map((mount) => ({
      Type: 'bind',
      Source: mount.source,
      Target: mount.destination,
      ReadOnly: mount.readOnly,
    })),
    ShmSize: Math.max(leastShmBytes, Math.floor((spec.memoryBytes ?? around.nodeMemoryBytes) / 2)),
    ...published(spec),
    ...limits(spec),
    ...gpus(spec, around.amdDevices),
  };
}

function vpsIdentity({ vps, name }: AttemptSpec): Dockerode.ContainerCreateOptions {
  if (vps === undefined) return {};
  const ports = vps.ports.map(({ container, protocol }) => `${container}/${protocol}`);
  return {
    ...(name === null ? {} : { Hostname: name }),
    ExposedPorts: Object.fromEntries(ports.map((port) => [port, {}])),
  };
}

/** Only what was asked for is published on the node. */
function published({ vps }: AttemptSpec): Dockerode.HostConfig {
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const { container, protocol, address, host } of vps?.ports ?? []) {
    const HostPort = host === null ? '' : String(host);
    (bindings[`${container}/${protocol}`] ??= []).push({ HostIp: address, HostPort });
  }
  return vps === undefined ? {} : { PortBindings: bindings };
}

function limits(spec: AttemptSpec): Dockerode.HostConfig {
  return {
    ...(spec.cores === 0 ? {} : { NanoCpus: spec.cores * 1e9 }),
    ...(spec.numa === null
      ? {}
      : { CpusetCpus: spec.numa.cpus.join(','), CpusetMems: String(spec.numa.id) }),
    // Without a limit on swap of its own the Engine grants as much again.
    ...(spec.memoryBytes === null
      ? {}
      : { Memory: spec.memoryBytes, MemorySwap: spec.memoryBytes }),
  };
}

function gpus(spec: AttemptSpec, amdDevices: readonly AmdDevice[]): Dockerode.HostConfig {
  const nvidia = spec.gpus.filter((gpu) => gpu.vendor === 'nvidia').map((gpu) => gpu.uuid);
  const devices = amdDevices.length === 0 ? [] : ['/dev/kfd', ...amdDevices.map((gpu) => gpu.path)];
  return {
    ...(nvidia.length === 0
      ? {}
      : { DeviceRequests: [{ DeviceIDs: nvidia, Capabilities: [['gpu']] }] }),
    ...(devices.length === 0
      ? {}
      : {
          Devices: devices.map((path) => ({
            PathOnHost: path,
            PathInContainer: path,
            CgroupPermissions: 'rwm',
          })),
          GroupAdd: [...new Set(amdDevices.flatMap((gpu) => gpu.groupIds))].map(String),
        }),
  };
}

function environment(spec: AttemptSpec): string[] {
  const hasNvidia = spec.gpus.some((gpu) => gpu.vendor === 'nvidia');
  // Where NVIDIA's runtime is the Engine's default, images with NVIDIA_VISIBLE_DEVICES=all would
  // see every GPU, held by others or not.
  const env = hasNvidia ? spec.env : { ...spec.env, NVIDIA_VISIBLE_DEVICES: 'void' };
  return Object.entries(env).map(([name, value]) => `${name}=${value}`);
}

/** The `local` driver gives bytes back as they were; `json-file` replaces what is not UTF-8. */
function logConfig(bufferBytes: number): { Type: string; Config: Record<string, string> } {
  const size = Math.max(leastLogFileBytes, Math.ceil(bufferBytes / (logFiles - 1)));
  return {
    Type: 'local',
    Config: { 'max-size': String(size), 'max-file': String(logFiles), compress: 'false' },
  };
}
