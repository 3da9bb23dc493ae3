import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FrameReader, parseTime } from '../../../../src-main/runtimes/docker/log-frames.ts';
import { LogCursor, SeenFilter } from '../../../../src-main/runtimes/docker/log-cursor.ts';

interface Message {
  stream: 'stdout' | 'stderr';
  timeNs: bigint;
  text: string;
}

const base = 1_790_000_000_000_000_000n;

/** What an Engine writes for these messages. */
function frames(messages: readonly Message[]): Buffer {
  return Buffer.concat(
    messages.map(({ stream, timeNs, text }) => {
      const second = new Date(Number(timeNs / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
      const fraction = String(timeNs % 1_000_000_000n).padStart(9, '0');
      const payload = Buffer.from(`${second}.${fraction}Z ${text}`, 'latin1');
      const header = Buffer.alloc(8);
      header[0] = stream === 'stdout' ? 1 : 2;
      header.writeUInt32BE(payload.length, 4);
      return Buffer.concat([header, payload]);
    }),
  );
}

/** An Engine's answer to `since`. */
function since(messages: readonly Message[], cursor: LogCursor): Message[] {
  const text = cursor.since();
  if (text === undefined) return [...messages];
  const [seconds = '', ns = ''] = text.split('.');
  const from = BigInt(seconds) * 1_000_000_000n + BigInt(ns);
  return messages.filter(({ timeNs }) => timeNs >= from);
}

/** Messages in the order of the file: each stream's times never step back, but streams may overlap a little. */
const log = fc
  .array(
    fc.record({
      stream: fc.constantFrom('stdout' as const, 'stderr' as const),
      stepNs: fc.constantFrom(0, 0, 1, 500, 2_000_000_000),
      lagNs: fc.constantFrom(0, 0, 300),
      text: fc.constantFrom('line\n', '\n', 'no end', ''),
    }),
    { maxLength: 60 },
  )
  .map((steps) => {
    let now = base;
    const last = { stdout: 0n, stderr: 0n };
    const isOpen = { stdout: false, stderr: false };
    return steps.map(({ stream, stepNs, lagNs, text }): Message => {
      now += BigInt(stepNs);
      const fresh = now - BigInt(lagNs) > last[stream] ? now - BigInt(lagNs) : last[stream];
      // Pieces of one line share its instant.
      const timeNs = isOpen[stream] ? last[stream] : fresh;
      last[stream] = timeNs;
      isOpen[stream] = !text.endsWith('\n');
      return { stream, timeNs, text };
    });
  });

describe('LogCursor', () => {
  test('goes on without a hole or a repeat, wherever reading was cut', () => {
    fc.assert(
      fc.property(log, fc.array(fc.nat(12), { maxLength: 8 }), (messages, cuts) => {
        const got: Message[] = [];
        let cursor = LogCursor.start;
        for (const cut of [...cuts, Infinity]) {
          const filter = new SeenFilter(LogCursor.parse(cursor.toString()));
          let taken = 0;
          for (const message of since(messages, cursor)) {
            if (taken >= cut) break;
            const bytes = Buffer.from(message.text, 'latin1');
            const verdict = filter.judge({ ...message, bytes });
            expect(verdict).not.toBe('gap');
            if (verdict !== 'new') continue;
            got.push(message);
            cursor = cursor.after({ ...message, bytes });
            taken += 1;
          }
        }
        expect(got.filter(({ stream }) => stream === 'stdout')).toEqual(
          messages.filter(({ stream }) => stream === 'stdout'),
        );
        expect(got.filter(({ stream }) => stream === 'stderr')).toEqual(
          messages.filter(({ stream }) => stream === 'stderr'),
        );
      }),
      { numRuns: 500 },
    );
  });

  test('notices that the node lost what came next', () => {
    const seen = { stream: 'stdout' as const, timeNs: base, bytes: Buffer.from('a\n') };
    const cursor = LogCursor.start.after(seen).after(seen);
    const filter = new SeenFilter(cursor);
    expect(filter.judge({ ...seen, timeNs: base + 5n })).toBe('gap');
    expect(filter.judge({ ...seen, timeNs: base + 6n })).toBe('new');
  });

  test('does not read a quiet stream again from its last word', () => {
    const hour = 3_600_000_000_000n;
    const cursor = LogCursor.start
      .after({ stream: 'stderr', timeNs: base, bytes: Buffer.from('once\n') })
      .after({ stream: 'stdout', timeNs: base + hour, bytes: Buffer.from('now\n') });
    expect(cursor.since()).toBe(`${String((base + hour) / 1_000_000_000n - 10n)}.000000000`);
  });

  test('refuses what is no cursor', () => {
    for (const text of ['', 'd1 - ', 'd1 1,2,3 -', 'p1 0 0', 'd1 -1,0,0 -']) {
      expect(() => LogCursor.parse(text)).toThrow('not a position');
    }
  });
});

describe('FrameReader', () => {
  test('gives the same messages whatever the chunks are', () => {
    fc.assert(
      fc.property(log, fc.array(fc.integer({ min: 1, max: 50 })), (messages, sizes) => {
        const bytes = frames(messages);
        const reader = new FrameReader();
        const got: Message[] = [];
        for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
          const size = sizes.length === 0 ? bytes.length : (sizes[turn % sizes.length] ?? 1);
          for (const message of reader.push(bytes.subarray(at, at + size))) {
            const { stream, timeNs } = message;
            got.push({ stream, timeNs, text: message.bytes.toString('latin1') });
          }
          at += size;
        }
        expect(got).toEqual(messages);
      }),
    );
  });

  test('refuses what no Engine sends', () => {
    expect(() => new FrameReader().push(Buffer.from('plain text, more than 8 bytes'))).toThrow();
    const huge = Buffer.from([1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0]);
    expect(() => new FrameReader().push(huge)).toThrow('too long');
    expect(() => new FrameReader().push(Buffer.from([1, 0, 0, 0, 0, 0, 0, 2, 65, 65]))).toThrow(
      'no time',
    );
  });

  test('reads times with and without fractions and zones', () => {
    expect(parseTime('2026-01-02T03:04:05.000000006Z')).toBe(1_767_323_045_000_000_006n);
    expect(parseTime('2026-01-02T05:04:05.5+02:00')).toBe(1_767_323_045_500_000_000n);
    expect(() => parseTime('yesterday')).toThrow();
  });
});
