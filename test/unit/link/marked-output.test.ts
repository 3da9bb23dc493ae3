import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MarkedOutput } from '../../../src-main/link/marked-output.ts';

const MARK = '0123456789abcdef';

/** The stream cut into pieces at any places, as a network does it. */
function pieces(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set([0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])];
  places.sort((a, b) => a - b);
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

test('finds output and trailer however the stream is cut, with any bytes in it', () => {
  const lookalike = fc.constantFrom('0123', '0123456789abcde', ';', '0', '\n');
  const body = fc
    .array(
      fc.oneof(
        fc.uint8Array({ maxLength: 40 }),
        lookalike.map((text) => Buffer.from(text)),
      ),
    )
    .map((parts) => Buffer.concat(parts))
    .filter(
      (bytes) =>
        !Buffer.concat([bytes, Buffer.from(MARK)])
          .subarray(0, -1)
          .includes(MARK),
    );
  fc.assert(
    fc.property(body, fc.array(fc.nat()), fc.nat(255), (bytes, cuts, code) => {
      const output = new MarkedOutput(MARK, 10_000);
      const stream = Buffer.concat([bytes, Buffer.from(`${MARK} ${code};`)]);
      for (const piece of pieces(stream, cuts)) output.feed(piece);
      expect(output.trailer).toBe(String(code));
      expect(output.bytes().equals(bytes)).toBe(true);
      expect(output.isTruncated).toBe(false);
    }),
  );
});

test('keeps what fits, says so, and still finds the end', () => {
  const output = new MarkedOutput(MARK, 5);
  for (const text of ['abc', 'defgh', 'ijk', `${MARK} 3;`]) output.feed(Buffer.from(text));
  expect([output.bytes().toString(), output.isTruncated, output.trailer]).toEqual([
    'abcde',
    true,
    '3',
  ]);
});
