import { mkdtempSync, rmSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chooseDataDir } from '../../../src-main/hosts/data-dir.ts';
import { fileFor } from '../../../src-main/hosts/electron/app-protocol.ts';
import { whatGoesOn } from '../../../src-main/hosts/electron/host.ts';
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

  test('tells what goes on when the app quits, and asks nothing where nothing does', () => {
    expect(whatGoesOn({ tasks: { COMPLETED: 5, STOPPED: 1 } })).toBeUndefined();
    expect(whatGoesOn({ tasks: { RUNNING: 1, PENDING: 3 } })).toBe('1 task on nodes, 3 waiting.');
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
