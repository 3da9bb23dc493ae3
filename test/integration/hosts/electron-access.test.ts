import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CoreOptions } from '../../../src-main/api/core-door.ts';
import { createClient } from '../../../src-main/contract/client.ts';
import { memoryPorts } from '../../../src-main/contract/wire/memory-port.ts';
import { readCoreFile } from '../../../src-main/hosts/core-file.ts';
import { CoreAccess } from '../../../src-main/hosts/electron/core-access.ts';
import { attachToLocalCore } from '../../../src-main/hosts/server/attach.ts';
import { StoreError } from '../../../src-main/store/errors.ts';
import { FakeCore } from './fake-core.ts';

let dataDir: string;
/** Who has the data directory, as the real store's lock would say. */
let owner: FakeCore | undefined;
let stopsAsked: number;
const accesses: CoreAccess[] = [];

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'access-'));
  owner = undefined;
  stopsAsked = 0;
});
afterEach(async () => {
  for (const access of accesses.splice(0)) await access.stop();
  await rm(dataDir, { recursive: true });
});

class LockingCore extends FakeCore {
  override async stop(): Promise<void> {
    await super.stop();
    owner = undefined;
  }
}

function app(who: string): CoreAccess {
  const access = new CoreAccess({
    dataDir,
    version: '1',
    who,
    now: () => 1,
    keychain: () => undefined,
    onStopRequested: () => (stopsAsked += 1),
    createCore: ({ host }: CoreOptions) => {
      if (owner !== undefined)
        return Promise.reject(new StoreError('store/locked', 'It is in use.'));
      owner = new LockingCore(dataDir, host);
      return Promise.resolve(owner);
    },
  });
  accesses.push(access);
  return access;
}

async function windowOf(access: CoreAccess) {
  const [page, host] = memoryPorts();
  await access.connect(host);
  return createClient(page);
}

describe('the core behind the windows', () => {
  test('is its own where nobody else has the data directory, and the command line reaches it', async () => {
    const access = app('anna');
    expect(await access.start()).toBe('own');
    expect(await (await windowOf(access)).api.core.status()).toMatchObject({
      hostname: 'anna through electron',
    });
    expect(await readCoreFile(dataDir)).toMatchObject({ url: null, pid: process.pid });
    const cli = createClient(await attachToLocalCore(dataDir));
    expect(await cli.api.core.status()).toMatchObject({ hostname: 'anna through cli' });
    await cli.api.core.stop();
    expect(stopsAsked).toBe(1);
    cli.close();
  });

  test('is the one that runs already, through its socket; streams included', async () => {
    await app('anna').start();
    const second = app('bert');
    expect(await second.start()).toBe('attached');
    const window = await windowOf(second);
    expect(await window.api.core.status()).toMatchObject({ hostname: 'anna through cli' });
    const text: string[] = [];
    for await (const bytes of window.openStream('tasks.readLog', { task: '1' }))
      text.push(new TextDecoder().decode(bytes));
    expect(text.join('')).toBe('hello\n');
  });

  test('becomes its own when the other one ends and a window asks again', async () => {
    const first = app('anna');
    await first.start();
    const second = app('bert');
    await second.start();
    const window = await windowOf(second);
    const closed = new Promise((resolve) => window.onDidClose(resolve));
    await window.api.core.status();
    await first.stop();
    expect(await closed).toMatchObject({ code: 'core/stopping' });
    expect(await (await windowOf(second)).api.core.status()).toMatchObject({
      hostname: 'bert through electron',
    });
    expect(second.ownCore).toBeDefined();
  });
});
