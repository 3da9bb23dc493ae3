// What a workspace promises of any place, whatever is behind it: nothing is written over unasked, what is
// there is found whatever it is called, changes are seen, and nothing is left running.
import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FindInput, FindNews, WatchNews } from '../../../src-main/contract/workspace.ts';
import { joinPath } from '../../../src-main/domain/files/paths.ts';
import { FileError } from '../../../src-main/link/errors.ts';
import type { RemoteFiles, RemoteProcess } from '../../../src-main/link/node-link.ts';
import { systemTimers as timers } from '../../../src-main/link/system-timers.ts';
import { FileService } from '../../../src-main/services/files/file-service.ts';
import type { Places, Root } from '../../../src-main/services/files/places.ts';
import { find } from '../../../src-main/services/workspace/finding.ts';
import { save } from '../../../src-main/services/workspace/saving.ts';
import { watch } from '../../../src-main/services/workspace/watching.ts';
import { nastyNames } from '../../support/nasty-names.ts';

export interface WorkspacePlace {
  readonly files: RemoteFiles;
  readonly spawn: (command: readonly string[]) => Promise<RemoteProcess>;
  /** An empty directory. */
  readonly dir: string;
}

export function describeWorkspace(
  name: string,
  open: () => Promise<WorkspacePlace>,
  { names = nastyNames.length } = {},
): void {
  describe(`workspace: ${name}`, () => {
    let place: WorkspacePlace;
    let root: Root;
    const at = (path: string) => joinPath(place.dir, path);
    const put = (path: string, text: string, mode?: number) =>
      place.files.writeFileAtomically(at(path), Buffer.from(text), mode);
    const text = async (path: string) => (await place.files.readFile(at(path))).toString();

    beforeAll(async () => {
      place = await open();
      const { files, spawn } = place;
      const here = { kind: 'here' } as const;
      root = { place: here, label: 'there', nodeId: undefined, files, spawn };
    });
    afterAll(() => place.files.removeTree(place.dir));

    /** Saves a text, given what was read before. */
    async function saved(path: string, [basis, next]: [string, string], isForced = false) {
      const bytes = [Buffer.from(basis), Buffer.from(next)] as const;
      const input = {
        place: root.place,
        path: at(path),
        basisBytes: bytes[0].length,
        size: bytes[1].length,
        isForced,
      };
      let count = 0;
      const newName = () => `n${(count += 1)}`;
      const saving = { files: place.files, path: at(path), newName };
      return (
        await save(
          saving,
          input,
          (async function* () {
            await Promise.resolve();
            yield* bytes;
          })(),
        )
      ).outcome;
    }

    test('a text is saved whole and keeps its mode and its link; what was changed meanwhile is not touched', async () => {
      await put('run.sh', '#!/bin/sh\r\n', 0o775);
      await place.files.setMode(at('run.sh'), 0o775);
      await place.files.makeLink(at('link'), 'run.sh');
      expect(await saved('link', ['#!/bin/sh\r\n', '#!/bin/sh\r\necho ü'])).toBe('saved');
      expect(await text('run.sh')).toBe('#!/bin/sh\r\necho ü');
      expect(await place.files.stat(at('run.sh'))).toMatchObject({ kind: 'file', mode: 0o775 });
      expect(await place.files.stat(at('link'))).toMatchObject({ kind: 'link' });

      expect(await saved('run.sh', ['#!/bin/sh\r\n', 'mine'])).toBe('changed');
      expect(await text('run.sh')).toBe('#!/bin/sh\r\necho ü');
      expect(await saved('run.sh', ['#!/bin/sh\r\n', 'mine'], true)).toBe('saved');
      expect(await saved('gone', ['was there', 'mine'])).toBe('gone');
      expect(await saved('gone', ['was there', ''], true)).toBe('saved');
      expect(await text('gone')).toBe('');
      await expect(saved('run.sh', ['mine', ''], false)).resolves.toBe('saved');
      // Nothing of ours lies about.
      const left = (await place.files.list(place.dir)).map((entry) => entry.name).sort();
      expect(left).toEqual(['gone', 'link', 'run.sh']);
      for (const each of left) await place.files.remove(at(each));
    });

    test('where nothing can be put in the place of a file, the file itself is written', async () => {
      const refusal = new FileError('link/file-failed', 'busy');
      const mounted = new Proxy(place.files, {
        get: (files, name) => {
          if (name === 'rename') return () => Promise.reject(refusal);
          const member: unknown = Reflect.get(files, name, files);
          return typeof member === 'function' ? (member.bind(files) as unknown) : member;
        },
      });
      await put('hosts', 'one');
      const saving = { files: mounted, path: at('hosts'), newName: () => 'n' };
      const sizes = { basisBytes: 3, size: 4, isForced: false };
      const bytes = Readable.from([Buffer.from('one'), Buffer.from('more')]);
      const input = { place: root.place, path: at('hosts'), ...sizes };
      expect(await save(saving, input, bytes)).toMatchObject({ outcome: 'saved' });
      expect(await text('hosts')).toBe('more');
      expect((await place.files.list(place.dir)).map((entry) => entry.name)).toEqual(['hosts']);
      await place.files.remove(at('hosts'));
    });

    test('a pipe is not read: it would be waited for, and everything else with it', async () => {
      const make = await place.spawn(['mkfifo', at('pipe')]);
      make.stdin.end();
      make.stdout.resume();
      make.stderr.resume();
      await make.ended;
      const places = { open: () => Promise.resolve(root) };
      const service = new FileService({ places: places as unknown as Places, newName: () => 'n' });
      const reading = service.read({ place: root.place, path: at('pipe') }, { position: 0 });
      await expect(reading.next()).rejects.toMatchObject({ code: 'link/file-failed' });
      expect(await place.files.list(place.dir)).toMatchObject([{ name: 'pipe', kind: 'other' }]);
      await place.files.remove(at('pipe'));
    });

    async function found(given: Partial<FindInput>) {
      const input: FindInput & { path: string } = {
        place: root.place,
        path: place.dir,
        text: 'river',
        isPattern: false,
        isCaseSensitive: false,
        isWord: false,
        isEverywhere: false,
        ...given,
      };
      const news: FindNews[] = [];
      for await (const each of find(root, input, new AbortController().signal)) news.push(each);
      const hits = news.flatMap((each) => (each.kind === 'hits' ? each.hits : []));
      return { hits: hits.sort((a, b) => (a.path < b.path ? -1 : 1)), end: news.at(-1) };
    }

    test('lines are found in files of any name, and not in what is no text or not to be looked into', async () => {
      const tried = nastyNames.slice(0, names);
      await place.files.makeDirectory(at('-n'));
      for (const each of tried) await put(joinPath('-n', each), 'no\nthe RIVER runs\n');
      await place.files.makeDirectory(at('.git'));
      await put('.git/config', 'river');
      await put('binary', 'river\0river');
      await put('long', `${'x'.repeat(100_000)} river ${'y'.repeat(100_000)}`);
      const all = await found({});
      expect(all.end).toEqual({ kind: 'end', isCut: false, unread: 0 });
      const paths = [...tried.map((each) => `-n/${each}`), 'long'].sort();
      expect(all.hits.map(({ path }) => path).sort()).toEqual(paths);
      expect(all.hits.find(({ path }) => path.startsWith('-n/'))).toMatchObject({
        line: 2,
        text: 'the RIVER runs',
      });
      expect(all.hits.find(({ path }) => path === 'long')!.text.length).toBeLessThan(400);

      expect((await found({ isEverywhere: true, isCaseSensitive: true })).hits).toMatchObject([
        { path: '.git/config', line: 1 },
        { path: 'long' },
      ]);
      expect((await found({ text: 'rive' })).hits.length).toBe(paths.length);
      expect((await found({ text: 'rive', isWord: true })).hits).toEqual([]);
      expect((await found({ text: '^the +[A-Z]{5} ', isPattern: true })).hits.length).toBe(
        tried.length,
      );
      expect((await found({ text: '^the +[A-Z]{5} ' })).hits).toEqual([]);
      expect((await found({ text: `-e'"$(true)\`\\` })).hits).toEqual([]);
      await expect(found({ text: 'a(', isPattern: true })).rejects.toMatchObject({
        code: 'workspace/pattern',
      });
      await expect(found({ path: at('nowhere') })).rejects.toMatchObject({
        code: 'workspace/broken-off',
      });
      for (const each of ['-n', '.git', 'binary', 'long']) await place.files.removeTree(at(each));
    }, 60_000);

    test('changes are seen from the moment it says so, and nothing runs on when it is left', async () => {
      const odd = 'o\'d "name\nof a file';
      await place.files.makeDirectory(at('folder'));
      await put(odd, 'one');
      await put('other', 'one');
      const left = new AbortController();
      const mark = `watched-by-${randomUUID()}`;
      const spawn = (command: readonly string[]) => place.spawn([...command, mark]);
      const paths = { files: [at(odd), at('other')], folders: [at('folder'), at('missing')] };
      const news = watch({ root: { ...root, spawn }, timers }, paths, left.signal);
      // Where files are looked at now and then, that there was nothing is news, too.
      const next = async (): Promise<WatchNews | undefined> => {
        for (;;) {
          const told = (await news.next()).value ?? undefined;
          if (told?.kind !== 'looked') return told;
        }
      };
      expect(await next()).toMatchObject({ kind: 'watching' });
      expect(await countRunning(place, mark)).toBeGreaterThan(0);
      await put(odd, 'two');
      expect(await next()).toEqual({ kind: 'changed', paths: [at(odd)] });
      await put('folder/new', '');
      await eventually(next, at('folder'));
      await place.files.remove(at('other'));
      await eventually(next, at('other'));

      const waiting = next();
      left.abort();
      await expect(waiting).rejects.toBe(left.signal.reason);
      await expect
        .poll(() => countRunning(place, mark), { timeout: 60_000, interval: 100 })
        .toBe(0);
      for (const each of [odd, 'folder']) await place.files.removeTree(at(each));
    }, 120_000);
  });
}

/** What changed before may be told once more. */
async function eventually(next: () => Promise<WatchNews | undefined>, path: string) {
  for (;;) {
    const news = await next();
    if (news === undefined) throw new Error(`${path} was not told of`);
    if (news.kind === 'changed' && news.paths.includes(path)) return;
  }
}

/** How many processes have a word among their arguments. */
async function countRunning({ spawn }: WorkspacePlace, word: string): Promise<number> {
  // Not the word itself, which this program has among its own.
  const pattern = `[${word.slice(0, 1)}]${word.slice(1)}`;
  const text = 'grep -l -e "$1" /proc/[0-9]*/cmdline 2>/dev/null | wc -l';
  const look = await spawn(['sh', '-c', text, 'sh', pattern]);
  look.stdin.end();
  look.stderr.resume();
  const output = Buffer.concat(await look.stdout.toArray()).toString();
  await look.ended;
  return Number(output);
}
