// The contract: every call and feed of the core, and every byte stream. One place, three hosts.
// Calls and feeds are carried by oRPC; byte streams by our own frames (wire/), because they need
// back-pressure.
import { oc } from '@orpc/contract';
import { z } from 'zod';
import { diagnostics, readCoreLogInput } from './diagnostics.ts';
import { batches } from './batches.ts';
import { environments } from './environments.ts';
import { feedOf } from './feed.ts';
import {
  archiveFilesInput,
  files,
  listFilesInput,
  readFileInput,
  writeFileInput,
} from './files.ts';
import { forwards, forwardStreams } from './forwards.ts';
import { coreId, instant, nodeId, nodeName, taskId, batchId } from './ids.ts';
import { images, imageStreams } from './images.ts';
import { kept } from './kept.ts';
import {
  finding,
  hostKeyConsent,
  hostKeyReport,
  hostOptions,
  metricsPoint,
  metricsSample,
  metricsSpan,
  nodeFacts,
  nodeState,
  nodeView,
  processInfo,
} from './node.ts';
import { notices } from './notices.ts';
import { killOptions, orderResults } from './orders.ts';
import { settingView } from './settings.ts';
import { transfers } from './transfers.ts';
import {
  labels,
  statusCounts,
  submissionChanges,
  taskAmendment,
  taskEventView,
  taskSubmission,
  taskView,
  taskWindow,
  taskWindowQuery,
  waitReason,
} from './task.ts';
import { queue, reservations } from './queue.ts';
import { registries } from './registries.ts';
import { snapshotStreams } from './snapshot-files.ts';
import { ssh } from './ssh.ts';
import { terminals, terminalStreams } from './terminals.ts';
import { vps } from './vps.ts';
import { workspace, workspaceStreams } from './workspace.ts';

export { feedOf, type FeedItem } from './feed.ts';

/** A task as people write it: whole ID, an unambiguous ending of it (6 digits or more), or its name. */
const taskRef = z.string().min(1).max(128);
/** A node as people write it: its name or its ID. */
const nodeRef = z.string().min(1).max(64);
const taskRefs = z.array(taskRef).min(1).max(10_000);

export const coreStatus = z.object({
  coreId,
  version: z.string(),
  pid: z.number().int(),
  host: z.enum(['electron', 'server', 'test']),
  hostname: z.string(),
  dataDir: z.string(),
  startedAt: instant,
  now: instant,
  nodes: z.partialRecord(nodeState, z.number().int()),
  tasks: statusCounts,
  /** Whether secrets can be kept, and how. */
  vault: z.object({ state: z.enum(['open', 'locked', 'unavailable']), kind: z.string() }),
  /** Longest hold of the main thread in the last minute. */
  eventLoopDelayMs: z.number(),
  rssBytes: z.number(),
});
export type CoreStatus = z.infer<typeof coreStatus>;

const core = {
  status: oc.output(coreStatus),
  watch: oc.output(feedOf(coreStatus, coreStatus)),
  stop: oc.output(z.object({ pid: z.number().int() })),
  /** Writes a consistent copy of the data directory into one file on the core's computer. */
  backup: oc
    .input(z.object({ file: z.string().min(1).max(4096) }))
    .output(z.object({ file: z.string(), bytes: z.number() })),
  doctor: oc.output(z.array(finding)),
  unlockVault: oc
    .input(z.object({ passphrase: z.string().min(1).max(4096) }))
    .output(z.object({ state: z.string() })),
};

const config = {
  list: oc.output(z.array(settingView)),
  get: oc.input(z.object({ key: z.string() })).output(settingView),
  set: oc.input(z.object({ key: z.string(), value: z.unknown() })).output(settingView),
  reset: oc.input(z.object({ key: z.string() })).output(settingView),
};

const nodes = {
  list: oc.output(z.array(nodeView)),
  watch: oc.output(
    feedOf(
      z.array(nodeView),
      z.union([z.object({ upsert: nodeView }), z.object({ removed: nodeId })]),
    ),
  ),
  get: oc.input(z.object({ node: nodeRef })).output(nodeView),
  /** Looks at a host without signing in: the keys of it and of each hop that can be seen so far. */
  inspectHost: oc.input(hostOptions).output(z.object({ hostKeys: z.array(hostKeyReport) })),
  /** Signs in and probes, and stores nothing: what a node would be. */
  tryHost: oc
    .input(hostOptions.extend({ consent: hostKeyConsent.optional() }))
    .output(z.object({ facts: nodeFacts, findings: z.array(finding), auth: z.string() })),
  add: oc
    .input(
      hostOptions.extend({
        name: nodeName.optional(),
        labels: labels.default({}),
        consent: hostKeyConsent.optional(),
      }),
    )
    .output(nodeView),
  /** Hosts of the user's `~/.ssh/config` that could be added. */
  sshConfigHosts: oc.output(
    z.array(
      z.object({
        alias: z.string(),
        host: z.string(),
        user: z.string().nullable(),
        port: z.number().int(),
        known: z.boolean(),
      }),
    ),
  ),
  drain: oc.input(z.object({ node: nodeRef })).output(nodeView),
  undrain: oc.input(z.object({ node: nodeRef })).output(nodeView),
  disable: oc.input(z.object({ node: nodeRef })).output(nodeView),
  enable: oc.input(z.object({ node: nodeRef })).output(nodeView),
  reconnect: oc.input(z.object({ node: nodeRef })).output(nodeView),
  rename: oc.input(z.object({ node: nodeRef, name: nodeName })).output(nodeView),
  /** Sets the labels given; a null value removes one. */
  label: oc
    .input(z.object({ node: nodeRef, labels: z.record(z.string(), z.string().nullable()) }))
    .output(nodeView),
  remove: oc
    .input(z.object({ node: nodeRef, force: z.boolean().default(false) }))
    .output(z.object({ id: nodeId, left: z.array(z.string()) })),
  doctor: oc.input(z.object({ node: nodeRef })).output(z.array(finding)),
  processes: oc
    .input(z.object({ node: nodeRef, limit: z.number().int().min(1).max(2000).default(200) }))
    .output(z.array(processInfo)),
  history: oc.input(z.object({ node: nodeRef, span: metricsSpan })).output(z.array(metricsPoint)),
  /** The newest sample of every node. */
  watchUsage: oc.output(
    feedOf(
      z.array(z.object({ nodeId, sample: metricsSample })),
      z.object({ nodeId, sample: metricsSample }),
    ),
  ),
  /** One node: the samples of the last hour, then each new one; asks for one a second while open. */
  watchMetrics: oc
    .input(z.object({ node: nodeRef }))
    .output(feedOf(z.array(metricsSample), metricsSample)),
};

/** A window that changed: the rows that are new or different, and the order of all visible ones. */
export const taskWindowChange = z.object({
  total: z.number().int(),
  counts: statusCounts,
  order: z.array(taskId),
  rows: z.array(taskView),
});

const tasks = {
  submit: oc
    .input(taskSubmission)
    .output(z.object({ taskIds: z.array(taskId), batchId, warnings: z.array(z.string()) })),
  /** Many submissions in one durable step: all are accepted or none. */
  submitMany: oc
    .input(z.object({ submissions: z.array(taskSubmission).min(1).max(10_000) }))
    .output(z.object({ batches: z.array(z.object({ taskIds: z.array(taskId), batchId })) })),
  list: oc.input(taskWindowQuery).output(taskWindow),
  watchWindow: oc.input(taskWindowQuery).output(feedOf(taskWindow, taskWindowChange)),
  get: oc.input(z.object({ task: taskRef })).output(taskView),
  watch: oc
    .input(z.object({ task: taskRef }))
    .output(
      feedOf(
        z.object({ task: taskView, events: z.array(taskEventView) }),
        z.object({ task: taskView, events: z.array(taskEventView) }),
      ),
    ),
  events: oc.input(z.object({ task: taskRef })).output(z.array(taskEventView)),
  why: oc.input(z.object({ task: taskRef })).output(waitReason),
  /** Why each of some tasks waits, in a sentence, for lists; those that do not wait are left out. */
  waits: oc
    .input(z.object({ tasks: z.array(taskId).min(1).max(100) }))
    .output(z.array(z.object({ id: taskId, summary: z.string() }))),
  /** Whether and where a submission would fit now; stores nothing. */
  explain: oc.input(taskSubmission).output(waitReason),
  kill: oc.input(z.object({ tasks: taskRefs, ...killOptions })).output(orderResults),
  pause: oc.input(z.object({ tasks: taskRefs })).output(orderResults),
  resume: oc.input(z.object({ tasks: taskRefs })).output(orderResults),
  hold: oc.input(z.object({ tasks: taskRefs })).output(orderResults),
  release: oc.input(z.object({ tasks: taskRefs })).output(orderResults),
  setPriority: oc
    .input(z.object({ tasks: taskRefs, priority: z.number().int().min(-100).max(100) }))
    .output(orderResults),
  /** Changes what waiting tasks ask for; each is checked as a new submission would be. */
  amend: oc.input(z.object({ tasks: taskRefs, changes: taskAmendment })).output(orderResults),
  /** The submission a task came from, secrets left out, to be changed and sent again. */
  submission: oc.input(z.object({ task: taskRef })).output(taskSubmission),
  /** Submits again what a task was, with changes; its secret variables are taken over. */
  resubmit: oc
    .input(z.object({ task: taskRef, changes: submissionChanges.default({}) }))
    .output(z.object({ taskIds: z.array(taskId), batchId, warnings: z.array(z.string()) })),
  remove: oc.input(z.object({ tasks: taskRefs })).output(orderResults),
};

export const contract = {
  core,
  config,
  nodes,
  tasks,
  batches,
  queue,
  reservations,
  vps,
  diagnostics,
  terminals,
  notices,
  kept,
  files,
  workspace,
  transfers,
  forwards,
  ssh,
  environments,
  registries,
  images,
};
export type Contract = typeof contract;

/** What a log reader asks for. */
export const readLogInput = z.strictObject({
  task: taskRef,
  /** Absent: the newest attempt. */
  attempt: z.number().int().min(1).optional(),
  stream: z.enum(['stdout', 'stderr', 'both']).default('stdout'),
  /** Only the last N lines of what is there. */
  tailLines: z.number().int().min(0).max(1_000_000).optional(),
  /** Start at this byte of the stream (not with `both`). */
  fromOffset: z.number().int().min(0).optional(),
  /** Only what was printed at or after this instant. */
  since: instant.optional(),
  /** Stay until the task has ended and its log is complete. */
  follow: z.boolean().default(false),
  /** `raw`: the bytes. `records`: one JSON object a line, `{stream, offset, time, base64}` or `{gap}`. */
  format: z.enum(['raw', 'records']).default('raw'),
});
export type ReadLogInput = z.infer<typeof readLogInput>;

/** Byte streams: a name, what opening one takes, and which way bytes go. */
export const streams = {
  'tasks.readLog': { input: readLogInput, direction: 'down' },
  'diagnostics.readLog': { input: readCoreLogInput, direction: 'down' },
  ...terminalStreams,
  'files.list': { input: listFilesInput, direction: 'down' },
  'files.read': { input: readFileInput, direction: 'down' },
  'files.archive': { input: archiveFilesInput, direction: 'down' },
  'files.write': { input: writeFileInput, direction: 'both' },
  ...workspaceStreams,
  ...forwardStreams,
  ...snapshotStreams,
  ...imageStreams,
} as const satisfies Record<string, { input: z.ZodType; direction: 'down' | 'both' }>;
export type StreamName = keyof typeof streams;
export type StreamInput<N extends StreamName> = z.input<(typeof streams)[N]['input']>;
