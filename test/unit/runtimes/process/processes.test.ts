import { describe, expect, test } from 'vitest';
import type { CoreId } from '../../../../src-main/contract/ids.ts';
import {
  attemptWords,
  gpuEnvironment,
  launchWords,
  runnerOrder,
} from '../../../../src-main/runtimes/process/bundle.ts';
import { LogPosition } from '../../../../src-main/runtimes/process/log-position.ts';
import { parseRecords, toObserved } from '../../../../src-main/runtimes/process/records.ts';
import { signalOfExitCode } from '../../../../src-main/runtimes/signals.ts';
import { aSpec } from '../spec.ts';

const core = '77' as CoreId;
const boot = '11111111-2222-3333-4444-555555555555';
const head = `root /home/anna/.kohakuriver/m\nboot ${boot} 1000\n`;
const meta = ['core=77', 'task=5', 'attempt=1', 'owner=anna', 'cores=2', 'memory=64', 'gpus=GPU-1']
  .map((line) => `5/1/meta:${line}\n`)
  .join('');
const pid = `5/1/pid:300 12345 ${boot} 1500000000000\n`;

function conditionOf(lines: string) {
  const node = parseRecords(head + meta + lines, 2_000_000);
  const record = node?.attempts[0];
  if (node === undefined || record === undefined) throw new Error('nothing was read');
  return toObserved(record, node)?.condition;
}

describe('what a node says about its attempts', () => {
  test('tells what is created, running, paused and ended', () => {
    expect(conditionOf('')).toEqual({ kind: 'created' });
    expect(conditionOf(`launched 5/1\nproc 5/1 S 12345\n${pid}`)).toEqual({
      kind: 'running',
      startedAt: 1_500_000,
    });
    expect(conditionOf(`launched 5/1\nproc 5/1 T 12345\n${pid}`)).toMatchObject({ kind: 'paused' });
    expect(conditionOf(`launched 5/1\n${pid}5/1/exit_code:2 137 10000 1   \n`)).toEqual({
      kind: 'ended',
      startedAt: 1_500_000,
      finishedAt: 1_600_000,
      end: { exitCode: 137, signal: 'SIGKILL', oomKilled: true },
      problem: null,
    });
  });

  test('never takes a reused number or another boot for the same process', () => {
    const vanished = { kind: 'ended', end: { exitCode: null, signal: null } };
    expect(conditionOf(`launched 5/1\nproc 5/1 S 99999\n${pid}`)).toMatchObject(vanished);
    expect(conditionOf(`launched 5/1\nproc 5/1 gone 0\n${pid}`)).toMatchObject(vanished);
    const old = pid.replace('11111111', '00000000');
    expect(conditionOf(`launched 5/1\nproc 5/1 S 12345\n${old}`)).toMatchObject({
      ...vanished,
      problem: 'Lost with its node, which was restarted while it ran.',
    });
  });

  test('a record is that of its own attempt, whatever a power cut has left in its file', () => {
    const of = (attempt: string) =>
      conditionOf(`launched 5/1\n${pid}5/1/exit_code:2 0 10000 0 ${attempt}   \n`);
    expect(of('5/1')).toMatchObject({ kind: 'ended', end: { exitCode: 0 } });
    expect(of('4/1')).toMatchObject({ kind: 'running' });
    const old = pid.replace('11111111', '00000000');
    expect(conditionOf(`launched 5/1\n${old}5/1/exit_code:2 0 10000 0 4/1   \n`)).toMatchObject({
      kind: 'ended',
      end: { exitCode: null, lostWithNode: true },
    });
  });

  test('counts as running what still has members, or is just being started', () => {
    expect(conditionOf(`launched 5/1\nproc 5/1 gone 2\n${pid}`)).toMatchObject({ kind: 'running' });
    expect(conditionOf(`launched 5/1\n${pid}`)).toMatchObject({ kind: 'running' });
    expect(conditionOf('launched 5/1\nwait 5/1 10\n')).toMatchObject({ kind: 'running' });
    expect(conditionOf('launched 5/1\nwait 5/1 500\n')).toMatchObject({
      kind: 'ended',
      problem: expect.stringContaining('never ran') as string,
    });
  });

  test('passes over what makes no sense', () => {
    expect(parseRecords('', 0)).toBeUndefined();
    expect(parseRecords('root relative\n', 0)).toBeUndefined();
    const node = parseRecords(
      `${head}../../etc/meta:core=1\n5/1/exit_code:2 x y z\n5/1/pid:rm -rf\nproc ; S 1\n`,
      0,
    );
    expect(node?.attempts.map((record) => [record.path, record.exit, record.process])).toEqual([
      ['5/1', null, null],
    ]);
    expect(conditionOf('5/1/meta:cores=-1\n')).toEqual({ kind: 'created' });
  });
});

describe('what is sent to a node', () => {
  test('has secrets only among the variables', () => {
    const spec = aSpec({ vessel: { kind: 'process' }, env: { TOKEN: "a'b\nc" } });
    const [task, attempt, launch, meta = '', env = '', head = ''] = attemptWords(spec, {
      core,
      limits: false,
      now: 1_700_000_000_000.7,
    });
    expect([task, attempt, launch]).toEqual(['4711', '2', 'sh']);
    expect(meta.split('\n')[0]).toBe('core=77');
    expect(env).toContain(`TOKEN='a'\\''b\nc'; export TOKEN; `);
    expect(head).toMatch(/^#!\/bin\/sh\n/);
    expect(head).toContain('kr_at=1700000000000\n');
    expect(head).toContain("set -- 'python' '-c' 'print(1)'");
    expect(meta + head).not.toContain('TOKEN');
  });

  test('is started under systemd with limits only where that works and limits were asked for', () => {
    expect(launchWords(aSpec(), true)).toBe(
      'systemd-run $user_flag --scope --quiet --collect --unit=kohakuriver-task-4711-2 ' +
        `-p CPUQuota=200% -p MemoryMax=${String(8 * 1024 ** 3)} -p MemorySwapMax=0 -- sh`,
    );
    expect(launchWords(aSpec({ cores: 0, memoryBytes: null }), true)).toBe('sh');
    expect(launchWords(aSpec(), false)).toBe('sh');
  });

  test('goes to the runner unless it has limits or makes a session of its own', () => {
    const options = { core, limits: true, now: 0 };
    const plain = { vessel: { kind: 'process' }, cores: 0, memoryBytes: null } as const;
    const orderOf = (text: string) =>
      runnerOrder(aSpec({ ...plain, work: { kind: 'script', text } }), options);
    expect(orderOf('echo 1')).toMatchObject({ path: '4711/2', argv: ['/bin/sh', '-c', 'echo 1'] });
    for (const text of ['setsid sleep 1', 'cd x && /usr/bin/setsid -w y', 'daemonize z'])
      expect(orderOf(text)).toBeUndefined();
    expect(runnerOrder(aSpec(), options)).toBeUndefined();
  });

  test('shows the GPUs that are held, and none otherwise', () => {
    const gpu = { uuid: 'GPU-1', index: 3, vendor: 'nvidia', pciBusId: 'x' } as const;
    expect(gpuEnvironment({ env: {}, gpus: [gpu] })).toEqual({
      CUDA_VISIBLE_DEVICES: 'GPU-1',
      NVIDIA_VISIBLE_DEVICES: 'GPU-1',
      HIP_VISIBLE_DEVICES: '',
    });
    expect(gpuEnvironment({ env: {}, gpus: [{ ...gpu, vendor: 'amd' }] })).toMatchObject({
      HIP_VISIBLE_DEVICES: '3',
    });
    expect(gpuEnvironment({ env: { CUDA_VISIBLE_DEVICES: '0' }, gpus: [] })).toEqual({
      HIP_VISIBLE_DEVICES: '',
    });
  });
});

test('a position in a log survives being written down', () => {
  const position = LogPosition.parse('p1 12 0');
  position.stderr += 5;
  expect(position.toString()).toBe('p1 12 5');
  expect(() => LogPosition.parse('p1 -1 0')).toThrow('not a position');
});

test('exit codes above 128 are signals where Linux has one of that number', () => {
  expect([137, 143, 0, 128, 255].map(signalOfExitCode)).toEqual([
    'SIGKILL',
    'SIGTERM',
    null,
    null,
    null,
  ]);
});
