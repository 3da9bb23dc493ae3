import { expect, test } from 'vitest';
import fc from 'fast-check';
import { formatBytes, parseMemorySize } from '../../../src-main/domain/size.ts';
import { formatDuration, parseDuration } from '../../../src-main/domain/duration.ts';

test.each([
  ['100', 100],
  ['100b', 100],
  ['1k', 1024],
  ['1KB', 1024],
  ['1KiB', 1024],
  ['1Ki', 1024],
  ['512M', 512 * 2 ** 20],
  ['512mb', 512 * 2 ** 20],
  ['8G', 8 * 2 ** 30],
  ['8Gi', 8 * 2 ** 30],
  ['1.5GiB', 1.5 * 2 ** 30],
  ['.5g', 2 ** 29],
  [' 2 T ', 2 * 2 ** 40],
])('%s is %i bytes', (text, bytes) => {
  expect(parseMemorySize(text)).toBe(bytes);
});

test.each([
  '',
  'G',
  '8X',
  '-1G',
  '1,5G',
  '8 G B',
  '0',
  '0.0001',
  '1e9',
  '2048T',
  'NaN',
  '8GG',
  'i',
  '8i',
])('refuses the size "%s"', (text) => {
  expect(() => parseMemorySize(text)).toThrow(
    expect.objectContaining({
      code: 'input/invalid',
      details: {
        field: 'memory size',
        value: text,
        right: expect.stringMatching(/.{10}/) as unknown,
      },
    }),
  );
});

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1 KiB'],
  [1.5 * 2 ** 30, '1.5 GiB'],
  [8 * 2 ** 30, '8 GiB'],
  [2 ** 30 - 1, '1 GiB'],
])('writes %i bytes as %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test('a written size reads back to within its one decimal', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 50 - 2 ** 46 }), (bytes) => {
      const back = parseMemorySize(formatBytes(bytes));
      expect(Math.abs(back - bytes)).toBeLessThanOrEqual(Math.max(1, bytes * 0.06));
    }),
  );
});

test.each([
  ['90s', 90_000],
  ['90', 90_000],
  ['10m', 600_000],
  ['2h', 7_200_000],
  ['1d', 86_400_000],
  ['1h30m', 5_400_000],
  ['1h 30m', 5_400_000],
  ['1.5h', 5_400_000],
  ['0.25s', 250],
  ['0', 0],
  ['1:30:00', 5_400_000],
  ['1:30', 90_000],
  ['100:00:00', 360_000_000],
])('%s is %i ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each([
  '',
  'm',
  '10x',
  '-1s',
  '1:60:00',
  '1:5:00',
  '1:2',
  '1:00:60',
  '30m1h',
  '4000d',
  '1e3',
  ':30',
])('refuses the duration "%s"', (text) => {
  expect(() => parseDuration(text)).toThrow(expect.objectContaining({ code: 'input/invalid' }));
});

test.each([
  [0, '0ms'],
  [250, '250ms'],
  [45_000, '45s'],
  [600_000, '10m'],
  [5_400_000, '1h 30m'],
  [183_600_000, '2d 3h'],
  [3_661_000, '1h 1m'],
])('writes %i ms as %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});
