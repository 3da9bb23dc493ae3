// What a sync leaves alone, and what it removes.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IgnoreRules } from '../../../src-main/domain/transfers/ignore-rules.ts';
import type { Item, Present } from '../../../src-main/domain/transfers/plan.ts';
import { removalsOf } from '../../../src-main/domain/transfers/sync.ts';

describe('ignore rules', () => {
  function ruled(texts: Readonly<Record<string, string>>, exclude: readonly string[] = []) {
    const rules = new IgnoreRules(exclude);
    for (const [folder, text] of Object.entries(texts)) rules.add(folder, text);
    return rules;
  }

  test('are those of git: anchored, of folders, taken back', () => {
    const rules = ruled({ '': '/build\n*.log\n!keep.log\ncache/\n# a word\n' });
    const isOut = (path: string, isFolder = false) => rules.isIgnored(path, isFolder);
    expect([isOut('build', true), isOut('sub/build', true)]).toEqual([true, false]);
    expect([isOut('a.log'), isOut('sub/a.log'), isOut('sub/keep.log')]).toEqual([
      true,
      true,
      false,
    ]);
    expect([isOut('sub/cache', true), isOut('sub/cache')]).toEqual([true, false]);
    expect(isOut('A.LOG')).toBe(false);
  });

  test('of a nearer folder win; what is excluded by hand is out whatever files say', () => {
    const rules = ruled({ '': '*.bin\n', data: '!small.bin\n/raw\n' }, ['*.secret', '/top']);
    const isOut = (path: string, isFolder = false) => rules.isIgnored(path, isFolder);
    expect([isOut('x.bin'), isOut('data/x.bin'), isOut('data/small.bin')]).toEqual([
      true,
      true,
      false,
    ]);
    expect([isOut('data/raw', true), isOut('raw', true)]).toEqual([true, false]);
    rules.add('', '!a.secret\n!.kohakuriver-7.part\n');
    expect([isOut('a.secret'), isOut('top'), isOut('sub/top')]).toEqual([true, true, false]);
    expect(isOut('sub/.kohakuriver-7.part', true)).toBe(true);
  });

  test('names that look like ways out are only names', () => {
    const rules = ruled({ '': '*.o\n' });
    expect(rules.isIgnored('.../a.o', false)).toBe(true);
    expect(rules.isIgnored('.../a.c', false)).toBe(false);
    expect(rules.isIgnored('..a', true)).toBe(false);
  });
});

describe('removals', () => {
  const item = (path: string, kind: Item['kind'] = 'file'): Item => ({
    ...{ path, kind, size: 1, mode: 0o644, modifiedAt: 0 },
  });
  const there = (paths: readonly string[]) =>
    new Map<string, Present>(
      paths.map((path) => {
        const kind = path.endsWith('/') ? 'directory' : 'file';
        return [path.replace(/\/$/, ''), { kind, size: 1, modifiedAt: 0 }];
      }),
    );
  const nothing = { unmoved: [], ignored: [], isCaseBlind: false };

  test('what is in a folder goes before the folder; what is ignored stays, with its folder', () => {
    const trees = {
      ...nothing,
      items: [item('a', 'directory'), item('a/kept')],
      there: there(['a/', 'a/kept', 'a/gone', 'old/', 'old/x', 'logs/', 'logs/y']),
      ignored: ['logs/run.log'],
    };
    const paths = removalsOf(trees).map(({ path }) => path);
    expect(paths).toEqual(['a/gone', 'logs/y', 'old/x', 'old']);
  });

  test('a pipe that is not moved keeps what is in its place; a file does not judge a folder', () => {
    const trees = {
      ...nothing,
      items: [item('name')],
      unmoved: ['pipe'],
      there: there(['pipe', 'name/', 'name/inside']),
    };
    expect(removalsOf(trees)).toEqual([]);
  });

  test('where case is not told apart, a file is not removed because of it', () => {
    const trees = { ...nothing, items: [item('README')], there: there(['Readme', 'other']) };
    expect(removalsOf({ ...trees, isCaseBlind: true }).map(({ path }) => path)).toEqual(['other']);
    expect(removalsOf(trees)).toHaveLength(2);
  });

  test('nothing of the source, nothing ignored and no folder of either is ever removed', () => {
    const name = fc.constantFrom('a', 'b', 'c', 'D', 'd');
    const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
    const paths = fc.uniqueArray(path, { maxLength: 12 });
    fc.assert(
      fc.property(paths, paths, paths, fc.boolean(), (source, ignored, target, isCaseBlind) => {
        const found = removalsOf({
          items: source.map((each) => item(each)),
          unmoved: [],
          there: there(target),
          ignored,
          isCaseBlind,
        });
        const gone = new Set(found.map((each) => each.path));
        for (const each of [...source, ...ignored]) expect(gone.has(each)).toBe(false);
        for (const each of ignored)
          for (const one of gone) expect(each.startsWith(`${one}/`)).toBe(false);
        const depths = found.map((each) => each.path.split('/').length);
        expect(depths).toEqual([...depths].sort((a, b) => b - a));
      }),
    );
  });
});
