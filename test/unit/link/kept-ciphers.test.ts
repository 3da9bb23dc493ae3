import { EventEmitter } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { keepCiphers } from '../../../src-main/link/ssh/kept-ciphers.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** A connection that has had two key exchanges and is gone, and what it read and wrote with. */
function aConnectionThatWas(isKept: boolean): WeakRef<object>[] {
  const client = new EventEmitter() as EventEmitter & { _protocol?: unknown };
  if (isKept) keepCiphers(client);
  client.emit('handshake');
  const instances: object[] = [];
  for (let exchange = 0; exchange < 2; exchange += 1) {
    const [writes, reads] = [{ exchange }, { exchange }];
    instances.push(writes, reads);
    client._protocol = { _cipher: { _instance: writes }, _decipher: { _instance: reads } };
    client.emit('handshake');
  }
  return instances.map((each) => new WeakRef(each));
}

test('the collector never takes a cipher of a connection, whatever becomes of that', async () => {
  const [kept, others] = [aConnectionThatWas(true), aConnectionThatWas(false)];
  await expect
    .poll(() => {
      collect();
      return others.filter((each) => each.deref() !== undefined).length;
    })
    .toBe(0);
  expect(kept.filter((each) => each.deref() !== undefined)).toHaveLength(4);
});
