import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  encodeDatagramFrame,
  RelayedFrames,
  type DatagramFrame,
} from '../../../src-main/domain/forwards/datagrams.ts';

const flow = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const frames = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('datagram' as const),
      flow,
      bytes: fc.uint8Array({ maxLength: 300 }),
    }),
    fc.record({ kind: fc.constant('failed' as const), flow }),
  ),
  { maxLength: 20 },
);

test('datagrams come out of a stream as they went in, however it is cut', () => {
  fc.assert(
    fc.property(frames, fc.integer({ min: 1, max: 50 }), (sent, step) => {
      const bytes = Buffer.concat(sent.map(encodeDatagramFrame));
      const reader = new RelayedFrames();
      const got: DatagramFrame[] = [];
      for (let at = 0; at < bytes.length; at += step) {
        const found = reader.push(bytes.subarray(at, at + step));
        if (found === 'wrong') throw new Error('a frame of ours was not understood');
        got.push(...found);
      }
      const plain = (all: readonly DatagramFrame[]) =>
        all.map((frame) => ('bytes' in frame ? { ...frame, bytes: [...frame.bytes] } : frame));
      expect(plain(got)).toEqual(plain(sent));
    }),
  );
});

test('a node that says anything else is not listened to', () => {
  expect(new RelayedFrames().push(Buffer.from('Last login: today'))).toBe('wrong');
  const asked = encodeDatagramFrame({ kind: 'open', flow: 1, host: '10.0.0.1', port: 53 });
  expect(new RelayedFrames().push(asked)).toBe('wrong');
});
