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
import { Program } from './program.ts';

const coreId = '77' as CoreId;
const specOf = (task: number, attempt = 1) =>
  aSpec({ taskId: String(task) as TaskId, attempt, vessel: { kind: 'process' } });

/** A node that answers each call when it is told to; calls are the tasks that were named in each. */
function aNode() {
  const calls: string[][] = [];
  /** The directory each is about, by its word: that which is made, or in which attempts are. */
  const stages: string[] = [];
  const waiting: ((lines: string | Error) => void)[] = [];
  const runScript: NodeLink['runScript'] = (_script, args = []) => {
    calls.push(args.filter((word) => /^\d{3}$/.test(word)));
    stages.push(args[2] ?? '');
    return new Promise((resolve, reject) => {
      waiting.push((lines) => {
        if (lines instanceof Error) reject(lines);
        else
          resolve({
            exitCode: 0,
            signal: null,
            stdout: Buffer.from(lines),
            stderr: Buffer.from('nothing was said'),
            isTruncated: false,
          });
      });
    });
  };
  const spawn = vi.fn<NodeLink['spawn']>().mockRejectedValue(new ProcessDiskFullError());
  const link = { runScript, spawn } as unknown as NodeLink;
  const answer = async (lines: string | Error) => {
    waiting.shift()?.(lines);
    await settle();
  };
  return { calls, stages, spawn, answer, link };
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
  await node.answer('made');
  const later = [103, 104].map((task) => orders.launch(specOf(task)));
  time.advance(0);
  expect(node.calls).toEqual([['101', '102']]);
  await node.answer('root /home/anna/.kohakuriver/m\n102/1 disk-full\n101/1 started\n');
  expect(await Promise.all(first)).toEqual(['started', 'disk-full']);
  expect(orders.root).toBe('/home/anna/.kohakuriver/m');
  await settle();
  expect(node.calls).toEqual([
    ['101', '102'],
    ['103', '104'],
  ]);
  await node.answer('103/1 started\n');
  expect(await Promise.all(later)).toEqual(['started', 'failed nothing was said']);
});

test('a call that was given up cannot begin anything once there is another look or try', async () => {
  const time = new FakeTime();
  const node = aNode();
  const orders = ordersFor(node, time);
  const launch = (task: number) => {
    const answer = orders.launch(specOf(task));
    answer.catch(() => undefined);
    time.advance(0);
    return answer;
  };
  const first = launch(101);
  await node.answer('made');
  await node.answer(new Error('it took too long'));
  await expect(first).rejects.toThrow('it took too long');
  const again = launch(101);
  await settle();
  await node.answer('made');
  await node.answer('101/1 started\n');
  expect(await again).toBe('started');
  expect(node.stages).toEqual(['w-s1', 'w-s1', 'w-s2', 'w-s2']);
});

test('what was not begun since its directory was taken away is made in another', async () => {
  const time = new FakeTime();
  const node = aNode();
  const orders = ordersFor(node, time);
  const both = [101, 102].map((task) => orders.launch(specOf(task)));
  time.advance(0);
  await node.answer('made');
  await node.answer('101/1 started\n102/1 refused\n');
  time.advance(0);
  await settle();
  await node.answer('made');
  await node.answer('102/1 started\n');
  expect(await Promise.all(both)).toEqual(['started', 'started']);
  expect(node.stages).toEqual(['w-s1', 'w-s1', 'w-s2', 'w-s2']);
  expect(node.calls[3]).toEqual(['102']);
});

test('no other attempt comes while one is removed: the directory of its task may go whole', async () => {
  const time = new FakeTime();
  const node = aNode();
  const orders = ordersFor(node, time);
  const removal = orders.remove(specOf(101), 'drop');
  const next = orders.launch(specOf(101, 2));
  const other = orders.launch(specOf(102));
  const pass = async () => {
    await settle();
    time.advance(200);
    await settle();
  };
  await pass();
  await node.answer('made');
  expect(node.calls).toEqual([[], ['102'], ['101']]);
  await node.answer('102/1 started\n');
  await node.answer('101/1 removed\n');
  await pass();
  expect(await Promise.all([removal, other])).toEqual(['removed', 'started']);
  expect(node.calls[3]).toEqual(['101']);
  await node.answer('101/2 started\n');
  expect(await next).toBe('started');
});

test('a look needs no room on the node, and a start says that there is none', async () => {
  const node = aNode();
  const takeOver = new TakeOver({ link: node.link, coreId, machineId: 'm', word: 'w' });
  const look = takeOver.ensure();
  await node.answer('disk-full');
  await look;
  const stage = takeOver.stage();
  await settle();
  await node.answer('disk-full');
  expect(await stage).toEqual({ problem: 'disk-full' });
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
  await node.answer('made');
  // It cannot be had here, and they are started all the same.
  for (let call = 0; call < 2; call += 1) {
    await node.answer(launched.map((_, task) => `${String(101 + task)}/1 started\n`).join(''));
  }
  expect(new Set(await Promise.all(launched))).toEqual(new Set(['started']));
  expect(node.spawn).toHaveBeenCalledTimes(times);
});

test('what of a burst still waits for the shell goes to the runner once that is there', async () => {
  const time = new FakeTime();
  const node = aNode();
  const program = new Program();
  node.spawn.mockResolvedValue(program);
  const orders = ordersFor(node, time);
  const launched = Array.from({ length: 40 }, (_, task) => orders.launch(specOf(101 + task)));
  time.advance(0);
  await node.answer('made');
  const [, first = []] = node.calls;
  expect(first).toHaveLength(32);
  program.stdout.write('root /r\nready\n');
  await settle();
  await node.answer(first.map((task) => `${task}/1 started\n`).join(''));
  await settle();
  const rest = Array.from({ length: 8 }, (_, task) => `${String(133 + task)}/1`);
  expect([program.asked, node.calls.length]).toEqual([rest, 2]);
  // One that it cannot make is made by the shell after all.
  const [refused, ...others] = rest;
  program.stdout.write(others.map((path) => `answer ${path} started\n`).join(''));
  program.stdout.write(`answer ${refused!} refused\n`);
  await settle();
  time.advance(0);
  await settle();
  expect(node.calls[2]).toEqual(['133']);
  await node.answer('133/1 started\n');
  expect(new Set(await Promise.all(launched))).toEqual(new Set(['started']));
  await orders.close();
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
