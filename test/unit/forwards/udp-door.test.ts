// What is not sent when too much waits already: a flow may lose datagrams, and never stays dead.
import { createSocket } from 'node:dgram';
import { expect, test } from 'vitest';
import type { DatagramFrame } from '../../../src-main/domain/forwards/datagrams.ts';
import { UdpDoor, type UdpDoorParts } from '../../../src-main/services/forwards/udp-door.ts';
import { until } from '../../support/core-client.ts';

test('a flow that was opened under a full relay is opened again', async () => {
  let isFull = false;
  let now = 0;
  let sweep: () => void = () => undefined;
  let refused = 0;
  const told: DatagramFrame[] = [];
  const relay = {
    hasEnded: false,
    send: (frame: DatagramFrame) => {
      if (isFull) refused += 1;
      else told.push(frame);
      return !isFull;
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const door = await UdpDoor.open(
    {
      clock: { now: () => now, monotonic: () => now },
      timers: {
        every: (_ms: number, action: () => void) => {
          sweep = action;
          return { [Symbol.dispose]: () => undefined };
        },
      },
      counts: { up: () => undefined, down: () => undefined },
      address: () => Promise.resolve({ host: 'n1', port: 53 }),
      startRelay: () => Promise.resolve(relay),
      onProblem: (error: unknown) => expect.unreachable(String(error)),
      onChange: () => undefined,
    } as unknown as UdpDoorParts,
    '127.0.0.1',
    0,
  );
  const [first, second] = [createSocket('udp4'), createSocket('udp4')];
  const say = (from: typeof first, text: string) => from.send(text, door.port, '127.0.0.1');
  const opened = () => told.filter(({ kind }) => kind === 'open').length;
  const sentBy = (text: string) =>
    told.some((frame) => frame.kind === 'datagram' && Buffer.from(frame.bytes).toString() === text);
  try {
    say(first, 'one');
    await until(() => sentBy('one'), 'the first flow is open');
    isFull = true;
    say(second, 'two');
    await until(() => refused > 0, 'the second flow was refused');
    isFull = false;
    // It has failed, and goes with the next sweep, however often it is used meanwhile.
    now += 5000;
    sweep();
    await until(() => {
      say(second, 'three');
      return sentBy('three');
    }, 'the second flow is open');
    expect(opened()).toBe(2);
    expect(sentBy('two')).toBe(false);
  } finally {
    first.close();
    second.close();
    await door.close();
  }
});
