// The app as people get it: a real core in a process of its own, its page in a real browser.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { buildAll } from '../../../scripts/lib/build-parts.ts';
import {
  startCoreProcess,
  temporaryDataDir,
  type CoreProcess,
} from '../../support/core-process.ts';

export const chromiumPath = process.env['KOHAKURIVER_CHROMIUM'] ?? '/usr/bin/chromium';
export const hasChromium = existsSync(chromiumPath);

export interface OpenApp extends AsyncDisposable {
  readonly page: Page;
  readonly core: CoreProcess;
  /** Kills the core and starts it again on the same data directory, behind the same page. */
  restartCore(): Promise<CoreProcess>;
  /** What the page has complained about so far. */
  readonly complaints: readonly string[];
}

/** Starts a core on an empty data directory and opens its page, signed in. */
export async function openApp(place = '#/'): Promise<OpenApp> {
  await buildAll({
    force: !existsSync(join(import.meta.dirname, '../../../dist/renderer/index.html')),
  });
  await using stack = new AsyncDisposableStack();
  const dataDir = stack.use(await temporaryDataDir());
  let core = await startCoreProcess(dataDir.path);
  stack.defer(() => core.stop());
  const browser = await chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox'] });
  stack.defer(() => browser.close());
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  await page.goto(`${core.url}/?token=${core.token}`);
  await page.getByText('Connected', { exact: true }).waitFor();
  await page.goto(`${core.url}/${place}`);
  const kept = stack.move();
  return {
    page,
    complaints,
    get core() {
      return core;
    },
    restartCore: async () => {
      await core.kill();
      core = await startCoreProcess(dataDir.path);
      return core;
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
