// Forwards: ports of nodes, VPSes and containers at this computer, kept until they are removed.
import { oc } from '@orpc/contract';
import { z } from 'zod';
import { feedOf } from './feed.ts';
import { instant } from './ids.ts';
import { terminalTarget } from './terminals.ts';

export const forwardId = z
  .string()
  .regex(/^\d{1,20}$/, 'a forward ID')
  .brand('ForwardId');
export type ForwardId = z.infer<typeof forwardId>;

const port = z.number().int().min(1).max(65535);
const host = z.string().min(1).max(255);

/** A place on the far side: a node, or a container on it. */
export const forwardTarget = terminalTarget;

export const forwardSpec = z.discriminatedUnion('kind', [
  /** A port here leads to a port there. */
  z.strictObject({
    kind: z.literal('tcp'),
    target: forwardTarget,
    port,
    /** As the node sees it; null: the place itself. */
    host: host.nullable().default(null),
    bind: host.default('127.0.0.1'),
    /** Null: the same number where it is free, else any. */
    localPort: port.nullable().default(null),
  }),
  /** The same for datagrams, through a small program on the node (perl or python3) while any are sent. */
  z.strictObject({
    kind: z.literal('udp'),
    target: forwardTarget,
    port,
    host: host.nullable().default(null),
    bind: host.default('127.0.0.1'),
    localPort: port.nullable().default(null),
  }),
  /** A port on the node leads to a port here. */
  z.strictObject({
    kind: z.literal('reverse'),
    target: forwardTarget,
    /** On the node. */
    port,
    host: host.nullable().default(null),
    /** Where it leads to, as this computer sees it. */
    bind: host.default('127.0.0.1'),
    localPort: port.nullable().default(null),
  }),
  /** A SOCKS5 proxy here into the network of the node. */
  z.strictObject({
    kind: z.literal('socks'),
    target: forwardTarget,
    bind: host.default('127.0.0.1'),
    localPort: port.nullable().default(null),
  }),
]);
export type ForwardSpec = z.infer<typeof forwardSpec>;

export const forwardView = z.object({
  id: forwardId,
  spec: forwardSpec,
  /** The place in words. */
  place: z.string(),
  /** `open`: connections get through. `waiting`: its place is out of reach now. `paused`: by a person. `failed`: see `reason`. */
  state: z.enum(['open', 'waiting', 'paused', 'failed']),
  reason: z.string().nullable(),
  /** Where it listens here; for `reverse`, where it leads to. */
  localPort: z.number().int().nullable(),
  /** For UDP: programs here that have sent something lately. */
  connections: z.number().int(),
  /** Since the core started; up is away from here. */
  bytesUp: z.number(),
  bytesDown: z.number(),
  createdAt: instant,
});
export type ForwardView = z.infer<typeof forwardView>;

const change = z.union([z.object({ upsert: forwardView }), z.object({ removed: forwardId })]);
export type ForwardChange = z.infer<typeof change>;

const one = z.object({ forward: z.string().max(20) });

export const forwards = {
  list: oc.output(z.array(forwardView)),
  watch: oc.output(feedOf(z.array(forwardView), change)),
  /** Resolves when it listens and is on disk. */
  add: oc.input(z.object({ spec: forwardSpec })).output(forwardView),
  /** Ends its connections and listens no more, until it is resumed; its port stays its own. */
  pause: oc.input(one).output(forwardView),
  /** Opens it again; where that fails its state says why, and it is tried again later. */
  resume: oc.input(one).output(forwardView),
  remove: oc.input(one).output(z.object({ id: forwardId })),
};

/** One connection to a port of a place; bytes as they are, both ways. */
export const dialInput = z.strictObject({ target: forwardTarget, port });

export const forwardStreams = {
  'forwards.dial': { input: dialInput, direction: 'both' },
} as const;
