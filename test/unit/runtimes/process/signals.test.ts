import { beforeEach, expect, test } from 'vitest';
import type { CoreId, TaskId } from '../../../../src-main/contract/ids.ts';
import { CommandFailedError } from '../../../../src-main/link/errors.ts';
import type { NodeLink, RunResult } from '../../../../src-main/link/node-link.ts';
import { Signals, type SignalOrder } from '../../../../src-main/runtimes/process/signals.ts';
import { FakeTime, settle } from '../../../support/fake-time.ts';

const term: SignalOrder = { signal: 'TERM', whom: 'work', rounds: 1 };
const kill: SignalOrder = { signal: 'KILL', whom: 'work', rounds: 20 };

let time: FakeTime;
let signals: Signals;
/** What each call was about, and how to answer it. */
let calls: { words: readonly string[]; answer: (stdout: string) => void; fail: () => void }[];

beforeEach(() => {
  time = new FakeTime();
  calls = [];
  const runScript: NodeLink['runScript'] = (_script, args = []) => {
    const { promise, resolve, reject } = Promise.withResolvers<RunResult>();
    const rest = { exitCode: 0, signal: null, isTruncated: false };
    calls.push({
      words: args,
      answer: (stdout) =>
        resolve({ ...rest, stdout: Buffer.from(stdout), stderr: Buffer.from('out of memory') }),
      fail: () => reject(new CommandFailedError('link/command-timeout', 'it took too long')),
    });
    return promise;
  };
  const link = { runScript } as unknown as NodeLink;
  signals = new Signals({ link, coreId: '77' as CoreId, machineId: 'm', timers: time });
});

const send = (task: number, order: SignalOrder = term) => {
  const sent = signals.send({ taskId: String(task) as TaskId, attempt: 2 }, order);
  sent.catch(() => undefined);
  return sent;
};

test('those that come together are one call, in which each has its own order and answer', async () => {
  const sent = [send(5), send(6, kill), send(5, kill), send(7), send(8), send(9)];
  await settle();
  expect(calls.map(({ words }) => words.join(' '))).toEqual([
    'm 77 5 2 TERM work 1 6 2 KILL work 20 5 2 KILL work 20 7 2 TERM work 1 8 2 TERM work 1 9 2 TERM work 1',
  ]);
  calls[0]!.answer(
    '4 foreign\n5 missing\n1 signalled 3\n2 ended\nnoise\n77 ended\n3 signalled 1\n',
  );
  const results = await Promise.allSettled(sent);
  expect(results).toMatchObject([
    { value: 3 },
    { value: 0 },
    { value: 1 },
    { reason: { code: 'process/creation' } },
    { value: 0 },
    { reason: { message: expect.stringContaining('out of memory') as string } },
  ]);
});

test('what comes meanwhile is the next call, and one that fails takes no other with it', async () => {
  const first = send(1);
  await settle();
  const later = Array.from({ length: 300 }, (_, task) => send(task));
  calls[0]!.fail();
  await expect(first).rejects.toThrow('it took too long');
  await settle();
  const answered = (orders: number) =>
    Array.from({ length: orders }, (_, order) => `${String(order + 1)} signalled 1\n`).join('');
  expect(calls).toHaveLength(2);
  calls[1]!.answer(answered(256));
  await settle();
  calls[2]!.answer(answered(44));
  expect(new Set(await Promise.all(later))).toEqual(new Set([1]));
});
