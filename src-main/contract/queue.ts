// The queue as a whole: who used how much, what is reserved, and what room is kept for whom.
import { oc } from '@orpc/contract';
import { z } from 'zod';
import { feedOf } from './feed.ts';
import { instant, nodeId, taskId } from './ids.ts';

/** What an owner used and uses: the numbers that decide between owners, for people to check. */
export const ownerShare = z.object({
  owner: z.string(),
  /** Faded: what was used a half-life ago counts half. What runs is counted in. */
  gpuSeconds: z.number(),
  coreSeconds: z.number(),
  /** GPU-seconds × `gpuWeight` + core-seconds, and 10 minutes of what runs now: less comes first. */
  score: z.number(),
  running: z.number().int(),
  waiting: z.number().int(),
  /** Held now. */
  gpus: z.number().int(),
  cores: z.number(),
});
export type OwnerShare = z.infer<typeof ownerShare>;

export const shares = z.object({
  now: instant,
  isOn: z.boolean(),
  halfLifeHours: z.number(),
  gpuWeight: z.number(),
  /** Those who come first at equal priority are first. */
  owners: z.array(ownerShare),
});
export type Shares = z.infer<typeof shares>;

export const reservationId = z
  .string()
  .regex(/^[1-9]\d{0,18}$/, 'a reservation ID')
  .brand('ReservationId');
export type ReservationId = z.infer<typeof reservationId>;

const owners = z.array(z.string().min(1).max(64)).min(1).max(100);

export const reservationView = z.object({
  id: reservationId,
  nodeId,
  /** Null when the node is no longer registered. */
  node: z.string().nullable(),
  /** GPUs by index; null: the whole node. */
  gpus: z.array(z.number().int()).nullable(),
  from: instant,
  to: instant,
  /** Whose tasks may use it. */
  owners,
  note: z.string().nullable(),
  by: z.string(),
});
export type ReservationView = z.infer<typeof reservationView>;

export const reservationRequest = z.strictObject({
  node: z.string().min(1).max(64),
  gpus: z.array(z.number().int().min(0).max(1023)).min(1).max(64).nullable().default(null),
  from: instant,
  to: instant,
  /** Absent: of whoever asks. */
  owners: owners.optional(),
  note: z.string().max(200).nullable().default(null),
});
export type ReservationRequest = z.infer<typeof reservationRequest>;

/** Room that is kept on a node for a task that waits. */
export const keptRoom = z.object({
  taskId,
  /** Of the task. */
  name: z.string().nullable(),
  owner: z.string(),
  nodeId,
  /** GPUs by index. */
  gpus: z.array(z.number().int()),
  /** When the task can start at the latest; null: nobody knows. */
  at: instant.nullable(),
});
export type KeptRoom = z.infer<typeof keptRoom>;

/** What the queue looks like beside its tasks. */
export const queueOutlook = z.object({
  shares,
  reservations: z.array(reservationView),
  kept: z.array(keptRoom),
});
export type QueueOutlook = z.infer<typeof queueOutlook>;

export const queue = {
  shares: oc.output(shares),
  /** Sent anew whenever something of it changed. */
  watch: oc.output(feedOf(queueOutlook, queueOutlook)),
};

export const reservations = {
  /** Those that are not over, the earliest first. */
  list: oc.output(z.array(reservationView)),
  /** Durable when it answers. */
  add: oc.input(reservationRequest).output(reservationView),
  remove: oc
    .input(z.object({ reservation: z.string().max(20) }))
    .output(z.object({ id: reservationId })),
};
