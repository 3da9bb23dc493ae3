// The core's log about itself, where it cannot be written.
import { existsSync } from 'node:fs';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openCoreLog } from '../../../src-main/core-log.ts';

/** A file that takes nothing, as on a full disk. */
const full = '/dev/full';

test.skipIf(!existsSync(full))('a full disk ends neither the core nor its stop', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'kohakuriver-core-log-'));
  try {
    await symlink(full, join(dir, 'core.1.log'));
    const file = await openCoreLog(dir, 'info');
    const seen: string[] = [];
    file.onDidWrite((line) => seen.push(line));
    for (let number = 0; number < 3; number += 1) {
      file.log.info(`line ${String(number)}`);
      // An error that nobody listens to would end this process here.
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(seen).toHaveLength(3);
    await file[Symbol.asyncDispose]();
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});
