import { describe, expect, test } from 'vitest';
import { clean } from '../../../src-main/hosts/cli/text/clean.ts';
import { paintFor } from '../../../src-main/hosts/cli/text/style.ts';
import { formatTable, type Column } from '../../../src-main/hosts/cli/text/table.ts';
import { LineTimes } from '../../../src-main/hosts/cli/text/timestamps.ts';
import { isoTimeOrNull } from '../../../src-main/hosts/cli/text/time.ts';

const plain = (_tone: unknown, text: string): string => text;

describe('a table', () => {
  const columns: Column<[string, string]>[] = [
    { title: 'NAME', cell: ([name]) => name, canShrink: true },
    { title: 'N', cell: ([, count]) => count, align: 'right' },
  ];
  const rows: [string, string][] = [
    ['a', '1'],
    ['a very long name indeed', '1000'],
  ];

  test('is aligned on a terminal', () => {
    const look = { isTerminal: true, columns: 80, paint: plain };
    expect(formatTable(columns, rows, look)).toBe(
      'NAME                        N\na                           1\na very long name indeed  1000\n',
    );
  });

  test('fits a narrow terminal', () => {
    const look = { isTerminal: true, columns: 20, paint: plain };
    const lines = formatTable(columns, rows, look).trimEnd().split('\n');
    expect(lines.at(-1)).toBe('a very long n…  1000');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(20);
  });

  test('is tabs elsewhere, with nothing cut', () => {
    const look = { isTerminal: false, columns: 10, paint: plain };
    expect(formatTable(columns, rows, look)).toBe('NAME\tN\na\t1\na very long name indeed\t1000\n');
  });
});

describe('colour', () => {
  test('is there on a terminal only', () => {
    expect(paintFor({ isTerminal: true }, {})('red', 'x')).toBe('\u001b[31mx\u001b[39m');
    expect(paintFor({ isTerminal: false }, {})('red', 'x')).toBe('x');
  });

  test.each([{ NO_COLOR: '1' }, { TERM: 'dumb' }])('can be had off: %o', (env) => {
    expect(paintFor({ isTerminal: true }, env)('red', 'x')).toBe('x');
  });

  test('an empty NO_COLOR says nothing', () => {
    expect(paintFor({ isTerminal: true }, { NO_COLOR: '' })('red', 'x')).not.toBe('x');
  });
});

test('text of a node cannot steer the terminal', () => {
  expect(clean('gpu\u001b]52;c;aGk=\u0007\n\u009b31mx')).toBe('gpu ]52;c;aGk= 31mx');
});

test('what has not happened has no time', () => {
  expect(isoTimeOrNull(null)).toBeNull();
  expect(isoTimeOrNull(0)).toBe('1970-01-01T00:00:00.000Z');
});

describe('times before log lines', () => {
  const record = (stream: 'stdout' | 'stderr', text: string, time: string) => ({
    stream,
    offset: 0,
    time,
    base64: Buffer.from(text).toString('base64'),
  });

  test('stand once before each line, also when it comes in parts', () => {
    const times = new LineTimes();
    const out = [
      record('stdout', 'one\ntw', 'T1'),
      record('stderr', 'bad\n', 'T2'),
      record('stdout', 'o\n', 'T3'),
    ].map((part) => Buffer.from(times.stamp(part)).toString());
    expect(out).toEqual(['T1 one\nT1 tw', 'T2 bad\n', 'o\n']);
  });
});
