import { expect, test, vi } from 'vitest';
import type { CoreId, TaskId } from '../../../../src-main/contract/ids.ts';
import type { NodeLink } from '../../../../src-main/link/node-link.ts';
import { ProcessDiskFullError } from '../../../../src-main/runtimes/process/errors.ts';
import { LaunchedAttempts } from '../../../../src-main/runtimes/process/launched.ts';
import { silentLog } from '../../../../src-main/runtimes/log.ts';
import { Orders } from '../../../../src-main/runtimes/process/orders.ts';
import { TakeOver } from '../../../../src-main/runtimes/process/take-over.ts';
import { FakeTime, settle } from '../../../support/fake-time.ts';
import { aSpec } from '../spec.ts';

const coreId = '77' as CoreId;
const specOf = (task: number) =>
  aSpec({ taskId: String(task) as TaskId, attempt: 1, vessel: { kind: 'process' } });

/** A node that answers each call when it is told to; calls are the tasks that were named in each. */
function aNode() {
  const calls: string[][] = [];
  const waiting: ((lines: string) => void)[] = [];
  const runScript: NodeLink['runScript'] = (_script, args = []) => {
    calls.push(args.filter((word) => /^\d{3}$/.test(word)));
    return new Promise((resolve) => {
      waiting.push((lines) =>
        resolve({
          exitCode: 0,
          signal: null,
          stdout: Buffer.from(lines),
          stderr: Buffer.from('nothing was said'),
          isTruncated: false,
        }),
      );
    });
  };
  const spawn = vi.fn<NodeLink['spawn']>().mockRejectedValue(new ProcessDiskFullError());
  const link = { runScript, spawn } as unknown as NodeLink;
  return { calls, spawn, answer: (lines: string) => waiting.shift()?.(lines), link };
}

function ordersFor({ link }: ReturnType<typeof aNode>, time: FakeTime, runner?: 'never'): Orders {
  const common = { link, coreId, machineId: 'm', word: 'w' };
  return new Orders({
    ...common,
    ...(runner === undefined ? {} : { runner }),
    takeOver: new TakeOver(common),
    limits: false,
    clock: time,
    timers: time,
    log: silentLog,
    onExit: () => undefined,
    onLoss: () => undefined,
  });
}

test('orders that come together are one script, and what comes meanwhile is the next', async () => {
  const time = new FakeTime();
  const node = aNode();
  const orders = ordersFor(node, time);
  const first = [101, 102].map((task) => orders.launch(specOf(task)));
  time.advance(0);
  // First what earlier connections have under way is taken away.
  expect(node.calls.splice(0)).toEqual([[]]);
  node.answer('');
  await settle();
  const later = [103, 104].map((task) => orders.launch(specOf(task)));
  time.advance(0);
  expect(node.calls).toEqual([['101', '102']]);
  node.answer('root /home/anna/.kohakuriver/m\n102/1 disk-full\n101/1 started\n');
  expect(await Promise.all(first)).toEqual(['started', 'disk-full']);
  expect(orders.root).toBe('/home/anna/.kohakuriver/m');
  await settle();
  expect(node.calls).toEqual([
    ['101', '102'],
    ['103', '104'],
  ]);
  node.answer('103/1 started\n');
  expect(await Promise.all(later)).toEqual(['started', 'failed nothing was said']);
});

interface Starts {
  readonly starts: number;
  readonly runner?: 'never';
  readonly apartMs?: number;
  readonly env?: Readonly<Record<string, string>>;
}

test.each<[Starts, number]>([
  [{ starts: 8 }, 1],
  [{ starts: 7 }, 0],
  [{ starts: 8, runner: 'never' }, 0],
  [{ starts: 8, apartMs: 2000 }, 0],
  // Only the shell can do these.
  [{ starts: 8, env: { LD_PRELOAD: '/x.so' } }, 0],
])('a burst brings the runner up: %j', async ({ starts, runner, apartMs = 0, env = {} }, times) => {
  const time = new FakeTime();
  const node = aNode();
  const orders = ordersFor(node, time, runner);
  const launched = Array.from({ length: starts }, (_, task) => {
    time.advance(apartMs);
    return orders.launch({ ...specOf(101 + task), env });
  });
  time.advance(0);
  node.answer('');
  await settle();
  // It cannot be had here, and they are started all the same.
  for (let call = 0; call < 2; call += 1) {
    node.answer(launched.map((_, task) => `${String(101 + task)}/1 started\n`).join(''));
    await settle();
  }
  expect(new Set(await Promise.all(launched))).toEqual(new Set(['started']));
  expect(node.spawn).toHaveBeenCalledTimes(times);
});

test('an end that is told before the launch is answered is not missed', () => {
  const attempts = new LaunchedAttempts(coreId);
  const exit = { code: 3, ranMs: 250, oomKilled: false };
  const heard = { hasLog: false, now: 9000 };
  attempts.hear('101/1', exit, heard);
  expect(attempts.end('101/1')).toBeUndefined();
  attempts.begin('101/1', specOf(101), { root: '/r', at: 1000 });
  expect(attempts.running('101/1')?.name).toBe('/r/tasks/101/1');
  attempts.hear('101/1', exit, heard);
  expect(attempts.running('101/1')).toBeUndefined();
  expect(attempts.end('101/1')).toMatchObject({
    isSilent: true,
    observed: { condition: { end: { exitCode: 3 }, startedAt: 1000, finishedAt: 1250 } },
  });
});

test('after a gap nothing is known to run; ends stay known', () => {
  const attempts = new LaunchedAttempts(coreId);
  for (const task of [101, 102])
    attempts.begin(`${task}/1`, specOf(task), { root: '/r', at: 1000 });
  attempts.hear('101/1', { code: 0, ranMs: 1, oomKilled: false }, { hasLog: true, now: 2000 });
  attempts.reset();
  expect(attempts.running('102/1')).toBeUndefined();
  expect(attempts.end('101/1')?.isSilent).toBe(false);
});
