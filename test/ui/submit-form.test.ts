import { beforeEach, describe, expect, test } from 'vitest';
import type { TaskSubmissionInput } from '../../src-main/contract/task.ts';
import { createFakeClient, type FakeClient } from '../../src-renderer/lib/fake/fake-client.ts';
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
  expect(form.submission?.gpus).toBeUndefined();
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
  expect(form.command).toContain(`'/work/out run 3'`);
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
