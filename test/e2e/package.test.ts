// What `npm run package` puts into the app: the unpacked Linux directory, made with a dummy in the
// place of Electron's own files, is looked into, and what is in its archive is started on the stand-in.
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { createPackage, extractAll, listPackage } from '@electron/asar';
import { FuseState, FuseV1Options, getCurrentFuseWire } from '@electron/fuses';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { temporaryDataDir } from '../support/core-process.ts';
import { ElectronApp } from '../support/electron-app.ts';
import { ensureBuilt, root } from '../support/built.ts';
import { hasChromium } from './support/browser.ts';

const run = promisify(execFile);

/** What electron-builder needs of Electron's distribution: a program with a fuse wire, and an archive of its own. */
async function dummyElectron(folder: string): Promise<void> {
  const program = join(folder, 'electron');
  await mkdir(join(folder, 'resources'), { recursive: true });
  const fuses = Object.values(FuseV1Options).filter((value) => typeof value === 'number').length;
  // The wire's form: https://github.com/electron/electron/blob/main/docs/tutorial/fuses.md
  const wire = Buffer.from([1, fuses, ...Array.from({ length: fuses }, () => FuseState.ENABLE)]);
  const sentinel = Buffer.from('dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX');
  await writeFile(program, Buffer.concat([Buffer.alloc(4096), sentinel, wire, Buffer.alloc(4096)]));
  await chmod(program, 0o755);
  const empty = await mkdtemp(join(folder, 'empty-'));
  await writeFile(join(empty, 'package.json'), '{}');
  await createPackage(empty, join(folder, 'resources/default_app.asar'));
}

async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length));
}

test('what `serve` sends compressed is what lies beside it', async () => {
  await ensureBuilt();
  const assets = join(root, 'dist/renderer/assets');
  const files = (await readdir(assets)).filter((name) => /\.(js|css)$/.test(name));
  expect(files.length).toBeGreaterThan(50);
  for (const name of files) {
    const [plain, packed] = await Promise.all([
      readFile(join(assets, name)),
      readFile(join(assets, `${name}.gz`)),
    ]);
    expect(gunzipSync(packed).equals(plain), name).toBe(true);
  }
});

describe('the packaged app', () => {
  let work: string;
  let app: string;
  let archive: string;
  let inside: string[];

  beforeAll(async () => {
    await ensureBuilt();
    work = await mkdtemp('/tmp/kohakuriver-package-');
    await dummyElectron(join(work, 'electron'));
    await run(
      process.execPath,
      [
        ...['node_modules/electron-builder/cli.js', '--linux', 'dir', '--publish', 'never'],
        ...[`-c.electronDist=${join(work, 'electron')}`, `-c.directories.output=${work}/release`],
      ],
      { cwd: root, maxBuffer: 64 * 2 ** 20 },
    );
    app = join(work, 'release/linux-unpacked');
    archive = join(app, 'resources/app.asar');
    inside = listPackage(archive, { isPack: false });
  }, 300_000);
  afterAll(() => rm(work, { recursive: true, force: true }));

  test('holds what runs, and nothing else', async () => {
    const top = new Set(inside.map((path) => path.split('/')[1]));
    expect([...top].sort()).toEqual([
      ...['LICENSE', 'dist', 'node_modules', 'package.json', 'resources'],
    ]);
    const wanted = ['/dist/main/electron-main.js', '/dist/main/preload.cjs'];
    wanted.push('/dist/main/planner-worker.js', '/dist/renderer/index.html');
    for (const script of await readdir(join(root, 'resources/node')))
      wanted.push(`/resources/node/${script}`);
    expect(wanted.filter((path) => !inside.includes(path))).toEqual([]);

    const unwanted =
      /\.(ts|mts|map|md|svelte|c|cc|h|gz)$|\/dist\/main\/(cli|serve)\.js$|\/test\/|\/docs\//;
    expect(inside.filter((path) => unwanted.test(path))).toEqual([]);
    const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { dev?: boolean }>;
    };
    const modules = inside.filter((path) => /^\/node_modules\/(@[^/]+\/)?[^/@]+$/.test(path));
    expect(modules.length).toBeGreaterThan(30);
    // By name: the packager lays out the tree anew.
    const shipped = new Set(
      Object.entries(lock.packages)
        .filter(([, { dev }]) => dev !== true)
        .map(([path]) => path.split('node_modules/').at(-1)),
    );
    const developers = modules.filter((path) => !shipped.has(path.slice('/node_modules/'.length)));
    expect(developers).toEqual([]);
  });

  test('keeps native modules as files beside the archive', async () => {
    const natives = inside.filter((path) => path.endsWith('.node'));
    expect(natives.join(' ')).toContain('better-sqlite3/prebuilds/linux-x64.node');
    expect(natives.filter((path) => /darwin|win32/.test(path))).toEqual([]);
    const beside = await filesUnder(`${archive}.unpacked`);
    expect(natives.filter((path) => !beside.includes(path))).toEqual([]);
  });

  test('has the fuses of electron-builder.yml', async () => {
    const program = join(app, 'kohakuriver-desktop');
    expect((await stat(program)).mode & 0o111).not.toBe(0);
    expect(await getCurrentFuseWire(program)).toMatchObject({
      [FuseV1Options.RunAsNode]: FuseState.DISABLE,
      [FuseV1Options.EnableCookieEncryption]: FuseState.ENABLE,
      [FuseV1Options.EnableNodeOptionsEnvironmentVariable]: FuseState.DISABLE,
      [FuseV1Options.EnableNodeCliInspectArguments]: FuseState.DISABLE,
      [FuseV1Options.EnableEmbeddedAsarIntegrityValidation]: FuseState.ENABLE,
      [FuseV1Options.OnlyLoadAppFromAsar]: FuseState.ENABLE,
      [FuseV1Options.GrantFileProtocolExtraPrivileges]: FuseState.DISABLE,
    });
  });

  test.skipIf(!hasChromium)('starts from what is in the archive alone', async () => {
    const extracted = join(work, 'extracted');
    extractAll(archive, extracted);
    await using dataDir = await temporaryDataDir();
    await using started = new ElectronApp(dataDir.path, {
      entry: join(extracted, 'dist/main/electron-main.js'),
    });
    await using open = await started.openPage();
    await open.page.getByText('Connected', { exact: true }).waitFor();
    expect(open.complaints).toEqual([]);
  });
});
