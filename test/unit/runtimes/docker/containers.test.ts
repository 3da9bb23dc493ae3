import { describe, expect, test } from 'vitest';
import type { CoreId } from '../../../../src-main/contract/ids.ts';
import { readAmdDevices } from '../../../../src-main/runtimes/docker/amd-devices.ts';
import { readLook, whyNot } from '../../../../src-main/runtimes/docker/connect.ts';
import { containerConfig } from '../../../../src-main/runtimes/docker/container-config.ts';
import { fromDocker } from '../../../../src-main/runtimes/docker/errors.ts';
import { labelsOf, readLabels } from '../../../../src-main/runtimes/docker/labels.ts';
import { toFound } from '../../../../src-main/runtimes/docker/observed.ts';
import { PullProgress } from '../../../../src-main/runtimes/docker/pull-progress.ts';
import { imageOf } from '../../../../src-main/runtimes/docker/reference.ts';
import { aSpec } from '../spec.ts';

const core = '77' as CoreId;
const imageId = `sha256:${'a'.repeat(64)}`;
const around = {
  core,
  imageReference: 'debian:12',
  imageId,
  imageDigest: imageId,
  nodeMemoryBytes: 64 * 1024 ** 3,
  amdDevices: [],
};

describe('containerConfig', () => {
  test('runs exactly the vector that was asked for', () => {
    expect(containerConfig(aSpec(), around)).toMatchObject({
      name: 'kohakuriver-task-4711',
      Image: imageId,
      Entrypoint: ['python'],
      Cmd: ['-c', 'print(1)'],
      Env: ['A=1', 'NVIDIA_VISIBLE_DEVICES=void'],
      HostConfig: {
        Init: true,
        NanoCpus: 2e9,
        Memory: 8 * 1024 ** 3,
        MemorySwap: 8 * 1024 ** 3,
        ShmSize: 4 * 1024 ** 3,
        LogConfig: {
          Type: 'local',
          Config: { 'max-size': '268435456', 'max-file': '5', compress: 'false' },
        },
      },
    });
    const script = containerConfig(aSpec({ work: { kind: 'script', text: 'a && b' } }), around);
    expect([script.Entrypoint, script.Cmd]).toEqual([['/bin/sh'], ['-c', 'a && b']]);
  });

  test('asks for GPUs by UUID, and for AMD ones by device', () => {
    const nvidia = { uuid: 'GPU-1', index: 0, vendor: 'nvidia', pciBusId: 'x' } as const;
    const one = containerConfig(aSpec({ gpus: [nvidia] }), around);
    expect(one.HostConfig?.DeviceRequests).toEqual([
      { DeviceIDs: ['GPU-1'], Capabilities: [['gpu']] },
    ]);
    expect(one.Env).toEqual(['A=1']);
    const amdDevices = [{ path: '/dev/dri/renderD129', groupIds: [44, 109] }];
    const amd = { ...nvidia, vendor: 'amd' } as const;
    const other = containerConfig(aSpec({ gpus: [amd] }), { ...around, amdDevices });
    expect(other.HostConfig).toMatchObject({
      Devices: [{ PathOnHost: '/dev/kfd' }, { PathOnHost: '/dev/dri/renderD129' }],
      GroupAdd: ['44', '109'],
    });
  });

  test('pins to a NUMA node and leaves out limits that were not asked for', () => {
    const pinned = containerConfig(aSpec({ numa: { id: 1, cpus: [8, 9] } }), around);
    expect(pinned.HostConfig).toMatchObject({ CpusetCpus: '8,9', CpusetMems: '1' });
    const free = containerConfig(aSpec({ cores: 0, memoryBytes: null }), around).HostConfig ?? {};
    expect([free.NanoCpus, free.Memory, free.ShmSize]).toEqual([
      undefined,
      undefined,
      32 * 1024 ** 3,
    ]);
  });

  test('refuses a script longer than Linux passes on', () => {
    const work = { kind: 'script', text: 'x'.repeat(140_000) } as const;
    expect(() => containerConfig(aSpec({ work }), around)).toThrow('128 KiB');
  });
});

describe('labels', () => {
  test('are read back as they were written, and the user cannot forge ours', () => {
    const spec = aSpec({
      labels: { 'kohakuriver.core': '1', team: 'red' },
      cores: 0,
      memoryBytes: null,
    });
    const labels = labelsOf(core, spec, { reference: 'debian:12', digest: imageId });
    expect(labels['team']).toBe('red');
    expect(readLabels(labels)).toEqual({
      isEnvironment: false,
      core,
      taskId: '4711',
      attempt: 2,
      owner: 'anna',
      imageDigest: imageId,
      cores: 1,
      memoryBytes: 0,
      gpuUuids: [],
    });
  });

  test('count as absent when they make no sense', () => {
    const read = readLabels({
      'kohakuriver.core': '<b>',
      'kohakuriver.task_id': '-1',
      'kohakuriver.attempt': '1e9',
      'kohakuriver.cores': '99999999',
      'kohakuriver.gpus': 'a b',
    });
    expect(read).toMatchObject({
      core: null,
      taskId: null,
      attempt: 0,
      cores: null,
      gpuUuids: null,
    });
  });
});

test('another core’s container without holdings counts by its limits', () => {
  const found = toFound({
    Id: 'f'.repeat(64),
    Name: '/kohakuriver-task-5',
    Image: imageId,
    State: {
      Status: 'running',
      OOMKilled: false,
      ExitCode: 0,
      Error: '',
      StartedAt: '2026-01-01T00:00:00Z',
      FinishedAt: '0001-01-01T00:00:00Z',
    },
    Config: { Labels: { 'kohakuriver.managed': 'true', 'kohakuriver.core': '9' } },
    HostConfig: {
      NanoCpus: 0,
      CpusetCpus: '0-3,8',
      Memory: 100,
      DeviceRequests: [{ DeviceIDs: ['GPU-9'] }],
    },
  });
  expect(found.attempt).toMatchObject({
    core: '9',
    taskId: null,
    uses: { cores: 5, memoryBytes: 100, gpuUuids: ['GPU-9'] },
    condition: { kind: 'running', startedAt: Date.UTC(2026, 0, 1) },
  });
});

test('image references are read by their grammar', () => {
  const read = (reference: string) => imageOf({ kind: 'image', reference });
  const digest = `sha256:${'0'.repeat(64)}`;
  expect(read('debian')).toMatchObject({
    repository: 'debian',
    tag: 'latest',
    text: 'debian:latest',
  });
  expect(read('host:5000/a/b')).toMatchObject({ repository: 'host:5000/a/b', tag: 'latest' });
  expect(read('host:5000/a/b:1.2')).toMatchObject({ repository: 'host:5000/a/b', tag: '1.2' });
  expect(read(`a@${digest}`)).toMatchObject({ repository: 'a', tag: null, digest });
  expect(imageOf({ kind: 'environment', name: 'torch' }).text).toBe('kohakuriver/torch:base');
  for (const bad of ['../containers/x', 'a?b=c', 'Upper', 'a:b:c', 'a@sha256:1', 'a#b']) {
    expect(() => read(bad)).toThrow('not an image reference');
  }
});

test('progress adds layers up and passes complaints on', () => {
  const progress = new PullProgress();
  expect(progress.percent()).toBeNull();
  const say = (line: object) => progress.add(JSON.stringify(line));
  say({ id: 'a', status: 'Downloading', progressDetail: { current: 50, total: 100 } });
  expect(progress.percent()).toBe(25);
  say({ id: 'b', status: 'Already exists' });
  say({ id: 'a', status: 'Extracting', progressDetail: { current: 100, total: 100 } });
  expect(progress.percent()).toBe(100);
  expect(progress.add('not json')).toBeUndefined();
  expect(say({ error: 'no space left on device' })).toBe('no space left on device');
});

test('every complaint of the Engine gets its name', () => {
  const complaint = (statusCode: number, message: string) =>
    Object.assign(new Error(message), { statusCode, json: { message } });
  const create = { kind: 'create', container: 'c' } as const;
  const start = { kind: 'start', container: 'c' } as const;
  const pull = { kind: 'pull', image: 'i', registry: 'r', isKnown: false } as const;
  const cases = [
    [500, `task ${'83a7f619'.repeat(8)}: already exists`, start, 'docker/start-unknown'],
    [500, 'id already in use', start, 'docker/start-unknown'],
    [500, 'endpoint with name c already exists in network n', start, 'docker/container-execution'],
    [404, 'No such image: x', create, 'docker/image-not-found'],
    [
      500,
      'could not select device driver "" with capabilities: [[gpu]]',
      create,
      'docker/resource-allocation',
    ],
    [
      400,
      'OCI runtime create failed: exec: "x": executable file not found in $PATH',
      create,
      'docker/command-not-found',
    ],
    [500, 'write /var/lib/docker: no space left on device', create, 'docker/disk-full'],
    [400, 'bind source path does not exist: /x', create, 'docker/container-creation'],
    [404, 'pull access denied for x, repository does not exist', pull, 'docker/image-denied'],
    [404, 'manifest for x:1 not found: manifest unknown', pull, 'docker/image-not-found'],
    [500, 'Get "https://r/v2/": dial tcp: i/o timeout', pull, 'docker/image-pull'],
  ] as const;
  for (const [status, message, action, code] of cases) {
    expect(fromDocker(complaint(status, message), action)).toMatchObject({ code });
  }
  expect(fromDocker(new Error('socket hang up'), create)).toMatchObject({
    code: 'docker/connection',
  });
});

test('what stands in the way of the Engine is told apart', () => {
  const denied = readLook('user\tanna\ncli\tyes\nsocket\tdenied\t/var/run/docker.sock\n');
  expect(whyNot(denied, null)).toMatchObject({
    code: 'docker/denied',
    message: expect.stringContaining('sudo usermod -aG docker anna') as string,
  });
  expect(whyNot(readLook('user\tanna\n'), null)).toMatchObject({ code: 'docker/absent' });
  expect(whyNot(readLook('user\tanna\nengine\tyes\n'), null)).toMatchObject({
    code: 'docker/connection',
  });
});

test('AMD devices are taken only as the kernel names them', () => {
  const bus = '0000:03:00.0';
  expect(readAmdDevices(`${bus} /dev/dri/renderD128 109 109\n`, [bus])).toEqual([
    { path: '/dev/dri/renderD128', groupIds: [109] },
  ]);
  expect(() => readAmdDevices(`${bus} /etc/shadow 0 0\n`, [bus])).toThrow('no render device');
});
