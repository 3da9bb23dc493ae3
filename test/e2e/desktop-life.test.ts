// How the desktop app goes through a crash of its page, a core elsewhere, sleep, and being left; as
// in desktop.test.ts on the stand-in for Electron, with a real Chromium and real cores.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createClient, type Api } from '../../src-main/contract/client.ts';
import { attachToLocalCore } from '../../src-main/hosts/server/attach.ts';
import { startCoreProcess, temporaryDataDir } from '../support/core-process.ts';
import { ElectronApp, type OpenPage } from '../support/electron-app.ts';
import { ensureBuilt } from '../support/built.ts';
import { hasChromium } from './support/browser.ts';

describe.skipIf(!hasChromium)('the desktop app', () => {
  const cleanUp = new AsyncDisposableStack();
  let dataDir: string;
  let app: ElectronApp;
  let open: OpenPage;
  let api: Api;
  const place = () => new URL(open.page.url()).hash;
  const atPlace = (hash: string) => open.page.waitForURL((url) => url.hash === hash);
  const connected = () => open.page.getByText('Connected', { exact: true }).waitFor();

  beforeAll(async () => {
    await ensureBuilt();
    dataDir = cleanUp.use(await temporaryDataDir()).path;
    app = cleanUp.use(new ElectronApp(dataDir));
    open = cleanUp.use(await app.openPage());
    await connected();
    const client = createClient(await attachToLocalCore(dataDir));
    cleanUp.defer(() => client.close());
    api = client.api;
  });
  afterAll(() => cleanUp.disposeAsync());

  test('comes back where it was when its page crashes, and says so', async () => {
    await app.do('menu', 'View', 'Nodes');
    await atPlace('#/nodes');
    await app.do('crash');
    await open[Symbol.asyncDispose]();
    await app.until(({ windows }) => windows.length === 1, 'the window');
    open = cleanUp.use(await app.openPage());
    await connected();
    expect(place()).toBe('#/nodes');
    await app.do('menu', 'File', 'Settings…');
    await open.page.getByText('process ended: crashed').waitFor();
  });

  test('shows a core elsewhere, keeps its token sealed, finds it again after sleep, and comes back', async () => {
    await using elsewhere = await temporaryDataDir();
    const core = await startCoreProcess(elsewhere.path);
    try {
      const { page } = open;
      await page.getByRole('button', { name: 'Core: This computer' }).click();
      const dialog = page.getByRole('dialog', { name: /core/i });
      await dialog.getByRole('button', { name: 'Add a core' }).click();
      await dialog.getByRole('radio', { name: 'Web address' }).check();
      await dialog.getByLabel('Address', { exact: true }).fill('http://box.example:8000');
      await dialog.getByLabel('Access token').fill('a wrong token');
      await dialog.getByRole('button', { name: 'Connect' }).click();
      await dialog.getByText('Use https, or reach the core over SSH').waitFor();
      await dialog.getByLabel('Address', { exact: true }).fill(core.url);
      await dialog.getByRole('button', { name: 'Connect' }).click();
      await dialog
        .getByText(/cannot be reached/)
        .first()
        .waitFor();
      await dialog.getByLabel('Access token').fill(core.token);
      await dialog.getByLabel('Name').fill('Lab');
      await dialog.getByRole('button', { name: 'Connect' }).click();
      await page.getByRole('button', { name: 'Core: Lab' }).waitFor();
      await connected();
      await app.until(
        ({ tray }) => tray.toolTip.includes('Lab: 0 running'),
        'the tray of the other core',
      );
      const kept = await readFile(join(dataDir, 'cores.json'), 'utf8');
      expect(kept).toContain('"sealed"');
      expect(kept).not.toContain(core.token);

      const lost = page.evaluate(
        () =>
          new Promise((resolve) =>
            window.addEventListener('message', () => resolve('new port'), { once: true }),
          ),
      );
      await app.do('power', 'resume');
      expect(await lost).toBe('new port');
      await connected();

      await page.getByRole('button', { name: 'Core: Lab' }).click();
      await page.getByRole('button', { name: 'Show This computer' }).click();
      await page.getByRole('button', { name: 'Core: This computer' }).waitFor();
      await connected();
    } finally {
      await core.stop();
    }
  });

  test('leaves in three ways: into the background, by closing, by quitting; asks only when something waits', async () => {
    const { page } = open;
    await app.do('menu', 'File', 'Keep Running in the Background');
    await app.until(({ windows }) => windows.length === 0, 'no window');
    await open[Symbol.asyncDispose]();
    await app.do('tray', 'Open KohakuRiver');
    await app.until(({ windows }) => windows.length === 1, 'the window again');
    expect((await app.facts()).dialogs).toEqual([]);
    open = cleanUp.use(await app.openPage());
    await connected();
    expect(page.isClosed()).toBe(true);

    // A task waits: closing asks, and «Cancel» changes nothing.
    const [node] = await api.nodes.list();
    await api.nodes.drain({ node: node!.id });
    const { taskIds } = await api.tasks.submit({ work: { kind: 'command', argv: ['true'] } });
    await app.until(({ tray }) => tray.toolTip.includes('1 waiting'), 'a task that waits');
    await app.do('closeWindow');
    const asked = await app.until(({ dialogs }) => dialogs.length === 1, 'a question');
    expect(asked.dialogs[0]).toMatchObject({
      buttons: ['Keep Running in the Background', 'Quit', 'Cancel'],
      detail: expect.stringContaining(
        '1 task waits in the queue until KohakuRiver runs again.',
      ) as string,
    });
    expect(asked.windows).toHaveLength(1);
    await app.do('menu', 'File', 'Quit');
    await app.until(({ dialogs }) => dialogs.length === 2, 'a question before quitting');
    expect((await app.facts()).windows).toHaveLength(1);

    await api.tasks.kill({ tasks: taskIds });
    await app.until(({ tray }) => tray.toolTip.includes('0 waiting'), 'nothing that waits');
    await app.do('menu', 'File', 'Quit').catch(() => undefined);
    expect([await app.exited, app.said]).toEqual([0, '']);
  });
});
