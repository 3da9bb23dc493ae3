// A real folder, watched by the operating system.
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FolderWatch } from '../../../src-main/link/local/folder-watch.ts';
import { systemTimers as timers } from '../../../src-main/link/system-timers.ts';

let root: string;
const at = (path: string) => join(root, path);
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'kohakuriver-watch-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const never = new AbortController().signal;

test('tells of changes in folders that were there, are new, or came anew under their name', async () => {
  mkdirSync(at('src/deep'), { recursive: true });
  using watch = new FolderWatch(root, { exclude: [], useIgnoreFiles: true, timers });
  await watch.lookForFolders();
  const steps = [
    () => writeFileSync(at('src/deep/a'), '1'),
    () => mkdirSync(at('made')),
    () => writeFileSync(at('made/b'), '2'),
    () => rmSync(at('src'), { recursive: true }),
    () => mkdirSync(at('src')),
    () => writeFileSync(at('src/c'), '3'),
    () => renameSync(at('made/b'), at('made/c')),
  ];
  for (const step of steps) {
    const changed = watch.changed(never);
    step();
    expect(await changed).toBe(true);
    await watch.lookForFolders();
  }
});

test('what changes while nobody waits is told to who asks next; an abort ends the wait', async () => {
  using watch = new FolderWatch(root, { exclude: [], useIgnoreFiles: true, timers });
  await watch.lookForFolders();
  writeFileSync(at('a'), '1');
  // The event is on its way; whichever comes first, it is told once.
  expect(await watch.changed(never)).toBe(true);
  await watch.lookForFolders();
  const abort = new AbortController();
  const changed = watch.changed(abort.signal);
  abort.abort();
  expect(await changed).toBe(false);
});

test('what is ignored is not told', async () => {
  writeFileSync(at('.gitignore'), 'out/\n*.log\n');
  mkdirSync(at('out'));
  using watch = new FolderWatch(root, { exclude: ['tmp'], useIgnoreFiles: true, timers });
  await watch.lookForFolders();
  const abort = new AbortController();
  const told = watch.changed(abort.signal);
  writeFileSync(at('run.log'), 'x');
  writeFileSync(at('tmp'), 'x');
  writeFileSync(at('out/y'), 'x');
  // Longer than the quiet it waits for.
  setTimeout(() => abort.abort(), 700);
  expect(await told).toBe(false);
});

test('a folder that is not there cannot be watched', async () => {
  using watch = new FolderWatch(at('nowhere'), { exclude: [], useIgnoreFiles: true, timers });
  await expect(watch.lookForFolders()).rejects.toMatchObject({ code: 'link/file-failed' });
});
