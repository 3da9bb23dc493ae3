import { z } from 'zod';
import { instant, nodeId, nodeName, taskId } from './ids.ts';
import { labels } from './task.ts';

export const nodeStates = ['online', 'connecting', 'offline', 'disabled'] as const;
export const nodeState = z.enum(nodeStates);
export type NodeState = z.infer<typeof nodeState>;

/** Why a node is offline, as something a person can act on. */
export const offlineReason = z.enum([
  'refused',
  'timeout',
  'unreachable',
  'auth',
  'host-key',
  'config',
  'lost',
  'unsupported',
]);
export type OfflineReason = z.infer<typeof offlineReason>;

/** One hop of the way to a node; a node's own address is the last. */
export const sshAddress = z.strictObject({
  host: z
    .string()
    .min(1)
    .max(255)
    .regex(/^[^\s@\0-][^\s@\0]*$/, 'must be a host name or address'),
  port: z.number().int().min(1).max(65535).default(22),
  user: z
    .string()
    .min(1)
    .max(64)
    .regex(/^[^\s@:\0-][^\s@:\0]*$/, 'must be a user name'),
});
export type SshAddress = z.infer<typeof sshAddress>;

/** How a host may be given: user and port may come from `~/.ssh/config` or the current user. */
export const sshDestination = z.strictObject({
  host: sshAddress.shape.host,
  port: z.number().int().min(1).max(65535).optional(),
  user: sshAddress.shape.user.optional(),
});
export type SshDestination = z.infer<typeof sshDestination>;

/** Everything needed to try a host. Secrets go straight to the vault and never come back. */
export const hostOptions = z.strictObject({
  destination: sshDestination,
  /** Path of a private key on the computer that runs the core. */
  identityFile: z.string().min(1).max(4096).optional(),
  password: z.string().min(1).max(4096).optional(),
  /** Unlocks an encrypted identity file. */
  passphrase: z.string().max(4096).optional(),
  /** Hosts to go through, in order. */
  jumps: z.array(sshDestination).max(8).default([]),
  /** Look into `~/.ssh/config` for what is not given here. */
  useSshConfig: z.boolean().default(true),
});
export type HostOptions = z.infer<typeof hostOptions>;

/** SHA256 fingerprint as OpenSSH prints it. */
export const fingerprint = z
  .string()
  .regex(/^SHA256:[A-Za-z0-9+/]{43}$/, 'must look like SHA256:… (43 characters)');

export const hostKeyReport = z.object({
  /** `host` or `[host]:port`, as known_hosts writes it. */
  host: z.string(),
  keyType: z.string(),
  fingerprint,
  status: z.enum(['known', 'new', 'changed', 'revoked']),
  /** For a changed key: where the other one is written. */
  knownIn: z.string().optional(),
});
export type HostKeyReport = z.infer<typeof hostKeyReport>;

/** Which host keys not seen before may be accepted: just these, or any. */
export const hostKeyConsent = z.union([
  z.object({ fingerprints: z.array(fingerprint) }),
  z.literal('any-new'),
]);
export type HostKeyConsent = z.infer<typeof hostKeyConsent>;

export const gpuVendor = z.enum(['nvidia', 'amd']);

export const gpuFacts = z.object({
  index: z.number().int().nonnegative(),
  /** Vendor UUID; for AMD without one, `pci-<address>`. */
  uuid: z.string().min(1),
  name: z.string(),
  vendor: gpuVendor,
  memoryBytes: z.number().int().nonnegative(),
  numa: z.number().int().nullable(),
  pciBusId: z.string(),
  driver: z.string().nullable(),
  mig: z.boolean(),
});
export type GpuFacts = z.infer<typeof gpuFacts>;

export const numaFacts = z.object({
  id: z.number().int(),
  cores: z.array(z.number().int()),
  memoryBytes: z.number().int(),
});
export type NumaFacts = z.infer<typeof numaFacts>;

export const nodeFacts = z.object({
  hostname: z.string(),
  /** /etc/machine-id: the same machine under two names is noticed by it. */
  machineId: z.string().nullable(),
  bootId: z.string().nullable(),
  os: z.string(),
  kernel: z.string(),
  arch: z.string(),
  cores: z.number().int().positive(),
  cpuModel: z.string().nullable(),
  memoryBytes: z.number().int().nonnegative(),
  numa: z.array(numaFacts),
  gpus: z.array(gpuFacts),
  /** Set when a GPU tool is there but did not answer sensibly: GPUs are then unknown, not absent. */
  gpuProblem: z.string().nullable(),
  docker: z
    .object({
      version: z.string(),
      apiVersion: z.string(),
      gpuRuntime: z.boolean(),
      cgroupVersion: z.string().nullable(),
    })
    .nullable(),
  /** Why Docker cannot be used though something of it is there (absent, denied, not running). */
  dockerProblem: z.string().nullable(),
  qemu: z.object({ version: z.string(), kvm: z.boolean() }).nullable(),
  /** The process runtime can be used (Linux, POSIX sh, setsid). */
  process: z.boolean(),
  /** Processes can be given limits (systemd-run usable as this user). */
  processLimits: z.boolean(),
  user: z.string(),
  home: z.string(),
  diskFreeBytes: z.number().int().nonnegative().nullable(),
  clockSkewMs: z.number().nullable(),
});
export type NodeFacts = z.infer<typeof nodeFacts>;

/** A process on a GPU that is not ours. */
export const gpuProcess = z.object({
  pid: z.number().int(),
  user: z.string().nullable(),
  name: z.string(),
  memoryBytes: z.number().nullable(),
});

export const gpuSample = z.object({
  uuid: z.string(),
  utilization: z.number().nullable(),
  memoryBytes: z.number().nullable(),
  temperatureC: z.number().nullable(),
  powerW: z.number().nullable(),
  powerLimitW: z.number().nullable(),
  fanPercent: z.number().nullable(),
  processes: z.array(gpuProcess),
  /** Some process on it belongs to nobody's task here. */
  foreign: z.boolean(),
});
export type GpuSample = z.infer<typeof gpuSample>;

/** One moment of a node. Rates are per second since the sample before. */
export const metricsSample = z.object({
  at: instant,
  /** 0…1 of all cores. */
  cpu: z.number(),
  cpuPerCore: z.array(z.number()),
  load1: z.number().nullable(),
  memoryUsedBytes: z.number(),
  memoryTotalBytes: z.number(),
  swapUsedBytes: z.number().nullable(),
  diskReadBytesPerS: z.number().nullable(),
  diskWriteBytesPerS: z.number().nullable(),
  netInBytesPerS: z.number().nullable(),
  netOutBytesPerS: z.number().nullable(),
  diskFreeBytes: z.number().nullable(),
  temperatureC: z.number().nullable(),
  gpus: z.array(gpuSample),
});
export type MetricsSample = z.infer<typeof metricsSample>;

/** One point of history: means over its interval. GPUs by UUID: [utilization, memoryBytes, powerW, temperatureC]. */
export const metricsPoint = z.object({
  at: instant,
  cpu: z.number(),
  memoryUsedBytes: z.number(),
  diskReadBytesPerS: z.number().nullable(),
  diskWriteBytesPerS: z.number().nullable(),
  netInBytesPerS: z.number().nullable(),
  netOutBytesPerS: z.number().nullable(),
  gpus: z.record(
    z.string(),
    z.tuple([
      z.number().nullable(),
      z.number().nullable(),
      z.number().nullable(),
      z.number().nullable(),
    ]),
  ),
});
export type MetricsPoint = z.infer<typeof metricsPoint>;
export const metricsSpan = z.enum(['1h', '2d', '90d']);
export type MetricsSpan = z.infer<typeof metricsSpan>;

/** Something a person should know about a node, with what to do about it. */
export const finding = z.object({
  id: z.string(),
  level: z.enum(['ok', 'info', 'warning', 'error']),
  title: z.string(),
  detail: z.string().nullable(),
  /** The exact command that would mend it, if there is one. */
  fix: z.string().nullable(),
});
export type Finding = z.infer<typeof finding>;

export const nodeView = z.object({
  id: nodeId,
  name: nodeName,
  /** This computer, reached without SSH. */
  local: z.boolean(),
  address: z.string().nullable(),
  port: z.number().int().nullable(),
  user: z.string().nullable(),
  /** `user@host:port` of each hop before it. */
  jumps: z.array(z.string()),
  auth: z.enum(['local', 'agent-or-keys', 'identity-file', 'password']),
  state: nodeState,
  reasonKind: offlineReason.nullable(),
  /** A sentence: why it is offline, and what to do. */
  reason: z.string().nullable(),
  drained: z.boolean(),
  lastSeen: instant.nullable(),
  addedAt: instant,
  labels,
  facts: nodeFacts.nullable(),
  findings: z.array(finding),
  /** Held by tasks of this core and, as far as their labels tell, by other cores. */
  allocated: z.object({
    cores: z.number(),
    memoryBytes: z.number(),
    gpus: z.array(
      z.object({ uuid: z.string(), taskId: taskId.nullable(), core: z.string().nullable() }),
    ),
  }),
  /** Tasks here that hold something. */
  activeTasks: z.number().int(),
});
export type NodeView = z.infer<typeof nodeView>;

export const processInfo = z.object({
  pid: z.number().int(),
  user: z.string(),
  cpuPercent: z.number(),
  memoryBytes: z.number(),
  startedAt: instant.nullable(),
  command: z.string(),
});
export type ProcessInfo = z.infer<typeof processInfo>;
