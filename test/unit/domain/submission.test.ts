import { describe, expect, test } from 'vitest';
import { taskSubmission, type TaskSubmissionInput } from '../../../src-main/contract/task.ts';
import { nearestName, validateSubmission } from '../../../src-main/domain/submission.ts';
import { aNode, GiB } from './builders.ts';

const policy = { allowPrivileged: true, useForeignGpus: false };
const numa = [{ id: 0, cores: 8, memoryBytes: 32 * GiB }];
const nodes = [
  aNode('gpu-1', { gpuCount: 2, numa, state: 'offline' }),
  aNode('cpu-1', { drained: true }),
];

function check(
  changes: Partial<TaskSubmissionInput>,
  overrides: Partial<typeof policy> = {},
  fleet = nodes,
) {
  const submission = taskSubmission.parse({
    work: { kind: 'script', text: 'true' },
    memoryBytes: GiB,
    ...changes,
  });
  const vessel = submission.vessel ?? { kind: 'image' as const, reference: 'debian:12' };
  return validateSubmission({ ...submission, vessel }, fleet, { ...policy, ...overrides });
}

describe('accepts', () => {
  test('one task per target, or one for the scheduler', () => {
    expect(check({})).toEqual({ targets: [null], warnings: [] });
    expect(check({ targets: ['gpu-1:0::1', 'cpu-1'] }).targets).toEqual([
      { node: 'gpu-1', numa: 0, gpus: [1] },
      { node: 'cpu-1', numa: null, gpus: null },
    ]);
  });

  test('what only offline and drained nodes could run', () => {
    expect(check({ gpus: { count: 2 } }).targets).toEqual([null]);
    expect(check({ targets: ['cpu-1'], cores: 16 }).targets).toHaveLength(1);
  });

  test('what could never run, on hold, with a warning that says so', () => {
    expect(check({ gpus: { count: 3 }, hold: true }).warnings).toEqual([
      'No node could ever run this; nearest is gpu-1: 3 GPUs wanted; the node has 2.',
    ]);
    expect(check({ targets: ['gpu-1::7'], hold: true }).warnings).toEqual([
      'gpu-1 has no GPU 7: it has 0, 1.',
    ]);
  });

  test('anything for a node that was never reached', () => {
    const fresh = [aNode('new', { cores: 0, runtimes: { docker: false, process: false } })];
    expect(check({ targets: ['new:1::5'] }, {}, fresh).warnings).toEqual([]);
  });
});

describe('refuses, by name and with a way out', () => {
  test.each<[string, Partial<TaskSubmissionInput>, string, RegExp]>([
    ['bad syntax', { targets: ['gpu-1::0,0'] }, 'target/syntax', /GPU 0 is named twice/],
    [
      'a misspelt node',
      { targets: ['gpu1'] },
      'target/unknown-node',
      /no node "gpu1"; did you mean gpu-1\?/,
    ],
    ['an unknown node', { targets: ['xyzzy'] }, 'target/unknown-node', /there are gpu-1, cpu-1\./],
    [
      'an unknown node on hold',
      { targets: ['xyzzy'], hold: true },
      'target/unknown-node',
      /no node/,
    ],
    [
      'an unknown GPU',
      { targets: ['gpu-1::2'] },
      'target/unknown-gpu',
      /gpu-1 has no GPU 2: it has 0, 1\./,
    ],
    [
      'a GPU on a node without',
      { targets: ['cpu-1::0'] },
      'target/unknown-gpu',
      /no GPU was seen on it/,
    ],
    [
      'an unknown NUMA node',
      { targets: ['gpu-1:1'] },
      'target/unknown-numa',
      /no NUMA node 1: it has 0\./,
    ],
    ['NUMA where there is none', { targets: ['cpu-1:0'] }, 'target/unknown-numa', /tells of none/],
    [
      'too many cores',
      { cores: 17 },
      'task/never-fits',
      /nearest is cpu-1: 17 cores wanted; 16 of 16 are free/,
    ],
    ['too much memory', { memoryBytes: 65 * GiB }, 'task/never-fits', /65 GiB of memory wanted/],
    ['too many GPUs', { gpus: { count: 1, model: 'h100' } }, 'task/never-fits', /h100/],
    ['a label nobody has', { onNodeLabels: { rack: '9' } }, 'task/never-fits', /rack=9/],
    [
      'a second target that cannot',
      { targets: ['cpu-1', 'gpu-1'], cores: 16, gpus: { count: 1 } },
      'task/never-fits',
      /cpu-1/,
    ],
    [
      'GPUs asked for twice',
      { targets: ['gpu-1::0'], gpus: { count: 1 } },
      'input/invalid',
      /use one of the two/,
    ],
    [
      'mounts of a process',
      { vessel: { kind: 'process' }, mounts: [{ source: '/a', destination: '/b' }] },
      'input/invalid',
      /"mounts" needs a container/,
    ],
    [
      'the user of a process',
      { vessel: { kind: 'process' }, user: 'root' },
      'input/invalid',
      /"user" needs a container/,
    ],
    ['a variable twice', { env: { A: '1' }, secretEnv: { A: '2' } }, 'input/invalid', /variable A/],
    [
      'two mounts on one place',
      {
        mounts: [
          { source: '/a', destination: '/b' },
          { source: '/c', destination: '/b' },
        ],
      },
      'input/invalid',
      /Two mounts go to \/b/,
    ],
    [
      'a folder below the home in a container',
      { sync: [{ from: '/code', to: '~/code' }] },
      'input/invalid',
      /~\/code is not absolute/,
    ],
    [
      'a folder where a mount shows another',
      {
        mounts: [{ source: '/a', destination: '/out' }],
        fetch: [{ from: '/out', to: '/here' }],
      },
      'input/invalid',
      /would both be \/out/,
    ],
  ])('%s', (...[, changes, code, message]) => {
    expect(() => check(changes)).toThrow(message);
    expect(() => check(changes)).toThrow(expect.objectContaining({ code }));
  });

  test('privileged containers where the policy forbids them', () => {
    expect(() => check({ privileged: true }, { allowPrivileged: false })).toThrow(
      expect.objectContaining({ code: 'auth/forbidden' }),
    );
    expect(check({ privileged: true }).warnings).toHaveLength(1);
  });

  test('everything while there is no node', () => {
    expect(() => check({}, {}, [])).toThrow(/no node has been added yet/);
  });
});

describe('warns', () => {
  test.each([
    ['debian', true],
    ['debian:latest', true],
    ['registry:5000/debian', true],
    ['registry:5000/debian:12', false],
    [`debian@sha256:${'a'.repeat(64)}`, false],
  ])('of a moving image: %s', (reference, isMoving) => {
    expect(check({ vessel: { kind: 'image', reference } }).warnings).toHaveLength(isMoving ? 1 : 0);
  });

  test('of memory not asked for, and of nodes to avoid that are not there', () => {
    expect(check({ memoryBytes: null, avoidNodes: ['nobody'] }).warnings).toEqual([
      expect.stringContaining('No memory'),
      'There is no node "nobody" to avoid.',
    ]);
  });
});

test('suggests a name only when it is near', () => {
  const known = ['gpu-1', 'gpu-2', 'storage'];
  expect(nearestName('gpu-l', known)).toBe('gpu-1');
  expect(nearestName('STORAGE', known)).toBe('storage');
  expect(nearestName('strage', known)).toBe('storage');
  expect(nearestName('x', known)).toBeUndefined();
  expect(nearestName('database', known)).toBeUndefined();
});
