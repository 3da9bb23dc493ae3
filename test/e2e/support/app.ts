// The app as people get it: a real core in a process of its own, its page in a real browser.
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { ensureBuilt } from '../../support/built.ts';
import {
  startCoreProcess,
  temporaryDataDir,
  type CoreProcess,
} from '../../support/core-process.ts';
import { launchChromium, newPage } from './browser.ts';

export { hasChromium } from './browser.ts';

export interface OpenApp extends AsyncDisposable {
  readonly page: Page;
  readonly core: CoreProcess;
  readonly dataDir: string;
  /** What the page has complained about so far. */
  readonly complaints: readonly string[];
  /** Bytes that came over the wire so far. */
  receivedBytes(): number;
  /** Goes to a place of the app, such as `#/tasks`. */
  go(place: string): Promise<void>;
  /** Kills the core; the page stays open. */
  killCore(): Promise<void>;
  /** Starts the core again on the same data directory and port. */
  startCore(): Promise<void>;
}

/** Starts a core on an empty data directory and opens its page, signed in. */
export async function openApp(
  place = '#/',
  browserFlags: readonly string[] = [],
): Promise<OpenApp> {
  await ensureBuilt();
  await using stack = new AsyncDisposableStack();
  const dataDir = stack.use(await temporaryDataDir());
  // A home of its own: work that other cores have on this computer would count as taken.
  const env = { HOME: await mkdtemp(join(dataDir.path, 'home-')) };
  let core = await startCoreProcess(dataDir.path, env);
  stack.defer(() => core.stop());
  const browser = await launchChromium(browserFlags);
  stack.defer(() => browser.close());
  const { page, complaints, receivedBytes } = await newPage(browser);
  await page.goto(`${core.url}/?token=${core.token}`);
  await page.getByText('Connected', { exact: true }).waitFor();
  const { url } = core;
  const go = async (next: string) => void (await page.goto(`${url}/${next}`));
  await go(place);
  const kept = stack.move();
  return {
    page,
    complaints,
    receivedBytes,
    go,
    dataDir: dataDir.path,
    get core() {
      return core;
    },
    killCore: () => core.kill(),
    startCore: async () => {
      core = await startCoreProcess(dataDir.path, env, Number(new URL(url).port));
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
