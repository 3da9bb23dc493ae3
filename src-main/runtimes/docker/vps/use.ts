// What a container uses now, as its Engine counts it.
import type Dockerode from 'dockerode';
import { z } from 'zod';
import type { VpsUseSample } from '../../vps-engine.ts';
import { fromDocker } from '../errors.ts';
import type { FoundContainer } from '../observed.ts';

const count = z.number().nonnegative();
const statsReply = z.object({
  read: z.string().max(64),
  cpu_stats: z.object({ cpu_usage: z.object({ total_usage: count }) }),
  memory_stats: z.object({
    usage: count.optional(),
    stats: z.object({ inactive_file: count, total_inactive_file: count }).partial().nullish(),
  }),
  pids_stats: z.object({ current: count.nullish() }).nullish(),
});

/** Undefined when it does not run: the Engine then counts nothing. */
export async function measureUse(
  docker: Dockerode,
  found: FoundContainer,
): Promise<VpsUseSample | undefined> {
  try {
    const stats: unknown = await docker
      .getContainer(found.id)
      .stats({ stream: false, 'one-shot': true });
    return toSample(statsReply.parse(stats));
  } catch (error) {
    throw fromDocker(error, { kind: 'other', container: found.name });
  }
}

function toSample({
  read,
  cpu_stats: cpu,
  memory_stats: memory,
  pids_stats: pids,
}: z.infer<typeof statsReply>): VpsUseSample | undefined {
  const readAtMs = Date.parse(read);
  if (memory.usage === undefined || !(readAtMs > 0)) return undefined;
  // What the kernel would give back at once is not counted, as `docker stats` does it (cgroup v1, v2).
  const cache = memory.stats?.total_inactive_file ?? memory.stats?.inactive_file ?? 0;
  return {
    cpuNs: cpu.cpu_usage.total_usage,
    readAtNs: readAtMs * 1e6,
    memoryBytes: Math.max(0, memory.usage - cache),
    processes: pids?.current ?? null,
  };
}
