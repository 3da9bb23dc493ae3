import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RequestError } from '../../../src-main/contract/errors.ts';
import {
  decodeByteFrame,
  encodeByteFrame,
  type ByteFrame,
} from '../../../src-main/contract/wire/byte-frames.ts';

const id = fc.integer({ min: 0, max: 0xffff_ffff });
const error = fc.record({
  code: fc.constantFrom('core/protocol' as const, 'link/lost' as const),
  message: fc.string(),
  retry: fc.constantFrom('never' as const, 'later' as const),
  details: fc.constant({}),
  causes: fc.constant([]),
});
const frame = fc.oneof(
  fc.record({ kind: fc.constant('data' as const), id, bytes: fc.uint8Array({ minLength: 1 }) }),
  fc.record({ kind: fc.constant('credit' as const), id, bytes: id }),
  fc.record({ kind: fc.constantFrom('end' as const, 'cancel' as const), id }),
  fc.record({ kind: fc.constant('error' as const), id, error }),
  fc.record({
    kind: fc.constant('open' as const),
    id,
    name: fc.string({ minLength: 1, maxLength: 200 }),
    input: fc
      .dictionary(fc.string(), fc.string())
      .filter((value) => !('__proto__' in Object(value) && Object.hasOwn(value, '__proto__'))),
  }),
);

describe('frames of byte streams', () => {
  test('come out as they went in', () => {
    fc.assert(
      fc.property(frame, (sent) => {
        expect(JSON.stringify(decodeByteFrame(encodeByteFrame(sent as ByteFrame)))).toBe(
          JSON.stringify(sent),
        );
      }),
    );
  });

  test('own their memory, so that the source may use its buffer again', () => {
    const bytes = new Uint8Array([1, 2, 3]);
    const encoded = encodeByteFrame({ kind: 'data', id: 1, bytes });
    bytes.fill(9);
    expect(encoded.buffer.byteLength).toBe(8);
    expect(decodeByteFrame(encoded)).toEqual({
      kind: 'data',
      id: 1,
      bytes: new Uint8Array([1, 2, 3]),
    });
  });

  test('are read wherever they lie in their buffer', () => {
    const encoded = encodeByteFrame({ kind: 'credit', id: 77, bytes: 1234 });
    const shifted = new Uint8Array(encoded.byteLength + 3);
    shifted.set(encoded, 3);
    expect(decodeByteFrame(shifted.subarray(3))).toEqual({ kind: 'credit', id: 77, bytes: 1234 });
  });

  test('are refused with core/protocol, whatever was sent instead', () => {
    const anything = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      // Right kind, wrong rest.
      fc
        .tuple(fc.integer({ min: 0, max: 7 }), fc.uint8Array({ maxLength: 300 }))
        .map(([kind, rest]) => new Uint8Array([kind, ...rest])),
    );
    fc.assert(
      fc.property(anything, (bytes) => {
        try {
          decodeByteFrame(bytes);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(RequestError);
          expect(thrown).toMatchObject({ code: 'core/protocol' });
        }
      }),
    );
    expect(() => decodeByteFrame(new Uint8Array(70_000))).toThrow(RequestError);
    expect(() => encodeByteFrame({ kind: 'data', id: 1, bytes: new Uint8Array(65_537) })).toThrow(
      RequestError,
    );
  });
});
