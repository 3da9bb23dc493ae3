import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FrameSource } from '../../../src-main/contract/frame-source.ts';
import {
  encodeTerminalFrame,
  TerminalFrames,
  type TerminalFrame,
} from '../../../src-main/contract/terminal-frames.ts';
import { EscapeKeys } from '../../../src-main/hosts/cli/escape-keys.ts';
import { foundKeeper, wantedKeepers } from '../../../src-main/domain/terminals/keeper.ts';
import { OutputFrames } from '../../../src-main/runtimes/docker/exec-frames.ts';

const bytes = fc.uint8Array({ maxLength: 40 });
const size = { columns: fc.integer({ min: 2, max: 1000 }), rows: fc.integer({ min: 1, max: 500 }) };
const frame: fc.Arbitrary<TerminalFrame> = fc.oneof(
  fc.record({ kind: fc.constantFrom('data' as const, 'stderr' as const, 'input' as const), bytes }),
  fc.record({ kind: fc.constant('snapshot' as const), bytes, ...size }),
  fc.record({ kind: fc.constantFrom('resized' as const, 'resize' as const), ...size }),
  fc.record({ kind: fc.constant('watching' as const), isWatching: fc.boolean() }),
  fc.constant({ kind: 'eof' as const }),
  fc.constant({ kind: 'ended' as const, end: { exitCode: 3, signal: null, reason: 'why' } }),
);

test('frames come out as they went in, however they are cut', () => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 8 }), fc.integer({ min: 1, max: 30 }), (all, step) => {
      const encoded = Buffer.concat(all.map(encodeTerminalFrame));
      const reader = new TerminalFrames();
      const read: TerminalFrame[] = [];
      for (let at = 0; at < encoded.length; at += step) {
        read.push(...reader.push(encoded.subarray(at, at + step)));
      }
      expect(read.map(encodeTerminalFrame)).toEqual(all.map(encodeTerminalFrame));
    }),
  );
});

test('what is no frame is refused', () => {
  const wrong = [
    [99, 0, 0, 0, 0],
    [1, 255, 255, 255, 255],
    [17, 0, 0, 0, 4, 0, 0, 0, 0],
    [17, 0, 0, 0, 1, 0],
    [4, 0, 0, 0, 2, 123, 125],
    [4, 0, 0, 0, 1, 123],
  ];
  for (const frameBytes of wrong) {
    expect(() => new TerminalFrames().push(Uint8Array.from(frameBytes))).toThrow(/terminal/i);
  }
});

test('a source that is left ends at once, and whoever waits for room goes on', async () => {
  const source = new FrameSource();
  source.send({ kind: 'input', bytes: new Uint8Array(300_000) });
  const waiting = source.room();
  const reader = source[Symbol.asyncIterator]();
  await reader.next();
  await waiting;
  const hanging = reader.next();
  await reader.return?.();
  expect(await hanging).toEqual({ done: true, value: undefined });
});

test('the output of a program is taken apart, however it is cut', () => {
  const part = (stream: number, text: string) =>
    Buffer.concat([Buffer.from([stream, 0, 0, 0, 0, 0, 0, text.length]), Buffer.from(text)]);
  const all = Buffer.concat([part(1, 'out'), part(2, ''), part(2, 'error'), part(1, '!')]);
  for (let step = 1; step < all.length; step += 1) {
    const frames = new OutputFrames();
    const seen = { stdout: '', stderr: '' };
    for (let at = 0; at < all.length; at += step) {
      for (const { stream, bytes: some } of frames.push(all.subarray(at, at + step)))
        seen[stream] += some.toString();
    }
    expect(seen).toEqual({ stdout: 'out!', stderr: 'error' });
  }
  expect(() => new OutputFrames().push(Buffer.alloc(8, 9))).toThrow(/no known stream/);
});

test('~. leaves at the beginning of a line only', () => {
  const read = (...typed: string[]) => {
    const keys = new EscapeKeys();
    const all = typed.map((text) => keys.read(Buffer.from(text)));
    return [
      Buffer.concat(all.map(({ send }) => send)).toString(),
      all.some(({ isDetach }) => isDetach),
    ];
  };
  expect(read('~.')).toEqual(['', true]);
  expect(read('ls\r', '~', '.')).toEqual(['ls\r', true]);
  expect(read('ls ~.')).toEqual(['ls ~.', false]);
  expect(read('~~.')).toEqual(['~.', false]);
  expect(read('~x')).toEqual(['~x', false]);
});

test('a keeper is one that was wanted and is there', () => {
  expect(foundKeeper(wantedKeepers('any'), 'screen\nabduco\n')).toBe('screen');
  expect(foundKeeper(wantedKeepers('tmux'), 'screen\n')).toBe(null);
  expect(wantedKeepers('off')).toEqual([]);
});
