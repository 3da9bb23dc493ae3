// The desktop app on real Electron, where its binary is: what a stand-in cannot show. Skipped, with
// the reason, elsewhere.
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { _electron } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findElectron } from '../../scripts/lib/find-electron.ts';
import { buildAll } from '../../scripts/lib/build-parts.ts';

declare const window: Window & {
  kohakuriverHost?: object;
  require?: unknown;
  process?: unknown;
};

const root = join(import.meta.dirname, '../..');
const around = { platform: process.platform, env: process.env, uid: process.getuid?.() };
const found = await findElectron(around, 60_000);
const reason = 'reason' in found ? ` (skipped: ${found.reason})` : '';

describe.skipIf('reason' in found)(`the desktop app on real Electron${reason}`, () => {
  let dataDir: string;
  beforeAll(async () => {
    await buildAll({ force: false });
    dataDir = await mkdtemp(join(tmpdir(), 'kohakuriver-electron-'));
  });
  afterAll(() => rm(dataDir, { recursive: true, force: true, maxRetries: 5 }));

  test('opens its page under app://, reaches its core, and lets the page have nothing else', async () => {
    const app = await _electron.launch({
      executablePath: 'binary' in found ? found.binary : '',
      args: [root],
      chromiumSandbox: true,
      env: { ...process.env, KOHAKURIVER_DATA_DIR: dataDir },
    });
    try {
      const page = await app.firstWindow();
      await page.getByText('Connected', { exact: true }).waitFor({ timeout: 60_000 });
      expect(page.url()).toMatch(/^app:\/\/kohakuriver\/index\.html/);
      const world = await page.evaluate(() => [
        typeof window.require,
        typeof window.process,
        Object.keys(window.kohakuriverHost ?? {}),
      ]);
      expect(world).toEqual(['undefined', 'undefined', ['pathOf']]);
    } finally {
      // Quitting as a person would may ask.
      const ended = once(app.process(), 'exit');
      app.process().kill();
      await ended;
    }
  });
});
