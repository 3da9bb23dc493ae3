/** Hands GPU descriptions to `testbed.sh up`, which reads them from files. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { renderGpus } from './gpus.ts';
import type { GpuDescription } from './gpus.ts';

/** Calls `work` with the flags that name the files; they are gone when it has ended. */
export async function withGpuFiles<T>(
  gpus: Readonly<Record<string, GpuDescription>>,
  work: (flags: string[]) => Promise<T>,
): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'testbed-gpus-'));
  try {
    const flags: string[] = [];
    for (const [node, description] of Object.entries(gpus)) {
      const file = join(dir, node);
      await writeFile(file, renderGpus(description));
      flags.push('--gpus', `${node}=${file}`);
    }
    return await work(flags);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
