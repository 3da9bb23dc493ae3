import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { aNode, aPoint, someFacts } from './nodes.ts';
import { aStore, nodeOne, nodeTwo, start } from './support.ts';

const minute = 60_000;
const day = 24 * 60 * minute;

describe('a node', () => {
  test('comes back as it was', async () => {
    const { store } = await aStore();
    const nodes = [
      aNode({ facts: someFacts, drained: true, lastSeen: start + 1 }),
      aNode({ id: nodeTwo, name: 'this-computer', local: true, address: null, disabled: true }),
    ];
    for (const node of nodes) store.nodes.insert(node);
    expect(store.nodes.all()).toEqual(nodes);
    store.nodes.setLastSeen(nodeTwo, start + 5);
    expect(store.nodes.get(nodeTwo)?.lastSeen).toBe(start + 5);
    expect(store.nodes.byName('N1')).toEqual(nodes[0]);
  });

  test('has a name of its own, whatever its case', async () => {
    const { store } = await aStore();
    store.nodes.insert(aNode());
    const taken: unknown = expect.objectContaining({ code: 'conflict/name-taken' });
    expect(() => store.nodes.insert(aNode({ id: nodeTwo, name: 'N1' }))).toThrow(taken);
    store.nodes.insert(aNode({ id: nodeTwo, name: 'n2' }));
    expect(() => store.nodes.update(aNode({ id: nodeTwo, name: 'N1' }))).toThrow(taken);
    store.nodes.update(aNode({ name: 'N1' }));
    expect(store.nodes.all().map(({ name }) => name)).toEqual(['N1', 'n2']);
  });

  test('that is removed stays as history and frees its name', async () => {
    const { store } = await aStore();
    store.nodes.insert(aNode());
    store.nodes.update(aNode({ removedAt: start + 9 }));
    store.nodes.insert(aNode({ id: nodeTwo }));
    expect(store.nodes.all().map(({ id }) => id)).toEqual([nodeTwo]);
    expect(store.nodes.byName('n1')?.id).toBe(nodeTwo);
    expect(store.nodes.get(nodeOne)?.removedAt).toBe(start + 9);
  });

  test('with unreadable facts has none, and that is reported; without its address it is refused', async () => {
    const { store, dataDir, logged } = await aStore();
    store.nodes.insert(aNode({ facts: someFacts }));
    await store.flushed();
    const database = new Sqlite(join(dataDir, 'kohakuriver.db'));
    database.exec(`UPDATE nodes SET facts_json = '{"cores": "many"}'`);
    expect(store.nodes.get(nodeOne)).toEqual(aNode());
    expect(logged).toHaveLength(1);
    database.exec(`UPDATE nodes SET address_json = '{}'`);
    database.close();
    expect(() => store.nodes.all()).toThrow(expect.objectContaining({ code: 'store/corrupt' }));
  });
});

describe('history', () => {
  test('comes back as it was, newest last, a later point of a minute in the place of another', async () => {
    const { store } = await aStore();
    const points = [0, 1, 2].map((n) => aPoint(start + n * minute, n === 1 ? { gpus: {} } : {}));
    store.metrics.append(nodeOne, points);
    store.metrics.append(nodeTwo, [aPoint(start)]);
    const later = aPoint(start, {
      cpu: 1,
      gpus: { 'GPU-2': [null, null, null, null], 'GPU-1': [1, 2, 3, 4] },
    });
    store.metrics.append(nodeOne, [later]);
    const expected = [later, points[1], points[2]];
    expect(await store.metrics.read(nodeOne, '2d', start + 3 * minute)).toEqual(expected);
    expect(await store.metrics.read(nodeOne, '1h', start + 61 * minute)).toEqual([
      points[1],
      points[2],
    ]);
  });

  test('becomes means of 15 minutes, once, and goes when it is too old', async () => {
    const { store } = await aStore();
    store.nodes.insert(aNode());
    const quarter = start - (start % (15 * minute));
    const pointAt = (n: number) =>
      aPoint(quarter + n * minute, { cpu: n, diskReadBytesPerS: n < 5 ? 10 : null });
    store.metrics.append(
      nodeOne,
      Array.from({ length: 40 }, (_, n) => pointAt(n)),
    );
    const now = quarter + 40 * minute;
    await store.metrics.prune(now);
    await store.metrics.prune(now);
    const quarters = await store.metrics.read(nodeOne, '90d', now);
    expect(quarters).toEqual([
      aPoint(quarter, { cpu: 7, diskReadBytesPerS: 10 }),
      aPoint(quarter + 15 * minute, { cpu: 22 }),
    ]);
    store.metrics.append(
      nodeOne,
      Array.from({ length: 5 }, (_, n) => pointAt(40 + n)),
    );
    await store.metrics.prune(now + 5 * minute);
    expect((await store.metrics.read(nodeOne, '90d', now)).map(({ cpu }) => cpu)).toEqual([
      7, 22, 37,
    ]);
    await store.metrics.prune(now + 2 * day - 20 * minute);
    expect(await store.metrics.read(nodeOne, '2d', now)).toHaveLength(25);
    await store.metrics.prune(now + 91 * day);
    expect(await store.metrics.read(nodeOne, '90d', now)).toEqual([]);
  });
});
