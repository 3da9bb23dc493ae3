// A snapshot and what follows it draw what all of it would have drawn, wherever it is cut.
import headless from '@xterm/headless';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SequenceTail } from '../../../src-main/domain/terminals/sequence-tail.ts';
import { Screen } from '../../../src-main/services/terminals/screen.ts';

const size = { columns: 20, rows: 6 };
const quiet = { answer: () => undefined, title: () => undefined };
const encoder = new TextEncoder();

/** What a window shows: every cell of the screen with its colours, the cursor, the modes. */
async function look(parts: readonly Uint8Array[]): Promise<unknown> {
  const terminal = new headless.Terminal({
    cols: size.columns,
    rows: size.rows,
    scrollback: 100,
    allowProposedApi: true,
    logLevel: 'off',
  });
  for (const part of parts) await new Promise<void>((done) => terminal.write(part, done));
  const { active } = terminal.buffer;
  const lines = Array.from({ length: size.rows }, (_, row) => {
    const line = active.getLine(active.baseY + row);
    return Array.from({ length: size.columns }, (__, column) => {
      const cell = line?.getCell(column);
      // A cell nobody wrote to looks as one with a space.
      const written = cell?.getChars() ?? '';
      const chars = written === '' ? ' ' : written;
      const ink = chars === ' ' ? [] : [cell?.getFgColor(), cell?.isBold()];
      return [chars, cell?.getBgColor(), ...ink];
    });
  });
  const { cursorX, cursorY, type } = active;
  const { modes } = terminal;
  terminal.dispose();
  return { lines, cursorX, cursorY, type, modes };
}

async function cutAt(bytes: Uint8Array, at: number): Promise<Uint8Array[]> {
  const screen = new Screen({ ...size, scrollbackLines: 100 }, quiet);
  await screen.write(bytes.subarray(0, at));
  const snapshot = await screen.snapshot();
  screen.dispose();
  return [snapshot.bytes, bytes.subarray(at)];
}

const pieces = fc.constantFrom(
  'hello ',
  'é漢😀',
  'a\r\n',
  '\u001b[1;31m',
  '\u001b[48;2;10;200;30m',
  '\u001b[0m',
  '\u001b[3;5H',
  '\u001b[2J',
  '\u001b[K',
  '\u001b]0;a title\u0007',
  '\u001b]8;;https://example.org\u001b\\link\u001b]8;;\u001b\\',
  '\u001bP1$r0m\u001b\\',
  '\u001b[?2004h',
  '\u001b[?1000h\u001b[?1006h',
  '\u001b7',
  '\t',
);

test('at every byte of random output', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(pieces, { minLength: 1, maxLength: 12 }),
      fc.nat(),
      async (all, n) => {
        const bytes = encoder.encode(all.join(''));
        const at = n % (bytes.length + 1);
        expect(await look(await cutAt(bytes, at))).toEqual(await look([bytes]));
      },
    ),
    { numRuns: 150 },
  );
});

test.each([
  ['moved away from behind a full line', `${'x'.repeat(20)}\u001b[3;5H`],
  ['behind a full line', 'x'.repeat(20)],
  ['behind a full line of colours', `\u001b[1;31;48;2;10;200;30m${'x'.repeat(20)}`],
  ['behind a full line that was coloured', `\u001b[7;44m${'x'.repeat(20)}\u001b[0;3;38;5;200m`],
  ['behind a wide letter at the end of a line', `\u001b[42m${'x'.repeat(18)}漢`],
  ['behind a full line that was erased', `\u001b[42m${'x'.repeat(20)}\u001b[2K`],
])('a cursor that is %s is found again, and how it writes', async (_, before) => {
  const bytes = encoder.encode(`${before}hello `);
  const at = bytes.length - 6;
  expect(await look(await cutAt(bytes, at))).toEqual(await look([bytes]));
});

test('a full-screen program is found again: other buffer, hidden cursor, mouse reports, cursor shape', async () => {
  const program = encoder.encode(
    'shell$ \u001b[?1049h\u001b[?25l\u001b[?1h\u001b[?1002h\u001b[?1006h\u001b[2 q\u001b[2;2Hvim',
  );
  const screen = new Screen({ ...size, scrollbackLines: 100 }, quiet);
  await screen.write(program);
  const { bytes } = await screen.snapshot();
  const text = Buffer.from(bytes).toString();
  for (const mode of ['?1049h', '?25l', '?1h', '?1002h', '?1006h', '2 q']) {
    expect(text).toContain(`\u001b[${mode}`);
  }
  screen.dispose();
});

test('a snapshot is bounded: of one that would be longer the oldest lines are left out', async () => {
  const lines = Array.from(
    { length: 400 },
    (_, at) => `\u001b[38;2;${String(at % 256)};1;2m${String(at).padStart(6, '0')}\r\n`,
  );
  const long = { ...size, scrollbackLines: 1000 };
  const [all, cut] = [
    new Screen(long, quiet),
    new Screen({ ...long, longestSnapshot: 4000 }, quiet),
  ];
  for (const screen of [all, cut]) await screen.write(encoder.encode(lines.join('')));
  const text = async (screen: Screen) => Buffer.from((await screen.snapshot()).bytes).toString();
  expect(await text(all)).toContain('000000');
  const short = await text(cut);
  expect(short.length).toBeLessThan(4500);
  expect(short).toContain('000399');
  expect(short).toContain('000380');
  expect(short).not.toContain('000000');
  for (const screen of [all, cut]) screen.dispose();
});

test('questions are answered, titles are cleaned', async () => {
  const answers: string[] = [];
  const titles: string[] = [];
  const screen = new Screen(
    { ...size, scrollbackLines: 100 },
    {
      answer: (bytes) => answers.push(Buffer.from(bytes).toString()),
      title: (title) => titles.push(title),
    },
  );
  await screen.write(encoder.encode('ab\u001b[6n\u001b]2;ok \u202egnp.exe\u001b\\'));
  expect(answers).toEqual(['\u001b[1;3R']);
  expect(titles).toEqual(['ok gnp.exe']);
  screen.dispose();
});

test('a string without an end is not kept without a bound', () => {
  const tail = new SequenceTail();
  tail.feed(encoder.encode('\u001b]52;c;'));
  for (let turn = 0; turn < 100; turn += 1) tail.feed(new Uint8Array(10_000).fill(0x41));
  expect([...tail.bytes]).toEqual([0x1b, 0x5d]);
  tail.feed(Uint8Array.of(0x07));
  expect(tail.bytes).toHaveLength(0);
});
