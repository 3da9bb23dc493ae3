// Orders given to tasks, and how they are answered.
import { z } from 'zod';
import { taskId } from './ids.ts';

/** The outcome of an order given to several tasks at once: one entry each, in the order asked. */
export const orderResults = z.array(
  z.object({ id: taskId, ok: z.boolean(), status: z.string(), message: z.string().nullable() }),
);

/** How to kill: a signal, some grace, then SIGKILL. */
export const killOptions = {
  signal: z
    .enum(['SIGTERM', 'SIGINT', 'SIGKILL', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'])
    .default('SIGTERM'),
  graceSeconds: z.number().int().min(0).max(3600).optional(),
};
