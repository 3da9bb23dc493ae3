import { beforeEach, expect, test } from 'vitest';
import { silentLog } from '../../../../src-main/runtimes/log.ts';
import { LookAround } from '../../../../src-main/runtimes/process/look-around.ts';
import { FakeTime, settle } from '../../../support/fake-time.ts';

let time: FakeTime;
let living: Set<string>;
let looks: number;
/** What a look waits for. */
let answer: Promise<unknown>;
let fails: boolean;
let around: LookAround;
let called: string[];

beforeEach(() => {
  time = new FakeTime();
  living = new Set(['1/1', '2/1', '3/1', '4/1', '5/1', '6/1']);
  looks = 0;
  answer = Promise.resolve();
  fails = false;
  called = [];
  around = new LookAround({
    clock: time,
    timers: time,
    log: silentLog,
    pauseMs: () => 15_000,
    living: async () => {
      looks += 1;
      const seen = new Set(living);
      await answer;
      if (fails) throw new Error('no home');
      return seen;
    },
  });
});

const wait = (path: string) => around.wait(path, () => called.push(path));

test('one look is for all, and calls those that do not live any more', async () => {
  for (const path of living) wait(path);
  living.delete('3/1');
  await time.pass(14_999);
  expect(looks).toBe(0);
  await time.pass(1);
  expect([looks, called]).toEqual([1, ['3/1']]);
  await time.pass(15_000);
  expect([looks, called]).toEqual([2, ['3/1', '3/1']]);
});

test('who comes while the node is asked is not judged by its answer', async () => {
  for (const path of living) wait(path);
  const asked = Promise.withResolvers<undefined>();
  answer = asked.promise;
  await time.pass(15_000);
  wait('7/1');
  living.add('7/1');
  asked.resolve(undefined);
  await settle();
  expect([looks, called]).toEqual([1, []]);
});

test('few look by themselves', async () => {
  const waits = [...living].map(wait);
  for (const one of waits.slice(2)) one[Symbol.dispose]();
  await time.pass(15_000);
  expect([looks, called]).toEqual([0, ['1/1', '2/1']]);
});

test('a look that fails calls nobody, and is made again', async () => {
  for (const path of living) wait(path);
  living.clear();
  fails = true;
  await time.pass(15_000);
  expect([looks, called]).toEqual([1, []]);
  fails = false;
  await time.pass(15_000);
  expect([looks, called.length]).toEqual([2, 6]);
});

test('nobody is called once nobody waits', async () => {
  const waits = [...living].map(wait);
  living.clear();
  for (const one of waits) one[Symbol.dispose]();
  await time.pass(60_000);
  expect([looks, called]).toEqual([0, []]);
});
