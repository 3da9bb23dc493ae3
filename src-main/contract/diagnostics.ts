// What the core tells of itself to whoever looks for the cause of something: how it feels, how its
// links stand, how large what it keeps is, and its own log.
import { oc } from '@orpc/contract';
import { z } from 'zod';
import { feedOf } from './feed.ts';
import { instant, nodeId } from './ids.ts';
import { nodeState } from './node.ts';

/** One node's link. */
export const linkReport = z.object({
  nodeId,
  name: z.string(),
  local: z.boolean(),
  state: nodeState,
  /** Since when; null for one that is disabled. */
  since: instant.nullable(),
  /** A sentence while it is not online. */
  reason: z.string().nullable(),
  /** How the user was let in: `agent`, `key ~/.ssh/id_ed25519`, `password`. */
  authenticatedBy: z.string().nullable(),
  /** The last measured answer of the far side; null while there is none. */
  roundTripMs: z.number().nullable(),
  /** How often it dropped since the core started. */
  drops: z.number().int().nonnegative(),
  /** SSH connections, and the sessions (commands, terminals, SFTP) they carry; null where there is no SSH. */
  channels: z
    .object({
      connections: z.number().int(),
      sessions: z.number().int(),
      sessionLimit: z.number().int(),
    })
    .nullable(),
});
export type LinkReport = z.infer<typeof linkReport>;

export const diagnosticsReport = z.object({
  at: instant,
  /** Of the program that runs the core. */
  runtime: z.object({ node: z.string(), platform: z.string(), arch: z.string() }),
  /** Holds of the main thread in the last minute at most, in milliseconds. */
  eventLoop: z.object({ medianMs: z.number(), p99Ms: z.number(), maxMs: z.number() }),
  memory: z.object({
    rssBytes: z.number(),
    heapUsedBytes: z.number(),
    heapTotalBytes: z.number(),
    externalBytes: z.number(),
  }),
  /** CPU time used since the last report, as a share of one processor core; null in the first. */
  cpuShare: z.number().nullable(),
  /** What is kept, in bytes. Task logs count as they were printed. */
  kept: z.object({
    databaseBytes: z.number(),
    walBytes: z.number(),
    taskLogBytes: z.number(),
    coreLogBytes: z.number(),
  }),
  links: z.array(linkReport),
});
export type DiagnosticsReport = z.infer<typeof diagnosticsReport>;

export const diagnostics = {
  read: oc.output(diagnosticsReport),
  /** A report every two seconds while it is open; each replaces the one before. */
  watch: oc.output(feedOf(diagnosticsReport, diagnosticsReport)),
};

export const coreLogLevels = ['full', 'debug', 'info', 'warning', 'error'] as const;

/** What a reader of the core's own log asks for. The bytes are its lines: one JSON object each, as pino writes them. */
export const readCoreLogInput = z.strictObject({
  /** Nothing below this. */
  level: z.enum(coreLogLevels).default('full'),
  /** As many of the last lines that are left after the filter. */
  tailLines: z.number().int().min(0).max(10_000).default(500),
  /** Stay for what is written from now on. */
  follow: z.boolean().default(false),
});
export type ReadCoreLogInput = z.infer<typeof readCoreLogInput>;
