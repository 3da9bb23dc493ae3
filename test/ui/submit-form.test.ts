import { beforeEach, describe, expect, test } from 'vitest';
import type { TaskSubmissionInput } from '../../src-main/contract/task.ts';
import { createFakeClient, type FakeClient } from '../../src-renderer/lib/fake/fake-client.ts';
import { planOf } from '../../src-renderer/lib/submit-plan.ts';
import { SubmitForm } from '../../src-renderer/state/submit-form.svelte.ts';

let client: FakeClient;
let form: SubmitForm;
beforeEach(() => {
  client = createFakeClient();
  form = new SubmitForm(client);
});

test('turns what is typed into what the contract asks for', () => {
  form.command = `python 'my train.py' --lr 2e-5`;
  form.cores = '8';
  form.memory = '1.5G';
  form.gpuCount = '2';
  form.gpuModel = ' H100 ';
  form.vesselKind = 'image';
  form.image = 'debian:12';
  form.env = [
    { key: 'A', value: 'b' },
    { key: '', value: '' },
  ];
  form.mounts = [{ source: '/srv', destination: '/data', readOnly: true }];
  form.sync = [
    { from: '/home/mio/code', to: '/srv/code' },
    { from: '', to: '' },
  ];
  form.fetch = [{ from: '~/out', to: '/home/mio/out' }];
  form.priority = '-5';
  expect(form.problems).toEqual({});
  expect(form.submission).toMatchObject({
    work: { kind: 'command', argv: ['python', 'my train.py', '--lr', '2e-5'] },
    cores: 8,
    memoryBytes: 1.5 * 2 ** 30,
    gpus: { count: 2, model: 'H100' },
    vessel: { kind: 'image', reference: 'debian:12' },
    env: { A: 'b' },
    mounts: [{ source: '/srv', destination: '/data', readOnly: true }],
    sync: [{ from: '/home/mio/code', to: '/srv/code' }],
    fetch: [{ from: '~/out', to: '/home/mio/out' }],
    priority: -5,
  } satisfies Partial<TaskSubmissionInput>);
});

describe('names the field that is wrong', () => {
  const cases: [string, () => void, string][] = [
    ['memory', () => (form.memory = '8 gigs'), 'memoryBytes'],
    ['cores', () => (form.cores = 'many'), 'cores'],
    ['priority', () => (form.priority = '101'), 'priority'],
    [
      'image',
      () => {
        form.vesselKind = 'image';
        form.image = '';
      },
      'vessel',
    ],
    ['variable', () => (form.env = [{ key: '1X', value: 'y' }]), 'env'],
    [
      'variable twice',
      () =>
        (form.env = [
          { key: 'X', value: '1' },
          { key: 'X', value: '2' },
        ]),
      'env',
    ],
    [
      'mount',
      () => (form.mounts = [{ source: 'relative', destination: '/x', readOnly: false }]),
      'mounts',
    ],
    ['workdir', () => (form.workdir = 'here'), 'workdir'],
    ['quote', () => (form.command = 'echo "x'), 'work'],
  ];
  test.each(cases)('%s', (_name, spoil, field) => {
    form.command = 'true';
    spoil();
    expect(form.submission).toBeUndefined();
    expect(form.problemOf(field)).toMatch(/[.]$/);
  });

  test('but an empty command only once it was tried', async () => {
    expect(form.problemOf('work')).toBeUndefined();
    expect(await form.submit()).toBeUndefined();
    expect(form.problemOf('work')).toBe('Write what is to run.');
  });
});

test('GPUs named by the targets are not asked for by number as well', () => {
  form.command = 'true';
  form.gpuCount = '4';
  form.targets = [{ node: 'beta', numa: 0, gpus: [1, 0] }];
  expect(form.submission).toMatchObject({ targets: ['beta:0::0,1'] });
  expect(form.submission?.gpus).toBeNull();
});

test('secrets are sent, but are no part of the command line or of asking', async () => {
  form.command = 'true';
  form.secretEnv = [{ key: 'KEY', value: 'hunter2' }];
  expect(form.submission?.secretEnv).toEqual({ KEY: 'hunter2' });
  expect(form.cli).not.toContain('hunter2');
  let asked: unknown;
  const { explain } = client.api.tasks;
  client.api.tasks.explain = (input, options) => {
    asked = input;
    return explain(input, options as never);
  };
  form.askSoon();
  await expect.poll(() => form.explained?.summary).toMatch(/^Would start now/);
  expect(JSON.stringify(asked)).not.toContain('hunter2');
  form.stop();
});

test('submits a task again with what it was, by the core that has its secrets', async () => {
  await form.load('llama-finetune-r3');
  expect(form.command).toContain(`'/data/out run 3'`);
  expect(form.memory).toBe('256G');
  let resubmitted: unknown;
  const { resubmit } = client.api.tasks;
  client.api.tasks.resubmit = (input, options) => {
    resubmitted = input.task;
    return resubmit(input, options as never);
  };
  const done = await form.submit();
  expect(done?.taskIds).toHaveLength(1);
  expect(resubmitted).toBe('llama-finetune-r3');
});

test('what is taken out of a task that is submitted again is sent as taken out', async () => {
  await form.load('llama-finetune-r3');
  form.memory = '';
  form.gpuCount = '0';
  form.workdir = '';
  let changes: unknown;
  const { resubmit } = client.api.tasks;
  client.api.tasks.resubmit = (input, options) => {
    ({ changes } = input);
    return resubmit(input, options as never);
  };
  await form.submit();
  expect(changes).toMatchObject({ memoryBytes: null, gpus: null, workdir: null });
});

describe('more than one task', () => {
  beforeEach(() => {
    form.command = 'python train.py --lr {LR}';
  });

  test('an array, with its cap', () => {
    form.shape.howMany = 'array';
    form.shape.numbers = '1,3,7-9';
    form.shape.maxRunning = '2';
    expect(form.submission?.array).toEqual({ indices: [1, 3, 7, 8, 9], maxRunning: 2 });
    expect(form.cli).toContain('--array 1,3,7-9%2 --');
  });

  test('a sweep, and what its first and last tasks run', () => {
    form.shape.howMany = 'sweep';
    form.shape.parameters = [
      { name: 'LR', values: '1e-3, 1e-4' },
      { name: 'SEED', values: '1,2,3' },
    ];
    expect(form.submission?.sweep).toEqual({
      parameters: { LR: ['1e-3', '1e-4'], SEED: ['1', '2', '3'] },
      maxRunning: null,
    });
    expect(form.cli).toContain('--sweep LR=1e-3,1e-4 --sweep SEED=1,2,3');
    expect(planOf(form.submissions ?? [], 0)).toMatchObject({
      count: 6,
      first: [
        { label: 'LR=1e-3 SEED=1', line: 'python train.py --lr 1e-3' },
        { label: 'LR=1e-3 SEED=2' },
        { label: 'LR=1e-3 SEED=3' },
      ],
      last: { label: 'LR=1e-4 SEED=3', line: 'python train.py --lr 1e-4' },
    });
  });

  test('tasks that start together, on targets, as an array or as a sweep', () => {
    form.shape.isTogether = true;
    expect(form.isSeveral).toBe(false);
    expect(form.submission?.gang).toBe(false);
    form.targets = ['alpha', 'beta'].map((node) => ({ node, numa: null, gpus: [] }));
    expect(form.isSeveral).toBe(true);
    expect(form.submission?.gang).toBe(true);
    expect(form.cli).toContain('-t alpha -t beta --gang --');
    form.targets = [];
    form.shape.howMany = 'array';
    form.shape.numbers = '4';
    form.shape.maxRunning = '2';
    // All at once leaves no room for fewer at a time.
    expect(form.submission).toMatchObject({
      array: { indices: [0, 1, 2, 3], maxRunning: null },
      gang: true,
    });
    expect(form.cli).toContain('--array 4 --gang --');
    expect(planOf(form.submissions ?? [], 0).terms).toEqual(['All 4 start together, or none.']);
    form.shape.numbers = '0-3%2';
    expect(form.problemOf('gang')).toMatch(/^All 4 are to start together, and at most 2/);
    form.shape.numbers = '1001';
    expect(form.problemOf('gang')).toBe('At most 1000 tasks can start together; these are 1001.');
    form.fill({
      work: { kind: 'command', argv: ['true'] },
      sweep: { parameters: { RANK: ['0', '1'] } },
      gang: true,
    });
    expect(form.submission).toMatchObject({ gang: true, sweep: { maxRunning: null } });
  });

  test('a list: a task for each line, accepted together', async () => {
    form.workKind = 'list';
    form.list = '# the small ones first\necho one\n\necho "two words"\n';
    form.name = 'pair';
    expect(form.submissions?.map(({ name, work }) => ({ name, work }))).toEqual([
      { name: 'pair-1', work: { kind: 'command', argv: ['echo', 'one'] } },
      { name: 'pair-2', work: { kind: 'command', argv: ['echo', 'two words'] } },
    ]);
    expect(form.cli?.split('\n')).toHaveLength(2);
    const done = await form.submit();
    expect(done?.taskIds).toHaveLength(2);
    const { rows } = await client.api.tasks.list({ filter: { text: 'pair-' } });
    expect(rows.map(({ name }) => name).sort()).toEqual(['pair-1', 'pair-2']);
  });

  test('says which line of a list, which number and which parameter is wrong', async () => {
    form.workKind = 'list';
    form.list = 'true\necho "open';
    expect(form.problemOf('work')).toBe('Line 2: A quote is opened and never closed.');
    form.workKind = 'command';
    form.shape.howMany = 'array';
    expect(form.problemOf('array')).toBeUndefined();
    form.shape.numbers = '9-1';
    expect(form.problemOf('array')).toMatch(/^Write 10/);
    form.shape.numbers = '20000';
    expect(form.problemOf('array')).toMatch(/at most 10000/);
    form.shape.howMany = 'sweep';
    form.shape.parameters = [{ name: 'LR', values: '1,' }];
    expect(form.problemOf('sweep')).toBe('Write the values of LR with commas between.');
    form.shape.parameters = [{ name: '', values: '' }];
    expect(await form.submit()).toBeUndefined();
    expect(form.problemOf('sweep')).toMatch(/^Name at least one/);
  });
});

describe('when it runs', () => {
  test('after others, not before a time, not longer than a time, and again when it fails', () => {
    form.command = 'true';
    form.shape.after = [
      { task: 'train:base', on: 'ok' },
      { task: '7234', on: 'any' },
    ];
    form.shape.notBefore = '2031-03-01T14:05';
    form.shape.timeLimit = '1h30m';
    form.shape.retries = '3';
    form.shape.retryOn = { exit: true, oom: false, lost: true };
    form.shape.retryWait = '1m';
    const notBefore = new Date(2031, 2, 1, 14, 5).getTime();
    expect(form.submission).toMatchObject({
      after: [
        { task: 'train:base', on: 'ok' },
        { task: '7234', on: 'any' },
      ],
      notBefore,
      timeLimitSeconds: 5400,
      retries: { count: 3, on: ['exit', 'lost'], backoffSeconds: 60 },
    });
    expect(form.cli).toBe(
      `kohakuriver task submit --after train:base:ok --after 7234:any --not-before ${new Date(notBefore).toISOString()} --time-limit 1h30m --retries 3 --retry-on exit,lost --retry-wait 1m -- true`,
    );
    const { terms, isPutOff } = planOf(form.submissions ?? [], notBefore - 1);
    expect(terms).toHaveLength(5);
    expect(isPutOff).toBe(true);
  });

  test('is filled in from what a task was', () => {
    form.fill({
      work: { kind: 'command', argv: ['true'] },
      array: { indices: [5] },
      timeLimitSeconds: 90,
      retries: { count: 2, on: ['oom'], backoffSeconds: 30 },
      onNodeLabels: { zone: 'a' },
      avoidNodes: ['beta', 'gamma'],
    });
    expect(form.shape.numbers).toBe('5-5');
    expect(form.submission).toMatchObject({
      array: { indices: [5], maxRunning: null },
      timeLimitSeconds: 90,
      retries: { count: 2, on: ['oom'], backoffSeconds: 30 },
      onNodeLabels: { zone: 'a' },
      avoidNodes: ['beta', 'gamma'],
    });
  });
});
