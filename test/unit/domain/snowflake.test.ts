import { expect, test } from 'vitest';
import fc from 'fast-check';
import { taskId } from '../../../src-main/contract/ids.ts';
import { compareIds, SnowflakeFactory, snowflakeTime } from '../../../src-main/domain/snowflake.ts';

function factoryAt(times: readonly number[], options: { instance?: number; after?: string } = {}) {
  let calls = 0;
  const now = () => times[Math.min(calls++, times.length - 1)] ?? 0;
  return new SnowflakeFactory({ clock: { now }, instance: 1, ...options });
}

test('has the milliseconds, the instance and the sequence in their places', () => {
  const ids = factoryAt([1_700_000_000_000], { instance: 1023 });
  const bits = [ids.next(), ids.next()].map((id) => BigInt(id));
  expect(bits.map((id) => id >> 22n)).toEqual([1_700_000_000_000n, 1_700_000_000_000n]);
  expect(bits.map((id) => (id >> 12n) & 0x3ffn)).toEqual([1023n, 1023n]);
  expect(bits.map((id) => id & 0xfffn)).toEqual([0n, 1n]);
});

test('a clock that steps back is waited out by counting on, never by waiting', () => {
  const ids = factoryAt([2_000, 1_000, 500, 3_000]);
  const times = [ids.next(), ids.next(), ids.next(), ids.next()].map(snowflakeTime);
  expect(times).toEqual([2_000, 2_000, 2_000, 3_000]);
});

test('a full millisecond borrows the next', () => {
  const ids = factoryAt([5_000]);
  const all = Array.from({ length: 10_000 }, () => ids.next());
  expect(new Set(all).size).toBe(10_000);
  expect(snowflakeTime(all.at(-1) ?? '0')).toBe(5_002);
});

test('goes on after the newest stored ID, whatever its instance and the clock', () => {
  const newest = factoryAt([9_000], { instance: 1023 }).next();
  const next = factoryAt([1_000], { instance: 0, after: newest }).next();
  expect(compareIds(next, newest)).toBeGreaterThan(0);
});

test('rises under any clock', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat({ max: 2 ** 41 - 10 }), { minLength: 2, maxLength: 50 }),
      (times) => {
        const ids = factoryAt(times);
        const all = times.map(() => ids.next());
        expect([...all].sort(compareIds)).toEqual(all);
        expect(new Set(all).size).toBe(all.length);
        for (const id of all.filter((one) => one.length > 6))
          expect(taskId.safeParse(id).success).toBe(true);
      },
    ),
  );
});

test('compares IDs as numbers', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }),
      fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }),
      (a, b) => {
        expect(Math.sign(compareIds(String(a), String(b)))).toBe(a < b ? -1 : a > b ? 1 : 0);
      },
    ),
  );
});

test('makes IDs of each brand', () => {
  const ids = factoryAt([5_000]);
  expect(new Set([ids.taskId(), ids.batchId(), ids.nodeId(), ids.coreId()]).size).toBe(4);
});
