import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CoreId } from '../../../../src-main/contract/ids.ts';
import { CommandFailedError } from '../../../../src-main/link/errors.ts';
import type { NodeLink } from '../../../../src-main/link/node-link.ts';
import { silentLog } from '../../../../src-main/runtimes/log.ts';
import { linesOf } from '../../../../src-main/runtimes/process/lines.ts';
import { Runner } from '../../../../src-main/runtimes/process/runner.ts';
import { TakeOver } from '../../../../src-main/runtimes/process/take-over.ts';
import { FakeTime, settle } from '../../../support/fake-time.ts';
import { Program } from './program.ts';

const coreId = '77' as CoreId;

/** How names go on behind the core's that are taken away: at first, and when a runner of this connection was lost. */
const everything = ['', 'w-s'];
const ours = ['w-r', 'w-s'];

let time: FakeTime;
let program: Program;
let takenOver: string[][];
let losses: number;
let exitCode: number;
let takeOver: TakeOver;
let runner: Runner;

beforeEach(() => {
  time = new FakeTime();
  program = new Program();
  takenOver = [];
  losses = 0;
  exitCode = 0;
  const link = {
    spawn: () => Promise.resolve(program),
    runScript: (_script: string, args: string[]) => {
      takenOver.push(args.slice(4));
      return Promise.resolve({ exitCode, stdout: 'made\n', stderr: '' });
    },
  } as unknown as NodeLink;
  const common = { link, machineId: 'm', coreId, word: 'w' };
  takeOver = new TakeOver(common);
  const onLoss = () => {
    losses += 1;
    // Whoever looks now waits for this.
    void takeOver.ensure();
  };
  const rest = { timers: time, log: silentLog, onExit: () => undefined, onLoss };
  runner = new Runner({ ...common, ...rest, takeOver });
});

afterEach(() => runner.close());

const launch = (task: number) =>
  runner.launch({ path: `${task}/1`, meta: '', env: {}, argv: ['true'], workdir: null, at: 0 });

async function up(): Promise<void> {
  const both = [runner.ensure(), runner.ensure()];
  await settle();
  program.stdout.write('root /r\nready\n');
  await Promise.all(both);
}

test('comes up once, after what was under way was taken away, for all who wait', async () => {
  await up();
  expect(takenOver).toEqual([everything]);
  expect([runner.isReady, runner.root]).toEqual([true, '/r']);
});

test('does not come up while what was under way is still there, and others take it away, too', async () => {
  exitCode = 1;
  await runner.ensure();
  expect(runner.isReady).toBe(false);
  exitCode = 0;
  await takeOver.ensure();
  await takeOver.ensure();
  expect(takenOver).toEqual([everything, everything]);
});

test('has no more than 32 orders at a time', async () => {
  await up();
  const answers = Array.from({ length: 40 }, (_, task) => launch(task));
  await settle();
  expect(program.asked).toHaveLength(32);
  program.stdout.write('answer 0/1 started\nanswer 1/1 disk-full\n');
  expect(await Promise.all(answers.slice(0, 2))).toEqual(['started', 'disk-full']);
  await settle();
  expect(program.asked).toHaveLength(34);
});

test('one that dies is noticed, and what it has not begun is taken away before others do it', async () => {
  await up();
  const answer = launch(1);
  program.stdout.end();
  expect(await answer).toBeUndefined();
  await settle();
  expect([losses, takenOver, runner.isReady]).toEqual([1, [everything, ours], false]);
});

test('one that is silent while it is asked is let go, and not waited for', async () => {
  await up();
  const answer = launch(1);
  await time.pass(20_000);
  expect(await answer).toBeUndefined();
  expect([program.isLetGo, losses, takenOver[1]]).toEqual([true, 1, ours]);
  await runner.ensure();
  expect(runner.isReady).toBe(false);
});

test('one that never gets so far as to be ready is let go, too', async () => {
  const waiting = runner.ensure();
  await time.pass(20_000);
  await waiting;
  expect([program.isLetGo, runner.isReady, losses]).toEqual([true, false, 0]);
});

test('is closed without waiting for its output to end', async () => {
  await up();
  const answer = launch(1);
  await runner.close();
  expect([await answer, program.isLetGo, losses]).toEqual([undefined, true, 0]);
});

test('is closed, and its reading ended, though the node lets go of nothing', async () => {
  await up();
  program.letGo = () =>
    Promise.reject(new CommandFailedError('link/command-timeout', 'It says nothing.'));
  program.stdout.write('x'.repeat(20_000));
  await settle();
  expect(runner.isReady).toBe(false);
  await runner.close();
  expect(losses).toBe(1);
});

test('a line without an end ends the reading', async () => {
  await up();
  const answer = launch(1);
  program.stdout.write('x'.repeat(20_000));
  expect(await answer).toBeUndefined();
  expect(program.isLetGo).toBe(true);
});

test('lines come whole, whatever the pieces', async () => {
  const stream = new PassThrough();
  stream.write(Buffer.from('one\ntw'));
  stream.write(Buffer.from([0x6f, 0xc3]));
  stream.end(Buffer.from([0xbc, 0x0a, 0x78]));
  const lines: string[] = [];
  for await (const line of linesOf(stream)) lines.push(line);
  expect(lines).toEqual(['one', 'twoü']);
});
