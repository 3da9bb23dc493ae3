// The desktop app: the built entry and preload of the Electron host, on a stand-in for the Electron
// APIs it uses (test/support/electron-stand-in) and a real Chromium, with a real core.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createClient, type Api } from '../../src-main/contract/client.ts';
import { attachToLocalCore } from '../../src-main/hosts/server/attach.ts';
import { temporaryDataDir } from '../support/core-process.ts';
import { ElectronApp, type OpenPage } from '../support/electron-app.ts';
import { ensureBuilt } from '../support/built.ts';
import { hasChromium } from './support/browser.ts';
import { seriousViolations } from './support/look.ts';

interface DesktopWindow {
  kohakuriverHost: { pathOf(file: File): string };
  require?: unknown;
  process?: unknown;
  dropped?: string[];
}
declare const window: Window & DesktopWindow;

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

  test('opens one window, confined as the checklist says, on a page with a strict policy', async () => {
    const { windowOptions, schemes, isSandboxed, crashReporter, windows } = await app.until(
      ({ windows: [window] }) => window?.isShown === true,
      'a window that is shown',
    );
    expect(isSandboxed).toBe(true);
    expect(crashReporter).toEqual({ uploadToServer: false });
    expect(schemes).toMatchObject([
      { scheme: 'app', privileges: { standard: true, secure: true } },
    ]);
    expect(windows).toEqual([{ isShown: true }]);
    expect(windowOptions).toMatchObject([
      {
        webPreferences: {
          ...{ sandbox: true, contextIsolation: true, nodeIntegration: false, webSecurity: true },
          ...{ webviewTag: false, allowRunningInsecureContent: false, experimentalFeatures: false },
        },
      },
    ]);
    const policy = await open.page.evaluate(async () => {
      const answer = await fetch(window.location.href);
      return answer.headers.get('content-security-policy');
    });
    expect(policy).toContain("default-src 'none'; script-src 'self'");
    expect(policy).not.toContain('unsafe-eval');
    const world = await open.page.evaluate(() => [
      typeof window.require,
      typeof window.process,
      Object.keys(window.kohakuriverHost),
    ]);
    expect(world).toEqual(['undefined', 'undefined', ['pathOf']]);
  });

  test('carries calls, feeds and byte streams; tells of ends; a click on the notice leads there', async () => {
    const { page } = open;
    const script = 'for i in 1 2 3; do echo step $i of 3; sleep 1; done';
    await api.tasks.submit({ name: 'first-task', work: { kind: 'script', text: script } });
    await app.until(({ tray }) => tray.toolTip.includes('1 running'), 'a count in the tray');
    await app.do('menu', 'View', 'Tasks');
    await page.getByText('first-task').first().click();
    await page.getByRole('heading', { name: 'first-task' }).waitFor();
    const output = page.getByRole('region', { name: 'Output of the task' });
    await output.getByText(/step\s+3 of 3/).waitFor();
    const task = place();
    const told = await app.until(({ notifications }) => notifications.length > 0, 'a notice');
    expect(told.notifications).toEqual([
      { title: 'first-task completed', body: expect.stringContaining('It ran on') as string },
    ]);
    await app.do('menu', 'View', 'Nodes');
    await atPlace('#/nodes');
    await app.do('notification', 0);
    await atPlace(task);
    expect(open.complaints).toEqual([]);
  });

  test('does what menus, the tray, a second start and links say', async () => {
    const { page } = open;
    await app.do('menu', 'File', 'New Task…');
    await atPlace('#/tasks/new');
    await app.do('tray', 'Tasks');
    await atPlace('#/tasks');
    await app.do('menu', 'View', 'Find Anything…');
    await page.getByRole('dialog', { name: 'Commands' }).waitFor();
    await page.keyboard.press('Escape');

    const second = new ElectronApp(dataDir, { args: ['kohakuriver://node/alpha'] });
    expect(await second.exited).toBe(0);
    await atPlace('#/nodes/alpha');
    await app.do('appEvent', 'open-url', 'kohakuriver://task/123456');
    await atPlace('#/tasks/123456');
    for (const link of [
      'kohakuriver://task/..%2f..',
      'kohakuriver://settings/x',
      'https://a.example',
    ])
      await app.do('appEvent', 'open-url', link);
    await app.do('appEvent', 'open-url', 'kohakuriver://tasks');
    await atPlace('#/tasks');
    expect((await app.facts()).windows).toHaveLength(1);
  });

  test('refuses to leave its page, to open windows, devices, and ports for others', async () => {
    const { page } = open;
    const before = place();
    await page.evaluate(() => {
      window.open('https://docs.example/help');
      window.open('http://plain.example/');
      window.location.href = 'https://elsewhere.example/';
    });
    const facts = await app.until(({ navigations }) => navigations.length > 0, 'a refusal');
    expect(facts.navigations).toEqual([{ url: 'https://elsewhere.example/', isPrevented: true }]);
    expect(facts.windowsAsked.map(({ answer }) => answer)).toEqual(['deny', 'deny']);
    expect(facts.opened).toEqual(['https://docs.example/help']);
    expect(place()).toBe(before);
    const denied = await page.evaluate(async () => {
      const state = async (name: string) =>
        (await navigator.permissions.query({ name: name as PermissionName })).state;
      return Promise.all(['geolocation', 'notifications', 'camera', 'clipboard-read'].map(state));
    });
    expect(denied).not.toContain('granted');
    expect(await app.do('foreignMessage', 'wire-wanted', 'https://elsewhere.example', true)).toBe(
      false,
    );
    expect(await app.do('foreignMessage', 'wire-wanted', 'app://kohakuriver', false)).toBe(false);
    expect(await app.do('foreignMessage', 'wire-wanted', 'app://kohakuriver', true)).toBe(true);
    await connected();
  });

  test('knows the paths of dropped files, hands one out; a drop that nobody takes does not lead away', async () => {
    const { page } = open;
    const folder = join(dataDir, 'dropped');
    await mkdir(folder);
    const file = join(folder, 'data set.csv');
    await writeFile(file, 'a,b\n');
    await page.evaluate(() => {
      window.dropped = [];
      document.addEventListener('dragover', (event) => event.preventDefault());
      document.addEventListener('drop', (event) => {
        event.preventDefault();
        for (const each of event.dataTransfer?.files ?? [])
          window.dropped?.push(window.kohakuriverHost.pathOf(each));
      });
    });
    await app.do('drop', file);
    await page.waitForFunction(() => window.dropped?.length === 1);
    expect(await page.evaluate(() => window.dropped)).toEqual([file]);
    // Back out: a file of this computer is handed to the system as a drag begins.
    const [local] = await api.nodes.list();
    await page.evaluate(
      (query) => {
        window.location.hash = `#/files?${query}`;
      },
      String(new URLSearchParams({ node: local!.id, path: folder })),
    );
    const row = page.getByRole('row', { name: /data set\.csv/ }).first();
    const box = (await row.boundingBox())!;
    await page.mouse.move(box.x + 40, box.y + 10);
    await page.mouse.down();
    await page.mouse.move(box.x + 80, box.y + 60, { steps: 6 });
    await page.mouse.up();
    const { drags } = await app.until(({ drags: all }) => all.length > 0, 'a drag');
    expect(drags).toEqual([{ file, icon: expect.stringContaining('drag.png') as string }]);
    // A drop that nobody takes must not lead away.
    await page.reload();
    await connected();
    await app.do('drop', file);
    await connected();
  });

  test('shows its own part of the settings: preferences that last, diagnostics, what went wrong', async () => {
    const { page } = open;
    await app.do('menu', 'Help', 'About and Diagnostics');
    const panel = page.getByRole('region', { name: 'This app' });
    await panel.getByRole('switch', { name: 'Start at login' }).click();
    await expect
      .poll(() => readFile(join(dataDir, '.config/autostart/kohakuriver-desktop.desktop'), 'utf8'))
      .toContain('"--background"');
    await panel.getByRole('switch', { name: 'Start at login', checked: true }).click();
    await panel.getByRole('switch', { name: 'Start at login', checked: false }).waitFor();
    expect(JSON.parse(await readFile(join(dataDir, 'desktop.json'), 'utf8'))).toMatchObject({
      startAtLogin: false,
      whenWindowCloses: 'ask',
    });
    await page.getByText('Longest hold of its main thread').waitFor();
    await page.getByText('Nothing has gone wrong.').waitFor();
    expect(await seriousViolations(page)).toEqual([]);
  });
});
