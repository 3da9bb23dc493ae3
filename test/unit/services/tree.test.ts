// A tree listed in one go is the tree, or it is not listed: by this computer's find as a node has it, and by
// one that lies.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { bytesOfText } from '../../../src-main/domain/files/path-text.ts';
import { LocalFiles } from '../../../src-main/link/local/local-files.ts';
import { startLocally } from '../../../src-main/link/local/local-process.ts';
import type { Root } from '../../../src-main/services/files/places.ts';
import { findTools, type HashingEnd } from '../../../src-main/services/transfers/far-side.ts';
import { scan } from '../../../src-main/services/transfers/scan.ts';
import { stagedTree } from '../../../src-main/services/transfers/stage.ts';
import { listTreeOf, wholeTree } from '../../../src-main/services/transfers/tree.ts';
import { nastyNames } from '../../support/nasty-names.ts';

const dir = mkdtempSync(join(tmpdir(), 'kohakuriver-tree-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const { signal } = new AbortController();
const env = { PATH: process.env['PATH'] ?? '' };

/** A node whose programs are those of this computer, or what is said instead. */
function rootOf(says?: string): Root {
  const files = new LocalFiles();
  const saying = join(dir, 'says');
  if (says !== undefined) writeFileSync(saying, says);
  const command = (given: readonly string[]) => (says === undefined ? given : ['cat', saying]);
  return {
    ...{ nodeId: 'n1', files },
    spawn: (given: readonly string[]) => startLocally({ command: command(given), env, cwd: '/' }),
  } as unknown as Root;
}

async function listed(path: string, { says, limit = 1000 }: { says?: string; limit?: number }) {
  const tools = { find: true } as HashingEnd['tools'];
  const listTree = listTreeOf({ root: rootOf(says), tools, thread: undefined });
  return wholeTree(listTree, path, { signal, limit });
}

const hasFind = spawnSync('find', ['/', '-maxdepth', '0', '-printf', 'find']).status === 0;

describe.skipIf(!hasFind)('by a find that prints what is asked of it', () => {
  test('it is known to be there', async () => {
    expect((await findTools(rootOf())).find).toBe(true);
    expect((await findTools(rootOf('tar\nsh\n'))).find).toBe(false);
  });

  test('every name and every kind is found as a walk through the folders finds it', async () => {
    const top = join(dir, 'nasty');
    mkdirSync(join(top, 'deep/er'), { recursive: true });
    for (const folder of ['', 'deep/er/']) {
      for (const name of nastyNames) {
        const path = Buffer.concat([Buffer.from(`${top}/${folder}`), bytesOfText(name)]);
        writeFileSync(path, name);
        utimesSync(path, 1_234_567_890.75, 1_234_567_890.75);
      }
    }
    symlinkSync('/', join(top, 'out'));
    symlinkSync('nowhere', join(top, 'deep/broken'));
    spawnSync('mkfifo', [join(top, 'pipe')]);
    const options = { root: rootOf(), paths: [top], recursive: true, signal, limit: 1000 };
    const found: { files: number }[] = [];
    const onFound = (each: { files: number; bytes: number }) => void found.push(each);
    const walked = await scan({ ...options, onFound });
    const tools = await findTools(options.root);
    const listTree = listTreeOf({ root: options.root, tools, thread: undefined });
    const atOnce = await scan({ ...options, onFound, listTree });
    const items = ({ sources }: typeof walked) =>
      new Map(sources.flatMap((source) => source.items).map((item) => [item.path, item]));
    expect(items(atOnce)).toEqual(items(walked));
    expect(items(atOnce).size).toBe(2 * nastyNames.length + 5);
    expect(atOnce.problems).toEqual(walked.problems);
    expect(atOnce.problems).toMatchObject([{ path: 'nasty/pipe', outcome: 'skipped' }]);
    expect(found.at(-1)?.files).toBe(2 * nastyNames.length);
  });

  test('what it cannot read, and more than may be, is left to the walk, which says so', async () => {
    expect(await listed(join(dir, 'nowhere'), {})).toBeUndefined();
    const top = join(dir, 'many');
    mkdirSync(top);
    for (let at = 0; at < 30; at += 1) writeFileSync(join(top, String(at)), '');
    expect(await listed(top, { limit: 30 })).toHaveLength(30);
    expect(await listed(top, { limit: 29 })).toBeUndefined();
    const staged = (limit: number) => stagedTree(rootOf(), top, { signal, limit });
    expect((await staged(30)).size).toBe(30);
    await expect(staged(29)).rejects.toMatchObject({ code: 'transfer/failed' });
    const options = { root: rootOf(), paths: [top], recursive: true, signal, limit: 30 };
    const tools = await findTools(options.root);
    const listTree = listTreeOf({ root: options.root, tools, thread: undefined });
    await expect(scan({ ...options, onFound: () => undefined, listTree })).rejects.toMatchObject({
      code: 'transfer/too-many',
    });
  });

  test('how much was found is told while more comes', async () => {
    const long = 'n'.repeat(200);
    const lines = Array.from({ length: 3000 }, (_, at) => `f 2 644 5.0 ${long}${String(at)}\0`);
    const root = rootOf(lines.join(''));
    const files = { ...root.files, stat: async () => ({ kind: 'directory', size: 0 }) };
    const found: number[] = [];
    await scan({
      root: { ...root, files: files as unknown as Root['files'] },
      paths: ['/x'],
      recursive: true,
      signal,
      limit: 10_000,
      onFound: ({ files: count, bytes }) => {
        expect(bytes).toBe(2 * count);
        found.push(count);
      },
      listTree: listTreeOf({
        root,
        tools: { find: true } as HashingEnd['tools'],
        thread: undefined,
      }),
    });
    expect(found[0]).toBeLessThan(3000);
    expect(found.at(-1)).toBe(3000);
    expect(found).toEqual(found.toSorted((one, other) => one - other));
  });

  test('a folder that is empty has nothing in it', async () => {
    const top = join(dir, 'empty');
    mkdirSync(top);
    expect(await listed(top, {})).toEqual([]);
  });
});

describe('by one that lies', () => {
  test.each([
    ['a name twice', 'f 1 644 5.0 a\0f 1 644 5.0 a\0'],
    ['what is in no folder of it', 'f 1 644 5.0 a/b\0'],
    ['what is in a file', 'f 1 644 5.0 a\0f 1 644 5.0 a/b\0'],
    ['what is in a link', 'l 1 777 5.0 a\0f 1 644 5.0 a/b\0'],
    ['a way out', 'd 1 755 5.0 a\0d 1 755 5.0 a/..\0f 1 644 5.0 a/../b\0'],
    ['the folder above', 'd 1 755 5.0 ..\0'],
    ['itself', 'd 1 755 5.0 .\0'],
    ['an absolute path', 'f 1 644 5.0 /etc/passwd\0'],
    ['an empty name', 'd 1 755 5.0 a\0f 1 644 5.0 a/\0'],
  ])('%s: it is not trusted', async (_what, says) => {
    await expect(listed('/x', { says })).rejects.toMatchObject({ code: 'transfer/hostile' });
  });

  test.each([
    ['no listing at all', 'hello\n'],
    ['an end in the middle', 'f 1 644 5.0 a\0f 1 644 5.0 b'],
    ['a line without a path', 'f 1 644 5.0 \0'],
    ['a negative size', 'f -1 644 5.0 a\0'],
    ['a time before 1970, which SFTP does not know', 'f 1 644 -5.0 a\0'],
    ['a size that is no number', 'f 1e3 644 5.0 a\0'],
  ])('%s: the folders are walked through', async (_what, says) => {
    expect(await listed('/x', { says })).toBeUndefined();
  });

  test('a line without an end, a tree too deep, and a path too long are not read on', async () => {
    expect(await listed('/x', { says: 'x'.repeat(20_000) })).toBeUndefined();
    const paths = Array.from({ length: 600 }, (_, depth) => 'd/'.repeat(depth) + 'd');
    const deep = (depth: number) =>
      paths
        .slice(0, depth)
        .map((path) => `d 1 755 5.0 ${path}\0`)
        .join('');
    expect(await listed('/x', { says: deep(500) })).toHaveLength(500);
    expect(await listed('/x', { says: deep(600) })).toBeUndefined();
    const long = Array.from({ length: 17 }, () => 'n'.repeat(250)).map((_, at, all) =>
      all.slice(0, at + 1).join('/'),
    );
    const says = (many: number) => long.slice(0, many).map((path) => `d 1 755 5.0 ${path}\0`);
    expect(await listed('/x', { says: says(16).join('') })).toHaveLength(16);
    expect(await listed('/x', { says: says(17).join('') })).toBeUndefined();
  });
});
