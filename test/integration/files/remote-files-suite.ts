// What every kind of files promises, whatever is behind it.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { joinPath } from '../../../src-main/domain/files/paths.ts';
import type { RemoteFiles } from '../../../src-main/link/node-link.ts';
import { nastyNames } from '../../support/nasty-names.ts';

export interface Place {
  readonly files: RemoteFiles;
  /** An empty directory. */
  readonly dir: string;
}

export function describeRemoteFiles(
  name: string,
  open: () => Promise<Place>,
  { isPrivileged = true, names = nastyNames.length, entries = 40 } = {},
): void {
  describe(`files: ${name}`, () => {
    let files: RemoteFiles;
    let dir: string;
    const at = (name: string) => joinPath(dir, name);
    const code = (code: string) => ({ code });
    beforeAll(async () => ({ files, dir } = await open()));
    afterAll(() => files.removeTree(dir));

    /** Those that are dealt with one by one come first. */
    const [quoted, lines, raw] = [nastyNames[4]!, nastyNames[7]!, nastyNames[13]!];
    const tried = [...new Set([quoted, lines, raw, ...nastyNames])].slice(0, names);

    test('every name survives, as a file and as a folder, and only its own file is touched', async () => {
      const home = at('names');
      await files.makeDirectory(home);
      for (const name of tried) {
        await files.writeFileAtomically(joinPath(home, name), Buffer.from(name));
      }
      const listed = await files.list(home);
      expect(listed.map((entry) => entry.name).sort()).toEqual([...tried].sort());
      for (const name of [quoted, lines, raw]) {
        const path = joinPath(home, name);
        expect((await files.readFile(path)).toString()).toBe(Buffer.from(name).toString());
        await files.rename(path, `${path}2`);
        expect(await files.stat(path)).toBeUndefined();
        await files.makeDirectory(path);
        await files.makeLink(joinPath(path, 'l'), name);
        expect(await files.readLink(joinPath(path, 'l'))).toBe(name);
        await files.setMode(`${path}2`, 0o600);
        expect(await files.stat(`${path}2`)).toMatchObject({ kind: 'file', mode: 0o600 });
        await files.remove(`${path}2`);
      }
      await files.removeTree(home);
      expect(await files.stat(home)).toBeUndefined();
    });

    test('writes and reads at positions', async () => {
      const path = at('positions');
      await using file = await files.open(path, 'w');
      const bytes = Buffer.alloc(300_000, 'river');
      await file.write(0, bytes);
      await file.write(100_000, Buffer.from('HERE'));
      await file.write(300_000, Buffer.from('end'));
      await file.sync();
      expect((await file.stat()).size).toBe(300_003);
      expect((await files.readFile(path, 5)).toString()).toBe('river');
      await using reader = await files.open(path, 'r');
      expect((await reader.read(99_998, 8)).toString()).toMatch(/^..HERE..$/);
      expect((await reader.read(300_000, 100)).toString()).toBe('end');
      expect((await reader.read(300_003, 10)).length).toBe(0);
      await using appended = await files.open(path, 'r+');
      await appended.write(1, Buffer.from('I'));
      expect((await files.readFile(path, 5)).toString()).toBe('rIver');
      await (await files.open(path, 'w'))[Symbol.asyncDispose]();
      expect((await files.stat(path))?.size).toBe(0);
      // No number of 32 bits; nothing lies before it.
      const far = 5 * 2 ** 30;
      await appended.write(far, Buffer.from('a long river'));
      expect((await reader.read(far + 2, 100)).toString()).toBe('long river');
      await files.remove(path);
    });

    test('keeps modes, times and links, and follows a link only when told', async () => {
      const path = at('meta');
      await files.writeFileAtomically(path, Buffer.from('12345'), 0o640);
      await files.setModified(path, 1_000_000_001);
      await files.makeLink(at('meta-link'), 'meta');
      await files.makeLink(at('nowhere'), 'not-there');
      expect(await files.stat(path)).toMatchObject({
        kind: 'file',
        size: 5,
        mode: 0o640,
        modifiedAt: 1_000_000_001,
      });
      expect(await files.stat(at('meta-link'))).toMatchObject({ kind: 'link' });
      expect(await files.stat(at('meta-link'), { follow: true })).toMatchObject({ size: 5 });
      expect(await files.stat(at('nowhere'))).toMatchObject({ kind: 'link' });
      expect(await files.stat(at('nowhere'), { follow: true })).toBeUndefined();
      expect(await files.realPath(at('meta-link'))).toBe(await files.realPath(path));
      expect(await files.realPath('.')).toMatch(/^\//);
      expect((await files.diskUse(dir))?.freeBytes).toBeGreaterThan(0);
    });

    test('a rename replaces a file or a link in one step, and nothing else', async () => {
      await files.makeDirectory(at('r'));
      const [a, b] = [at('r/a'), at('r/b')];
      await files.writeFileAtomically(a, Buffer.from('a'));
      await files.writeFileAtomically(b, Buffer.from('b'));
      await files.rename(a, b);
      expect((await files.readFile(b)).toString()).toBe('a');
      await files.makeDirectory(at('r/folder'));
      await files.makeLink(at('r/to-folder'), 'folder');
      await files.rename(b, at('r/to-folder'));
      expect(await files.stat(at('r/to-folder'))).toMatchObject({ kind: 'file' });
      expect(await files.list(at('r/folder'))).toEqual([]);
      await expect(files.rename(at('r/to-folder'), at('r/folder'))).rejects.toMatchObject(
        code('link/file-failed'),
      );
      await expect(files.rename(at('r/missing'), at('r/x'))).rejects.toMatchObject(
        code('link/file-not-found'),
      );
    });

    test('names what is wrong', async () => {
      const missing = at('missing');
      expect(await files.stat(missing)).toBeUndefined();
      await expect(files.list(missing)).rejects.toMatchObject(code('link/file-not-found'));
      await expect(files.readFile(missing)).rejects.toMatchObject(code('link/file-not-found'));
      await expect(files.remove(missing)).rejects.toMatchObject(code('link/file-not-found'));
      await files.makeDirectory(at('e'));
      await expect(files.makeDirectory(at('e'))).rejects.toMatchObject(code('link/file-exists'));
      await (await files.open(at('e/x'), 'wx'))[Symbol.asyncDispose]();
      await expect(files.open(at('e/x'), 'wx')).rejects.toMatchObject(code('link/file-exists'));
      await expect(files.makeLink(at('e/x'), 'y')).rejects.toMatchObject(code('link/file-exists'));
      await expect(files.removeDirectory(at('e'))).rejects.toMatchObject(code('link/file-failed'));
      if (!isPrivileged) {
        await files.setMode(at('e'), 0o500);
        await expect(files.makeDirectory(at('e/no'))).rejects.toMatchObject(
          code('link/file-denied'),
        );
        await files.setMode(at('e'), 0o700);
      }
    });

    test('removes a tree without following what leads out of it', async () => {
      await files.makeDirectory(at('kept'));
      await files.writeFileAtomically(at('kept/file'), Buffer.from('kept'));
      await files.makeDirectory(at('gone'));
      await files.makeDirectory(at('gone/deep'));
      await files.makeLink(at('gone/deep/out'), at('kept'));
      await files.makeLink(at('gone/loop'), '.');
      await files.removeTree(at('gone'));
      await files.removeTree(at('never-there'));
      expect(await files.stat(at('gone'))).toBeUndefined();
      expect((await files.readFile(at('kept/file'))).toString()).toBe('kept');
    });

    test('lists a long folder as it comes', async () => {
      const many = at('many');
      await files.makeDirectory(many);
      for (let index = 0; index < entries; index += 1) {
        await files.makeDirectory(joinPath(many, `${'entry-'.repeat(20)}${index}`));
      }
      let seen = 0;
      for await (const batch of files.listInBatches(many)) seen += batch.length;
      expect(seen).toBe(entries);
      for await (const _first of files.listInBatches(many)) break;
      expect(await files.stat(many)).toMatchObject({ kind: 'directory' });
    });
  });
}
