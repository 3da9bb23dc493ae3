import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { exportsForShell, printBytes, quoteForShell } from '../../../src-main/link/quote.ts';

function sh(script: string): Buffer {
  return execFileSync('sh', ['-c', script], { maxBuffer: 10_000_000 });
}

const word = fc.string({ unit: 'binary', maxLength: 60 }).filter((text) => !text.includes('\0'));
const nasty = fc.constantFrom(
  "'",
  "''",
  '"',
  '`id`',
  '$(id)',
  '$HOME',
  '\\',
  '\n',
  '*',
  '~',
  '-n',
  ' ',
  '!',
  ';',
  '&',
  '|',
  '',
);

describe('quoteForShell', () => {
  test('a real shell reads back exactly the same words', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(word, nasty), { maxLength: 8 }), (words) => {
        const out = sh(`set -- ${quoteForShell(words)}; for w; do printf '%s\\0' "$w"; done`);
        const expected = Buffer.from(words.map((text) => `${text}\0`).join(''));
        expect(out.equals(expected)).toBe(true);
      }),
      { numRuns: 150 },
    );
  });

  test('refuses a NUL', () => {
    expect(() => quoteForShell(['a\0b'])).toThrow('NUL');
  });
});

describe('printBytes', () => {
  test('prints exactly these bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(sh(printBytes(bytes)).equals(Buffer.from(bytes))).toBe(true);
      }),
      { numRuns: 100 },
    );
  });
});

describe('exportsForShell', () => {
  test('sets the variables for what is started', () => {
    const text = exportsForShell({ A_1: "it's $HOME\n", B: '' });
    expect(sh(`${text} printf '%s|%s' "$A_1" "$B"`).toString()).toBe("it's $HOME\n|");
  });

  test('refuses names that are none', () => {
    for (const name of ['1A', 'A B', 'A=B', '', 'A;id']) {
      expect(() => exportsForShell({ [name]: 'x' })).toThrow('not a name');
    }
  });
});
