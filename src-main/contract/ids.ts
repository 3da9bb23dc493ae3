import { z } from 'zod';

/**
 * Identifiers as they travel: 64-bit snowflakes written in decimal, because JSON numbers lose
 * precision above 2^53. Only `store` turns them into INTEGER.
 */
const snowflakeText = z.string().regex(/^[1-9]\d{0,18}$/, 'must be a decimal ID');

export const taskId = snowflakeText.brand<'TaskId'>();
export type TaskId = z.infer<typeof taskId>;

export const batchId = snowflakeText.brand<'BatchId'>();
export type BatchId = z.infer<typeof batchId>;

export const nodeId = snowflakeText.brand<'NodeId'>();
export type NodeId = z.infer<typeof nodeId>;

/** The ID a core makes for itself once; it labels everything the core starts on a node. */
export const coreId = snowflakeText.brand<'CoreId'>();
export type CoreId = z.infer<typeof coreId>;

/**
 * Names people give to nodes. The alphabet keeps the target syntax (`node:numa::gpu,gpu`)
 * unambiguous: no colon, comma or space.
 */
export const nodeName = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
    'must be letters, digits, ".", "_" or "-" (at most 63)',
  );

/** Milliseconds since the Unix epoch, UTC. */
export const instant = z.number().int().nonnegative();
export type Instant = number;
