import { existsSync, mkdtempSync, readFileSync, rmSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chooseDataDir } from '../../../src-main/hosts/data-dir.ts';
import { fileFor } from '../../../src-main/hosts/electron/app-protocol.ts';
import {
  autostartEntry,
  autostartFile,
  setStartAtLogin,
} from '../../../src-main/hosts/electron/login-item.ts';
import { CoresFile } from '../../../src-main/hosts/electron/cores-file.ts';
import { linkAmong, placeOfLink } from '../../../src-main/hosts/electron/deep-link.ts';
import { EndedTasks } from '../../../src-main/hosts/electron/ended-tasks.ts';
import { systemKeychain } from '../../../src-main/hosts/electron/keychain.ts';
import {
  menuBar,
  toTemplate,
  trayWords,
  type MenuEntry,
} from '../../../src-main/hosts/electron/menu.ts';
import { noticesFor } from '../../../src-main/hosts/electron/notices.ts';
import { defaultPreferences, Preferences } from '../../../src-main/hosts/electron/preferences.ts';
import {
  mustAskToQuit,
  onLastWindowClosed,
  whatGoesOn,
  workAtHand,
} from '../../../src-main/hosts/electron/quitting.ts';
import { checkCoreUrl } from '../../../src-main/hosts/electron/remote-core.ts';
import { Troubles } from '../../../src-main/hosts/electron/troubles.ts';
import { Updates, type Updater } from '../../../src-main/hosts/electron/updates.ts';
import { Wishes } from '../../../src-main/hosts/electron/wishes.ts';
import {
  readWindowState,
  writeWindowState,
} from '../../../src-main/hosts/electron/window-state.ts';
import { openerFor } from '../../../src-main/hosts/server/open-browser.ts';
import { localSocketPath } from '../../../src-main/hosts/server/local-socket.ts';
import { whyNotElectron } from '../../../scripts/lib/find-electron.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'electron-'));
  mkdirSync(join(dir, 'page', 'assets'), { recursive: true });
  writeFileSync(join(dir, 'page', 'index.html'), 'page');
  writeFileSync(join(dir, 'page', 'assets', 'a.js'), 'script');
  writeFileSync(join(dir, 'secret.txt'), 'secret');
  mkdirSync(join(dir, 'page-of-another'));
  writeFileSync(join(dir, 'page-of-another', 'b.js'), 'script');
});
afterAll(() => rmSync(dir, { recursive: true }));

describe('the page under app://', () => {
  const file = (url: string) => fileFor(url, join(dir, 'page'));

  test('is its own files', () => {
    expect(file('app://kohakuriver/')).toBe(join(dir, 'page', 'index.html'));
    expect(file('app://kohakuriver/index.html?x=1#/tasks')).toBe(join(dir, 'page', 'index.html'));
    expect(file('app://kohakuriver/assets/a.js')).toBe(join(dir, 'page', 'assets', 'a.js'));
  });

  test.each([
    'app://kohakuriver/assets/missing.js',
    'app://kohakuriver/assets',
    'app://kohakuriver/../secret.txt',
    'app://kohakuriver/%2e%2e/secret.txt',
    'app://kohakuriver/..%2fsecret.txt',
    'app://kohakuriver/..%2fpage-of-another%2fb.js',
    'app://kohakuriver/..%5csecret.txt',
    'app://kohakuriver/index.html%00',
    'app://kohakuriver/%E0%A4%A',
    'app://elsewhere/index.html',
    'file:///etc/passwd',
    'nonsense',
  ])('is not %s', (url) => {
    expect(file(url)).toBeUndefined();
  });
});

describe('the window', () => {
  const screen = { x: 0, y: 0, width: 1920, height: 1080 };
  const state = { bounds: { x: 100, y: 50, width: 1200, height: 800 }, isMaximized: true };

  test('opens as it was left, if that is still on a screen', async () => {
    expect(readWindowState(dir, [screen])).toBeUndefined();
    await writeWindowState(dir, state);
    expect(readWindowState(dir, [screen])).toEqual(state);
    expect(readWindowState(dir, [{ ...screen, x: 5000 }])).toBeUndefined();
    writeFileSync(join(dir, 'window.json'), '{"bounds":');
    expect(readWindowState(dir, [screen])).toBeUndefined();
  });
});

describe('leaving', () => {
  const idle = workAtHand({ tasks: { COMPLETED: 5, STOPPED: 1 } });
  const running = workAtHand({ tasks: { RUNNING: 1, PAUSED: 1, LOST: 1, ASSIGNING: 1 } });
  const waiting = workAtHand({ tasks: { RUNNING: 1, PENDING: 3 } });

  test('quitting asks only when something would wait in vain', () => {
    expect([undefined, idle, running, waiting].map(mustAskToQuit)).toEqual([
      false,
      false,
      false,
      true,
    ]);
  });

  test('says what goes on and what waits', () => {
    expect(whatGoesOn(idle)).toBeUndefined();
    expect(whatGoesOn(running)).toBe('4 tasks go on at the nodes, without this app.');
    expect(whatGoesOn(waiting)).toBe(
      '1 task goes on at the nodes, without this app. 3 tasks wait in the queue until KohakuRiver runs again.',
    );
  });

  test.each([
    ['ask', idle, 'linux', 'quit'],
    ['ask', undefined, 'win32', 'quit'],
    ['ask', running, 'linux', 'ask'],
    ['ask', waiting, 'win32', 'ask'],
    ['background', idle, 'linux', 'background'],
    ['quit', waiting, 'linux', 'quit'],
    ['quit', waiting, 'darwin', 'background'],
  ] as const)('closing the last window: %s with %o on %s', (preference, work, platform, action) => {
    expect(onLastWindowClosed(preference, work, platform)).toBe(action);
  });
});

describe('links from outside', () => {
  test.each([
    ['kohakuriver://task/123', ['tasks', '123']],
    ['kohakuriver://task/123/', ['tasks', '123']],
    ['kohakuriver://tasks', ['tasks']],
    ['kohakuriver://node/gpu-1.lab', ['nodes', 'gpu-1.lab']],
    ['kohakuriver://node/%E4%B8%AD', ['nodes', '中']],
  ])('%s shows a page', (link, place) => {
    expect(placeOfLink(link)).toEqual(place);
  });

  test.each([
    'kohakuriver://task/1/2',
    'kohakuriver://task/..%2f..',
    'kohakuriver://task/123?kill=1',
    'kohakuriver://task/%E0%A4%A',
    'kohakuriver://task/-rf',
    `kohakuriver://task/${'1'.repeat(200)}`,
    'kohakuriver://settings',
    'kohakuriver://constructor/x',
    'https://task/123',
    'nonsense',
  ])('%s shows nothing', (link) => {
    expect(placeOfLink(link)).toBeUndefined();
  });

  test('are found among the arguments of a start', () => {
    expect(linkAmong(['electron', '.', '--flag', 'kohakuriver://task/1'])).toBe(
      'kohakuriver://task/1',
    );
    expect(linkAmong(['electron', '.'])).toBeUndefined();
  });
});

describe('menus', () => {
  const facts = { isPackaged: true, newVersion: null };
  const flat = (entries: readonly MenuEntry[]): MenuEntry[] =>
    entries.flatMap((entry) =>
      typeof entry === 'object' && 'submenu' in entry ? [entry, ...flat(entry.submenu)] : [entry],
    );
  const commands = (platform: NodeJS.Platform) =>
    flat(menuBar({ ...facts, platform })).flatMap((entry) =>
      typeof entry === 'object' && 'command' in entry ? [entry.command] : [],
    );

  test.each(['linux', 'win32', 'darwin'] as const)(
    'on %s every order is there once, no key twice',
    (platform) => {
      const found = commands(platform);
      expect(new Set(found)).toEqual(
        new Set([
          ...['new-task', 'add-node', 'cores', 'close-window', 'keep-in-background', 'settings'],
          ...['quit', 'overview', 'nodes', 'tasks', 'palette'],
        ]),
      );
      const keys = flat(menuBar({ ...facts, platform })).flatMap((entry) =>
        typeof entry === 'object' && 'key' in entry ? [entry.key] : [],
      );
      expect(new Set(keys).size).toBe(keys.length);
    },
  );

  test('development tools are for a checkout; a new version can be installed once one is known', () => {
    const roles = (isPackaged: boolean) =>
      JSON.stringify(menuBar({ platform: 'linux', isPackaged, newVersion: '2.0.0' }));
    expect(roles(false)).toContain('toggleDevTools');
    expect(roles(true)).not.toContain('toggleDevTools');
    expect(roles(true)).toContain('Install 2.0.0 and Restart');
  });

  test('become what Electron takes, and run their order', () => {
    const ordered: string[] = [];
    const [file] = toTemplate(menuBar({ ...facts, platform: 'linux' }), (one) => ordered.push(one));
    const items = file!.submenu as { click?: () => void; accelerator?: string }[];
    items[0]!.click!();
    expect(ordered).toEqual(['new-task']);
    expect(items[0]!.accelerator).toBe('CmdOrCtrl+N');
  });

  test('the tray says what runs and waits, or that it does not know', () => {
    const core = { name: 'Lab', running: 2, waiting: 7 };
    expect(trayWords({ core, isReachable: true })).toBe('Lab: 2 running, 7 waiting');
    expect(trayWords({ core, isReachable: false })).toBe('Lab: not connected');
  });
});

describe('notices', () => {
  const ended = (status: 'COMPLETED' | 'FAILED' | 'KILLED' | 'KILLED_OOM', part = {}) => ({
    ...{ id: '100000' as never, name: 'train', status, reason: null, node: 'gpu1', exitCode: 0 },
    ...part,
  });

  test('tell of ends as wanted, never of what a person ended', () => {
    const all = [ended('COMPLETED'), ended('FAILED'), ended('KILLED')];
    expect(noticesFor(all, 'all').map(({ title }) => title)).toEqual([
      'train completed',
      'train failed',
    ]);
    expect(noticesFor(all, 'failures').map(({ title }) => title)).toEqual(['train failed']);
    expect(noticesFor(all, 'none')).toEqual([]);
  });

  test('many at once are one; what a node said is one clean line', () => {
    const many = Array.from({ length: 5 }, () => ended('KILLED_OOM'));
    expect(noticesFor(many, 'all')).toEqual([
      { title: '5 tasks have ended', body: '5 of them failed.', place: ['tasks'] },
    ]);
    const [notice] = noticesFor(
      [ended('FAILED', { reason: `a\n\u001b[31m${'x'.repeat(500)}` })],
      'all',
    );
    expect(notice!.body).toMatch(/^a \[31mx+…$/);
    expect(notice!.body.length).toBeLessThanOrEqual(160);
  });

  test('come once for each end, and not for what had ended before', () => {
    const row = (id: string, finishedAt: number, attempt = 1) => ({
      id: id as never,
      attempt,
      finishedAt,
    });
    const ends = new EndedTasks();
    expect(ends.take([row('1', 10)])).toEqual([]);
    expect(ends.take([row('2', 20), row('1', 10)])).toEqual([row('2', 20)]);
    expect(ends.take([row('2', 20), row('1', 10)])).toEqual([]);
    expect(ends.take([row('3', 20), row('2', 20)])).toEqual([row('3', 20)]);
    expect(ends.take([row('3', 20), row('2', 30, 2)])).toEqual([row('2', 30, 2)]);
  });
});

describe('what is kept', () => {
  const fresh = (name: string) => {
    const path = join(dir, name);
    mkdirSync(path);
    return path;
  };

  test('preferences last; a file that says nothing sensible counts as none', () => {
    const path = fresh('preferences');
    const changes: unknown[] = [];
    const preferences = new Preferences(path);
    preferences.onDidChange((next) => changes.push(next));
    preferences.set({ notifications: 'failures' });
    expect(changes).toEqual([{ ...defaultPreferences, notifications: 'failures' }]);
    expect(new Preferences(path).values.notifications).toBe('failures');
    for (const text of ['{', '{"notifications":"loud"}', '[]']) {
      writeFileSync(join(path, 'desktop.json'), text);
      expect(new Preferences(path).values).toEqual(defaultPreferences);
    }
  });

  test('troubles are bounded in number and size, newest first', () => {
    let at = 1000;
    const troubles = new Troubles({
      dataDir: fresh('troubles'),
      version: '1',
      now: () => (at += 1),
    });
    for (let n = 0; n < 40; n += 1) troubles.keepError('main', new Error(`number ${String(n)}`));
    troubles.keep('page', 'x'.repeat(10_000), 'y'.repeat(100_000));
    const list = troubles.list();
    expect(list).toHaveLength(30);
    expect(list[0]!.details).toHaveLength(20_000);
    expect(list[1]).toMatchObject({ kind: 'main', message: 'number 39', version: '1' });
    expect(list[1]!.details).toContain('electron-host.test');
    expect(troubles.removeAll()).toBe(30);
    expect(troubles.list()).toEqual([]);
  });

  test('a token is kept sealed, or for the session where there is no keychain', () => {
    const path = fresh('cores');
    const keychain = {
      encrypt: (text: string) => Buffer.from(text.toUpperCase()),
      decrypt: (sealed: Uint8Array) => Buffer.from(sealed).toString().toLowerCase(),
    };
    const address = { kind: 'url', url: 'https://box' } as const;
    const sealing = new CoresFile(path, () => keychain);
    expect(sealing.add('a', { name: 'A', address, token: 'secret' }).secret).toBe('kept');
    sealing.choose('a');
    const reopened = new CoresFile(path, () => keychain);
    expect([reopened.current, reopened.tokenOf('a')]).toEqual(['a', 'secret']);

    const open = new CoresFile(path, () => undefined);
    expect(open.add('b', { name: 'B', address, token: 'other' }).secret).toBe('session');
    expect(open.tokenOf('b')).toBe('other');
    expect(new CoresFile(path, () => undefined).tokenOf('b')).toBeUndefined();
    open.forget('a');
    expect(open.current).toBe('here');
  });

  test('nothing secret rests on a keychain that only hides', () => {
    const store = (backend: string) =>
      ({
        safeStorage: {
          isEncryptionAvailable: () => true,
          getSelectedStorageBackend: () => backend,
          encryptString: (text: string) => Buffer.from(text),
          decryptString: (sealed: Buffer) => sealed.toString(),
        },
      }) as const;
    expect(systemKeychain(store('basic_text'), 'linux')).toBeUndefined();
    expect(systemKeychain(store('gnome_libsecret'), 'linux')).toBeDefined();
    expect(systemKeychain(store('unknown'), 'darwin')).toBeDefined();
  });
});

describe('start at login', () => {
  test('is a file in the autostart folder on Linux, and Electron’s elsewhere', () => {
    const env = { XDG_CONFIG_HOME: join(dir, 'config') };
    const places = { platform: 'linux', env, homeDir: dir, command: ['/opt/a "b"/$app%'] } as const;
    const asked: unknown[] = [];
    const app = { setLoginItemSettings: (settings: unknown) => void asked.push(settings) };
    setStartAtLogin(app, true, places);
    expect(readFileSync(autostartFile(places), 'utf8')).toBe(
      autostartEntry(['/opt/a "b"/$app%', '--background']),
    );
    setStartAtLogin(app, false, places);
    expect(existsSync(autostartFile(places))).toBe(false);
    expect(asked).toEqual([]);
    setStartAtLogin(app, true, { ...places, platform: 'win32' });
    expect(asked).toEqual([{ openAtLogin: true, args: ['--background'] }]);
  });

  test('quotes the command as the specification says', () => {
    expect(autostartEntry(['/opt/a "b"/$app%'])).toContain(
      String.raw`Exec="/opt/a \\"b\\"/\\$app%%"`,
    );
  });
});

describe('cores elsewhere', () => {
  test('get their token over https, or on this computer, and no other way', () => {
    for (const url of [
      'https://box:8000',
      'http://127.0.0.1:8000',
      'http://localhost',
      'http://[::1]:1',
    ])
      expect(() => checkCoreUrl(url)).not.toThrow();
    for (const url of ['http://box:8000', 'http://127.0.0.1.example', 'http://10.0.0.5'])
      expect(() => checkCoreUrl(url)).toThrow('over SSH');
  });
});

describe('new versions', () => {
  test('are looked for only when wanted and possible, and installed only when told to', async () => {
    const done: string[] = [];
    const listeners = new Map<string, (value: never) => void>();
    const updater: Updater = {
      ...{ autoDownload: true, autoInstallOnAppQuit: true, allowDowngrade: true },
      checkForUpdates: () => Promise.resolve(done.push('check')),
      downloadUpdate: () => Promise.resolve(done.push('download')),
      quitAndInstall: () => void done.push('install'),
      on: (event: string, listener: (value: never) => void) => listeners.set(event, listener),
    };
    const ticks: (() => void)[] = [];
    const timers = {
      after: () => ({ [Symbol.dispose]: () => undefined }),
      every: (_ms: number, tick: () => void) => {
        ticks.push(tick);
        return { [Symbol.dispose]: () => void ticks.splice(0) };
      },
    };
    const make = (canUpdate: boolean) =>
      new Updates({
        canUpdate,
        load: () => Promise.resolve(updater),
        timers,
        onError: () => undefined,
      });
    make(false).follow(true);
    const updates = make(true);
    updates.follow(false);
    await expect(updates.install()).rejects.toThrow('No new version');
    expect(done).toEqual([]);

    updates.follow(true);
    await expect.poll(() => done).toEqual(['check']);
    expect(updater).toMatchObject({
      autoDownload: false,
      autoInstallOnAppQuit: false,
      allowDowngrade: false,
    });
    listeners.get('update-available')!({ version: '9.9.9' } as never);
    expect(updates.newVersion).toBe('9.9.9');
    expect(await updates.install()).toBe('9.9.9');
    expect(done).toEqual(['check', 'download', 'install']);
    updates.follow(false);
    expect(ticks).toEqual([]);
  });
});

describe('wishes', () => {
  test('wait for a page that hears them; of several only the newest', () => {
    const wishes = new Wishes();
    wishes.wish({ do: 'palette' });
    wishes.wish({ do: 'cores' });
    expect(wishes.takeUnheard()).toEqual([{ do: 'cores' }]);
    const heard: unknown[] = [];
    using _listening = wishes.onDidWish((wish) => heard.push(wish));
    wishes.wish({ do: 'add-node' });
    expect(heard).toEqual([{ do: 'add-node' }]);
    expect(wishes.takeUnheard()).toEqual([]);
  });
});

describe('places', () => {
  test('the data directory follows the platform, and what was given goes first', () => {
    const around = (platform: NodeJS.Platform, env = {}) => ({ platform, env, home: '/home/anna' });
    expect(chooseDataDir(undefined, around('linux'))).toBe(
      '/home/anna/.local/share/kohakuriver-desktop',
    );
    expect(chooseDataDir(undefined, around('linux', { XDG_DATA_HOME: '/data' }))).toBe(
      '/data/kohakuriver-desktop',
    );
    expect(chooseDataDir(undefined, around('darwin'))).toBe(
      '/home/anna/Library/Application Support/KohakuRiver Desktop',
    );
    expect(chooseDataDir(undefined, around('linux', { KOHAKURIVER_DATA_DIR: '/own' }))).toBe(
      '/own',
    );
    expect(chooseDataDir('/given', around('linux', { KOHAKURIVER_DATA_DIR: '/own' }))).toBe(
      '/given',
    );
  });

  test('the local socket never has a path the system refuses', () => {
    const linux = { platform: 'linux' as const, env: { XDG_RUNTIME_DIR: '/run/user/1000' } };
    expect(localSocketPath('/home/anna/data', linux)).toBe('/home/anna/data/core.sock');
    for (const env of [
      {},
      { XDG_RUNTIME_DIR: '/run/user/1000' },
      { XDG_RUNTIME_DIR: `/${'r'.repeat(150)}` },
    ]) {
      const path = localSocketPath(`/${'d'.repeat(120)}`, { platform: 'linux', env });
      expect(Buffer.byteLength(path)).toBeLessThanOrEqual(103);
    }
    expect(localSocketPath('C:\\data', { platform: 'win32', env: {} })).toMatch(
      /^\\\\\.\\pipe\\kohakuriver-[0-9a-f]{16}$/,
    );
  });
});

describe('opening the app', () => {
  test('names what speaks against Electron', () => {
    const display = { DISPLAY: ':0' };
    expect(whyNotElectron({ platform: 'linux', env: display, uid: 1000 })).toBeUndefined();
    expect(whyNotElectron({ platform: 'linux', env: {}, uid: 1000 })).toContain('display');
    expect(whyNotElectron({ platform: 'linux', env: display, uid: 0 })).toContain('root');
    expect(whyNotElectron({ platform: 'darwin', env: {}, uid: 0 })).toBeUndefined();
  });

  test('opens a browser only where there is a display', () => {
    expect(openerFor('linux', {})).toBeUndefined();
    expect(openerFor('linux', { WAYLAND_DISPLAY: 'wayland-0' })?.command).toBe('xdg-open');
    expect(openerFor('darwin', {})?.command).toBe('open');
  });
});
