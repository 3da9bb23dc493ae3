import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bytesOfText,
  hasRawBytes,
  shownName,
  textOfBytes,
} from '../../../src-main/domain/files/path-text.ts';
import {
  baseName,
  isEntryName,
  isWithin,
  joinPath,
  normalPath,
  parentPath,
} from '../../../src-main/domain/files/paths.ts';

describe('names as text', () => {
  test('any bytes go there and back, through JSON too', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 255 }), (bytes) => {
        const text = JSON.parse(JSON.stringify(textOfBytes(bytes))) as string;
        expect([...bytesOfText(text)]).toEqual([...bytes]);
      }),
    );
  });

  test('what is text stays as it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(textOfBytes(bytesOfText(text))).toBe(text);
        expect(hasRawBytes(text)).toBe(false);
      }),
    );
    expect(textOfBytes(Uint8Array.from([0xff, 0x41]))).toBe('\udcffA');
    expect(hasRawBytes('\udcffA')).toBe(true);
    expect(hasRawBytes('🐟')).toBe(false);
  });

  test('what could move a cursor or turn text around is shown as what it is', () => {
    expect(shownName('a\nb\u001b[31m\u202eexe.\udcff')).toBe('a\\nb\\u{1b}[31m\\u{202e}exe.\\xff');
  });
});

describe('paths', () => {
  test('are taken apart and put together', () => {
    expect(['/a/b/c', '/a/b/', 'x', '/'].map(baseName)).toEqual(['c', 'b', 'x', '']);
    expect(['/a/b/c', '/a/', '/', 'x'].map(parentPath)).toEqual(['/a/b', '/', '/', '/']);
    expect([joinPath('/', 'a'), joinPath('/a', 'b/c'), joinPath('/a', '')]).toEqual([
      '/a',
      '/a/b/c',
      '/a',
    ]);
    expect(normalPath('/a/../../b//./c/')).toBe('/b/c');
    expect([isWithin('/a/b', '/a'), isWithin('/ab', '/a'), isWithin('/x', '/')]).toEqual([
      true,
      false,
      true,
    ]);
  });

  test('no entry is called what leads elsewhere', () => {
    expect(['..', '.', '', 'a/b', '/etc', 'a\0b'].some(isEntryName)).toBe(false);
    expect(['-rf', '...', ' ', '\n'].every(isEntryName)).toBe(true);
  });
});
