// A real core in this process, spoken to through the real contract over a port in memory.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Core, CoreOptions } from '../../src-main/api/core-door.ts';
import { serveWire } from '../../src-main/api/wire/serve-wire.ts';
import { createClient } from '../../src-main/contract/client.ts';
import { memoryPorts } from '../../src-main/contract/wire/memory-port.ts';
import { createCore } from '../../src-main/core.ts';
import { coreClient, type CoreClient } from './core-client.ts';

export { until } from './core-client.ts';

export interface TestCore extends CoreClient, AsyncDisposable {
  readonly core: Core;
  readonly dataDir: string;
  /** Stops the core and keeps its directory. */
  stop(): Promise<void>;
}

/** Starts a core on a directory of its own, or on one that was there. Disposing removes the directory. */
export async function startCore(options: Partial<CoreOptions> = {}): Promise<TestCore> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'kohakuriver-core-')));
  // Processes on this computer live under the home directory: not the one of whoever runs the tests.
  process.env['HOME'] = dataDir;
  const core = await createCore({ host: 'test', version: 'test', ...options, dataDir });
  const [near, far] = memoryPorts();
  const context = { who: 'tester', host: 'cli', isOwner: true } as const;
  serveWire(far, { router: core.router, streams: core.streams, context, log: core.log });
  const client = createClient(near);
  const stop = async () => {
    client.close();
    await core.stop();
  };
  return {
    ...coreClient(client),
    core,
    dataDir,
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
