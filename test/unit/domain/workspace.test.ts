import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesOfText } from '../../../src-main/domain/files/path-text.ts';
import { HitCutter } from '../../../src-main/domain/workspace/hits.ts';
import { WatchLines, watchedFolders } from '../../../src-main/domain/workspace/watch-lines.ts';

/** Cut at random places, as a stream is. */
function chunksOf(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((from, index) => bytes.subarray(from, at[index] ?? bytes.length));
}

describe('lines that grep found', () => {
  const name = fc
    .string({ minLength: 1, maxLength: 40, unit: 'binary' })
    .filter((text) => !text.includes('\0') && text.isWellFormed() && !text.startsWith('./'));
  const line = fc.string({ maxLength: 80 }).filter((text) => !/[\0\n\r]/.test(text));
  const hit = fc.record({ path: name, line: fc.integer({ min: 1, max: 999_999_999 }), text: line });

  test('are what was printed, wherever the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(hit), fc.array(fc.nat()), (hits, cuts) => {
        const printed = hits.map((each) =>
          Buffer.concat([
            bytesOfText(`./${each.path}`),
            Buffer.from(`\0${String(each.line)}:${each.text}\n`),
          ]),
        );
        const cutter = new HitCutter('');
        const read = chunksOf(Buffer.concat(printed), cuts).flatMap((each) => cutter.push(each));
        expect(read).toEqual(hits);
      }),
    );
  });

  test('of endless lines and paths only as much is kept as is shown, and what follows is read', () => {
    const cutter = new HitCutter('needle');
    const push = (text: string) => cutter.push(Buffer.from(text));
    const far = push(`./a\x007:${'x'.repeat(1500)}Needle${'y'.repeat(1_000_000)}\n`);
    expect(far).toHaveLength(1);
    expect(far[0]!.text).toMatch(/^…x{60}Needley+…$/);
    expect(far[0]!.text.length).toBeLessThan(310);
    expect(push(`./${'p'.repeat(10_000)}\x001:needle\n`)).toEqual([]);
    expect(push('./b\0not a number\n')).toEqual([]);
    expect(push('./c\x002:of a binary\0file\n')).toEqual([]);
    expect(push('./d\x003:needle\r\n')).toEqual([{ path: 'd', line: 3, text: 'needle' }]);
  });
});

describe('what a watch tells', () => {
  test('is of the paths that count, and of folders when something in them is', () => {
    const watched = { files: ['/w/a.txt', '/w/o\ndd', '/x/y'], folders: ['/w', '/w/sub', '/'] };
    expect(watchedFolders(watched)).toEqual(['/w', '/w/sub', '/', '/x']);
    const lines = new WatchLines(watched);
    expect(lines.push('Setting up watches.\nWatches establ').isReady).toBe(false);
    expect(lines.push('ished.\nLooked.\n')).toEqual({
      isReady: true,
      hasLooked: true,
      changed: [],
    });
    expect(lines.push('/w/a.txt\n').changed).toEqual(['/w/a.txt', '/w', '/w/o\ndd']);
    expect(lines.push('/w/sub/new\n/w/su').changed).toEqual(['/w/sub']);
    expect(lines.push('b/\n').changed).toEqual(['/w/sub', '/w', '/w/o\ndd']);
    expect(lines.push('//top\nno path\n/elsewhere/deep\n').changed).toEqual(['/']);
    expect(lines.push(`/${'x'.repeat(100_000)}`).changed).toEqual([]);
    expect(lines.push('\n/x/y\n').changed).toEqual(['/x/y']);
  });
});
