// Comparing goes on beside moving: nothing is missed, and nothing of it goes on when the transfer ends.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Item } from '../../../src-main/domain/transfers/plan.ts';
import { sha256 } from '../../../src-main/services/transfers/digests.ts';
import { ItemError } from '../../../src-main/services/transfers/errors.ts';
import { LotDigest, startLot } from '../../../src-main/services/transfers/lot-digest.ts';
import { inLots, Proving } from '../../../src-main/services/transfers/proving.ts';
import type { Moving } from '../../../src-main/services/transfers/small-files.ts';

const itemOf = (name: string, size = 10): Item => ({
  path: `tree/${name}`,
  kind: 'file',
  size,
  mode: 0o644,
  modifiedAt: 0,
});
const nothingKnown = () => ({ source: new Map<Item, string>(), target: new Map<Item, string>() });

test('lots are all that is moved, in order, and never more than is compared at once', () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 4 * 2 ** 20 }), { maxLength: 14_000 });
  fc.assert(
    fc.property(sizes, (all) => {
      const items = all.map((size, at) => itemOf(String(at), size));
      const lots = inLots(items, { hashes: nothingKnown() });
      expect(lots.flat()).toEqual(items);
      for (const lot of lots) {
        expect(lot.length).toBeGreaterThan(0);
        expect(lot.length).toBeLessThanOrEqual(5000);
        const bytes = lot.reduce((sum, { size }) => sum + size, 0);
        expect(bytes).toBeLessThanOrEqual(256 * 2 ** 20);
      }
      expect(inLots(items, { hashes: undefined })).toEqual(items.length === 0 ? [] : [items]);
    }),
    { numRuns: 20 },
  );
});

/** What arrives at a place of this computer, whose thread for hashes answers when it is told to. */
function world() {
  const asked: { paths: readonly string[]; answer: PromiseWithResolvers<readonly string[]> }[] = [];
  const removed: string[] = [];
  const hasher = {
    ofEach: (files: readonly { path: string }[]) => {
      const answer = Promise.withResolvers<readonly string[]>();
      asked.push({ paths: files.map(({ path }) => path), answer });
      return files.length === 0 ? Promise.resolve([]) : answer.promise;
    },
  };
  const lots: string[] = [];
  const ofAll = async () => lots.shift() ?? 'nothing';
  const files = { removeTree: async (path: string) => void removed.push(path) };
  const end = (directory: string) => ({
    root: { nodeId: undefined, files },
    tools: { digest: undefined, xargs: false },
    directory,
    digest: sha256,
    thread: { hashes: { ...hasher, ofAll } },
  });
  const hashes = nothingKnown();
  const { signal } = new AbortController();
  const moving = { from: end('/from'), to: end('/to'), signal, hashes } as unknown as Moving;
  return {
    moving,
    hashes,
    asked: () => asked.filter(({ paths }) => paths.length > 0),
    removed,
    lots,
  };
}

test('what differs is removed where it arrived, whichever lot it came with', async () => {
  const { moving, hashes, asked, removed } = world();
  const [good, bad, late] = [itemOf('good'), itemOf('bad'), itemOf('late')];
  for (const item of [good, bad, late]) hashes.source.set(item, 'as it was');
  await using proving = new Proving(moving);
  proving.add([good, bad]);
  proving.add([late]);
  const compared = proving.finish();
  await expect.poll(() => asked().length).toBe(1);
  asked()[0]?.answer.resolve(['as it was', 'something else']);
  await expect.poll(() => asked().length).toBe(2);
  asked()[1]?.answer.resolve(['as it was']);
  expect((await compared).differing.map(({ item }) => item)).toEqual([bad]);
  expect(removed).toEqual(['/to/tree/bad']);
});

test('what cannot be compared ends the transfer, at the next lot or at the end', async () => {
  const { moving, hashes, asked } = world();
  const [first, second] = [itemOf('first'), itemOf('second')];
  for (const item of [first, second]) hashes.source.set(item, 'as it was');
  await using proving = new Proving(moving);
  proving.add([first]);
  await expect.poll(() => asked().length).toBe(1);
  asked()[0]?.answer.reject(new ItemError('tree/first', 'It could not be read.'));
  await expect(proving.finish()).rejects.toThrow('could not be read');
  expect(() => proving.add([second])).toThrow('could not be read');
  expect(asked().length).toBe(1);
});

test('a transfer that ends waits for what is being compared, and for no more', async () => {
  const { moving, hashes, asked } = world();
  const [first, second] = [itemOf('first'), itemOf('second')];
  for (const item of [first, second]) hashes.source.set(item, 'as it was');
  const proving = new Proving(moving);
  proving.add([first]);
  proving.add([second]);
  await expect.poll(() => asked().length).toBe(1);
  let isOver = false;
  const disposed = proving[Symbol.asyncDispose]().then(() => (isOver = true));
  await new Promise((resolve) => setImmediate(resolve));
  expect(isOver).toBe(false);
  asked()[0]?.answer.resolve(['as it was']);
  await disposed;
  expect(asked().length).toBe(1);
});

test('a lot that is the same as a whole is not looked at file by file; one that is not, is', async () => {
  const { moving, asked, removed, lots } = world();
  const lotOf = (...items: readonly Item[]) => {
    const lot = new LotDigest(sha256);
    for (const item of items) lot.take(item, Buffer.from(item.path));
    return lot;
  };
  const [first, second, third] = [itemOf('first'), itemOf('second'), itemOf('third')];
  lots.push(lotOf(first).finishFor([first])!, 'something else');
  await using proving = new Proving(moving);
  proving.add([first], lotOf(first));
  proving.add([second, third], lotOf(second, third));
  const compared = proving.finish();
  // Source and target of the second lot only.
  await expect.poll(() => asked().length).toBe(2);
  expect(asked().map(({ paths }) => paths)).toEqual([
    ['/from/tree/second', '/from/tree/third'],
    ['/to/tree/second', '/to/tree/third'],
  ]);
  asked()[0]?.answer.resolve(['a', 'b']);
  asked()[1]?.answer.resolve(['a', 'other']);
  expect((await compared).differing.map(({ item }) => item)).toEqual([third]);
  expect(removed).toEqual(['/to/tree/third']);
  expect(lots).toEqual([]);
});

test('an end that makes other archives of the same files is not asked for archives again', async () => {
  const { moving, hashes, lots, asked } = world();
  const items = ['first', 'second', 'third'].map((name) => itemOf(name));
  for (const item of items) {
    hashes.source.set(item, 'as it was');
    hashes.target.set(item, 'as it was');
  }
  const lotOf = (item: Item) => {
    const lot = new LotDigest(sha256, 'archive');
    lot.takeMade([item], 'made here');
    return lot;
  };
  lots.push('made here', 'made there', 'made here');
  await using proving = new Proving(moving);
  for (const item of items) proving.add([item], lotOf(item));
  expect(await proving.finish()).toEqual({ differing: [], isUnproven: false });
  expect(lots).toEqual(['made here']);
  expect(asked()).toEqual([]);
});

test('where archives are others, what is moved later is compared by its contents', () => {
  const { moving } = world();
  const tools = { ...moving.to.tools, digest: 'sha256sum', xargs: true, gnuTar: true };
  const ends = { from: moving.from, to: { ...moving.to, thread: undefined, tools } };
  expect(startLot(ends, true)?.form).toBe('archive');
  expect(startLot(ends, false)?.form).toBe('contents');
  expect(startLot(moving, true)?.form).toBe('contents');
});

test('one archive that differs because a file does is no reason to doubt the others', async () => {
  const { moving, hashes, lots } = world();
  const [bad, good] = [itemOf('bad'), itemOf('good')];
  for (const item of [bad, good]) {
    hashes.source.set(item, 'as it was');
    hashes.target.set(item, item === bad ? 'other' : 'as it was');
  }
  const lotOf = (item: Item) => {
    const lot = new LotDigest(sha256, 'archive');
    lot.takeMade([item], 'made here');
    return lot;
  };
  lots.push('made there', 'made here');
  await using proving = new Proving(moving);
  proving.add([bad], lotOf(bad));
  proving.add([good], lotOf(good));
  expect((await proving.finish()).differing.map(({ item }) => item)).toEqual([bad]);
  expect(lots).toEqual([]);
});
