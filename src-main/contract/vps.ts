import { oc } from '@orpc/contract';
import { z } from 'zod';
import { feedOf } from './feed.ts';
import { instant, nodeId, taskId } from './ids.ts';
import {
  gpuRequest,
  heldGpu,
  labels,
  mount,
  taskEventView,
  taskStatus,
  taskSubmission,
  vessel,
} from './task.ts';

/** Names of VPSes are also names of hosts for OpenSSH (`kr-NAME`) and inside: lower case, digits and `-`. */
export const vpsName = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
    'must be lower-case letters, digits and "-" (at most 63), such as anna-dev',
  );

/** A VPS as people write it: its name, its ID, or an unambiguous ending of it. */
const vpsRef = z.string().min(1).max(64);

/** A port of the VPS that the node publishes. Nothing is published unless asked for. */
export const vpsPort = z.strictObject({
  container: z.number().int().min(1).max(65535),
  /** On the node; null lets the Engine choose one. */
  host: z.number().int().min(1).max(65535).nullable().default(null),
  protocol: z.enum(['tcp', 'udp']).default('tcp'),
  /** The node's address to listen on. */
  address: z
    .string()
    .regex(/^[0-9A-Fa-f.:]{2,45}$/, 'must be an IP address of the node')
    .default('0.0.0.0'),
});
export type VpsPort = z.infer<typeof vpsPort>;

export const sshMode = z.enum(['disabled', 'none', 'upload', 'generate']);
export type SshMode = z.infer<typeof sshMode>;

/** How SSH is to be set up inside. Terminals of the app need none of it. */
export const sshRequest = z.discriminatedUnion('mode', [
  z.strictObject({ mode: z.literal('disabled') }),
  /** Root without a password: for nodes nobody else can reach. */
  z.strictObject({ mode: z.literal('none') }),
  z.strictObject({ mode: z.literal('upload'), publicKey: z.string().min(1).max(16_384) }),
  z.strictObject({
    mode: z.literal('generate'),
    /** Where the core writes the private key, on its own computer; null: `~/.ssh/id-kohakuriver-ID`. False: nowhere, the caller keeps it. */
    keyFile: z
      .union([z.string().min(1).max(4096), z.literal(false)])
      .nullable()
      .default(null),
  }),
]);
export type SshRequest = z.infer<typeof sshRequest>;

export const snapshotPolicy = z.strictObject({
  beforeStop: z.boolean().default(false),
  beforeRemove: z.boolean().default(false),
  /** The newest so many are kept; 0 keeps all. */
  keep: z.number().int().min(0).max(1000).default(3),
});
export type SnapshotPolicy = z.infer<typeof snapshotPolicy>;

const asked = taskSubmission.shape;

/** What a person asks for. */
export const vpsSubmission = z.strictObject({
  /** Absent: made from its ID. */
  name: vpsName.nullable().default(null),
  target: z.string().min(1).max(256).nullable().default(null),
  cores: asked.cores,
  memoryBytes: asked.memoryBytes,
  gpus: gpuRequest.nullable().default(null),
  /** An image, an environment, or the image of a snapshot. Absent: the default image of the settings. */
  vessel: vessel.nullable().default(null),
  env: asked.env,
  secretEnv: asked.secretEnv,
  mounts: asked.mounts,
  privileged: asked.privileged,
  labels: labels.default({}),
  priority: asked.priority,
  onNodeLabels: asked.onNodeLabels,
  avoidNodes: asked.avoidNodes,
  owner: asked.owner,
  ports: z.array(vpsPort).max(64).default([]),
  ssh: sshRequest.default({ mode: 'disabled' }),
  snapshots: snapshotPolicy.default({ beforeStop: false, beforeRemove: false, keep: 3 }),
});
export type VpsSubmission = z.infer<typeof vpsSubmission>;
export type VpsSubmissionInput = z.input<typeof vpsSubmission>;

/** How far SSH inside has come. */
export const sshStatus = z.object({
  mode: sshMode,
  state: z.enum(['off', 'waiting', 'setting-up', 'ready', 'failed']),
  /** A sentence, when it failed. */
  problem: z.string().nullable(),
  user: z.string(),
  /** `SHA256:…` of the key that is let in. */
  keyFingerprint: z.string().nullable(),
  /** The private key's file on the core's computer, where it was written there. */
  identityFile: z.string().nullable(),
  /** The host key inside, as a line of known_hosts has it after the name. */
  hostKey: z.string().nullable(),
  hostKeyFingerprint: z.string().nullable(),
});
export type SshStatus = z.infer<typeof sshStatus>;

/** How the container does, as its Engine tells. */
export const vpsHealth = z.object({
  /** Starts again and again because what runs in it ends. */
  isCrashLooping: z.boolean(),
  restarts: z.number().int().nonnegative(),
  lastExitCode: z.number().int().nullable(),
  ip: z.string().nullable(),
  /** Ports as they are published now. */
  ports: z.array(
    z.object({
      container: z.number().int(),
      protocol: z.string(),
      address: z.string(),
      host: z.number().int(),
    }),
  ),
});
export type VpsHealth = z.infer<typeof vpsHealth>;

export const vpsView = z.object({
  id: taskId,
  name: z.string(),
  status: taskStatus,
  reason: z.string().nullable(),
  /** What a start is doing, e.g. `pulling debian:12, 40 %`. */
  phase: z.string().nullable(),
  /** What it was told to do and has not done yet. */
  wish: z.enum(['stop', 'restart', 'remove']).nullable(),
  /** What is being done with its disk, e.g. `taking a snapshot`. */
  busy: z.string().nullable(),
  node: z.string().nullable(),
  nodeId: nodeId.nullable(),
  target: z.string().nullable(),
  gpus: z.array(heldGpu),
  gpuRequest: gpuRequest.nullable(),
  cores: z.number().int(),
  memoryBytes: z.number().int().nullable(),
  image: z.string().nullable(),
  container: z.string(),
  env: z.record(z.string(), z.string()),
  secretEnvNames: z.array(z.string()),
  mounts: z.array(mount),
  ports: z.array(vpsPort),
  privileged: z.boolean(),
  labels,
  priority: z.number().int(),
  ssh: sshStatus,
  snapshots: snapshotPolicy,
  /** The last snapshot that was to be taken by itself failed: why. */
  snapshotProblem: z.string().nullable(),
  /** Null unless it runs and its node answers. */
  health: vpsHealth.nullable(),
  hasDisk: z.boolean(),
  attempt: z.number().int().nonnegative(),
  owner: z.string(),
  submittedAt: instant,
  startedAt: instant.nullable(),
  stoppedAt: instant.nullable(),
  warnings: z.array(z.string()),
});
export type VpsView = z.infer<typeof vpsView>;

/** What a VPS uses at the moment. GPUs are told by the metrics of its node. */
export const vpsUse = z.object({
  id: taskId,
  at: instant,
  /** Cores that are busy for it, as 1.5; null until it was measured twice. */
  cores: z.number().nonnegative().nullable(),
  memoryBytes: z.number().nonnegative(),
  processes: z.number().int().nonnegative().nullable(),
});
export type VpsUse = z.infer<typeof vpsUse>;

/** A snapshot, as its node has it. */
export const snapshotView = z.object({
  /** When it was taken, in seconds: what it is called by. */
  tag: z.string(),
  takenAt: instant,
  note: z.string(),
  /** What it adds to the disk of its node. */
  addedBytes: z.number().nonnegative(),
  totalBytes: z.number().nonnegative(),
  /** Its image: another VPS can be made from it. */
  image: z.string(),
});
export type SnapshotView = z.infer<typeof snapshotView>;

const snapshotTag = z.string().regex(/^\d{1,12}$/, 'must be the tag of a snapshot: a number');

const one = z.object({ vps: vpsRef });

const listItem = z.union([z.object({ upsert: vpsView }), z.object({ removed: taskId })]);
export type VpsListChange = z.infer<typeof listItem>;

export const vps = {
  /** `privateKey` is there once, for a key made here; it is stored nowhere but in the file that was named. */
  create: oc.input(vpsSubmission).output(
    z.object({
      vps: vpsView,
      privateKey: z.string().nullable(),
      keyFile: z.string().nullable(),
      warnings: z.array(z.string()),
    }),
  ),
  /** All but the removed ones, the newest first. */
  list: oc.output(z.array(vpsView)),
  watch: oc.output(feedOf(z.array(vpsView), listItem)),
  /** Of those that run; measured every few seconds while anybody watches. */
  watchUse: oc.output(feedOf(z.array(vpsUse), vpsUse)),
  get: oc.input(one).output(vpsView),
  events: oc.input(one).output(z.array(taskEventView)),
  /** Into the queue again. `now`: refuses (`vps/no-room`) instead of waiting. */
  start: oc.input(one.extend({ now: z.boolean().default(false) })).output(vpsView),
  stop: oc
    .input(
      one.extend({
        graceSeconds: z.number().int().min(0).max(3600).optional(),
        /** Overrides the policy. */
        snapshot: z.boolean().optional(),
      }),
    )
    .output(vpsView),
  /** Keeps what it holds meanwhile; starts one that rests. */
  restart: oc
    .input(one.extend({ graceSeconds: z.number().int().min(0).max(3600).optional() }))
    .output(vpsView),
  pause: oc.input(one).output(vpsView),
  resume: oc.input(one).output(vpsView),
  rename: oc.input(one.extend({ name: vpsName })).output(vpsView),
  /** Limits, live; and what is done by itself. What is not given stays. */
  update: oc
    .input(
      one.extend({
        cores: asked.cores.unwrap().optional(),
        memoryBytes: asked.memoryBytes.unwrap().optional(),
        snapshots: z
          .strictObject({
            beforeStop: z.boolean().optional(),
            beforeRemove: z.boolean().optional(),
            keep: z.number().int().min(0).max(1000).optional(),
          })
          .optional(),
      }),
    )
    .output(vpsView),
  /** The disk goes with it. `snapshot` overrides the policy. */
  remove: oc
    .input(one.extend({ snapshot: z.boolean().optional() }))
    .output(z.object({ id: taskId })),
  /** The newest first. */
  snapshots: oc.input(one).output(z.array(snapshotView)),
  /** Takes one of a VPS that runs or rests, then lets go what the policy does not keep. */
  takeSnapshot: oc
    .input(one.extend({ note: z.string().max(500).default('') }))
    .output(snapshotView),
  /** Gives one that rests the disk of a snapshot; what came after it is gone. */
  restore: oc.input(one.extend({ tag: snapshotTag })).output(vpsView),
  deleteSnapshot: oc.input(one.extend({ tag: snapshotTag })).output(z.object({ tag: z.string() })),
  /** A new VPS with the same wishes, from a snapshot or from how it is now; on another node where one is named. */
  clone: oc
    .input(
      one.extend({
        name: vpsName,
        tag: snapshotTag.optional(),
        node: z.string().min(1).max(64).optional(),
      }),
    )
    .output(vpsView),
  /** Sets SSH up inside again, after what was in the way is gone. */
  setUpSsh: oc.input(one).output(vpsView),
  /** The last lines its main program printed: why it ends again and again. */
  output: oc
    .input(one.extend({ lines: z.number().int().min(1).max(2000).default(200) }))
    .output(z.object({ text: z.string() })),
  /** Public keys in `~/.ssh` of the core's computer. */
  localKeys: oc.output(
    z.array(z.object({ file: z.string(), publicKey: z.string(), fingerprint: z.string() })),
  ),
};
