import { expect, test } from 'vitest';
import { exposeCollector } from '../../../src-main/hosts/server/expose-collector.ts';
import { collecting } from '../../../src-main/link/ssh/collecting.ts';
import { PacketMemory } from '../../../src-main/link/ssh/packet-memory.ts';

const full = 32 * 1024 + 9;
/** As ssh2 makes them: length, padding, room for a tag. */
function make(payloadBytes: number): Buffer {
  const packet = Buffer.alloc(payloadBytes + 32);
  packet.writeUInt32BE(payloadBytes + 12, 0);
  packet[4] = 11;
  return packet;
}

test('a packet is made in memory of one that was sent, with its own beginning', () => {
  const memory = new PacketMemory();
  const first = memory.take(full, make);
  const head = Buffer.from(first.subarray(0, 5));
  first.fill(0xee);
  expect(memory.take(full, make)).not.toBe(first);
  memory.giveBack(first);
  const again = memory.take(full, make);
  expect(again).toBe(first);
  expect(again.subarray(0, 5)).toEqual(head);
});

test('small ones, and those of another size, have memory of their own', () => {
  const memory = new PacketMemory();
  const small = memory.take(100, make);
  expect(memory.owns(small)).toBe(false);
  const middle = memory.take(20_000, make);
  const large = memory.take(full, make);
  // The larger size is the one that counts from now on.
  memory.giveBack(middle);
  expect(memory.take(20_000, make)).not.toBe(middle);
  memory.giveBack(large);
  expect(memory.take(full, make)).toBe(large);
});

test('no more is kept than a channel has under way', () => {
  const memory = new PacketMemory();
  const packets = Array.from({ length: 100 }, () => memory.take(full, make));
  packets.forEach((packet) => memory.giveBack(packet));
  let made = 0;
  const counting = (bytes: number) => {
    made += 1;
    return make(bytes);
  };
  packets.forEach(() => memory.take(full, counting));
  expect(made).toBe(36);
});

test('what is sent after the keys have changed is made anew', () => {
  const memory = new PacketMemory();
  const old = memory.take(full, make);
  memory.forget();
  memory.giveBack(old);
  expect(memory.take(full, make)).not.toBe(old);
});

test('what was received is collected now and then, where the host lets it', () => {
  const before = Object.getOwnPropertyDescriptor(globalThis, 'gc');
  try {
    if (before === undefined) exposeCollector();
    expect(globalThis.gc).toBeTypeOf('function');
    const asked: unknown[] = [];
    const value = (options: unknown) => asked.push(options);
    Object.defineProperty(globalThis, 'gc', { value, configurable: true });
    const note = collecting();
    for (let part = 0; part < 20; part += 1) note(512 * 1024);
    expect(asked).toEqual([{ type: 'minor' }, { type: 'minor' }]);
  } finally {
    if (before === undefined) Reflect.deleteProperty(globalThis, 'gc');
    else Object.defineProperty(globalThis, 'gc', before);
  }
});
