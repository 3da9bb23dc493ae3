// What the command line asks of a core, and what it says: against a core that is only its contract.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { RequestError } from '../../../src-main/contract/errors.ts';
import { sampleNode, sampleTask } from '../../unit/cli/samples.ts';
import { snapshot, startFakeCore, type Answers } from './fake-core.ts';

const fingerprint = (letter: string): string => `SHA256:${letter.repeat(43)}`;
const accepted = { taskIds: ['11', '12'], batchId: '10', warnings: ['Mind the gap.'] };
const noUsage: Answers = { 'nodes.watchUsage': () => snapshot([]) };

describe('task submit', () => {
  const submit: Answers = { 'tasks.submit': () => accepted };
  const submitted = async (words: string[], io?: object) => {
    await using core = await startFakeCore(submit);
    const ran = await core.run(['task', 'submit', ...words], io);
    return { ...ran, input: core.asked[0]?.input as Record<string, unknown> | undefined };
  };

  test('every option reaches the core, sizes in bytes', async () => {
    const { input, code } = await submitted([
      ...['-t', 'alpha::0,1', '-t', 'beta', '-c', '4', '-m', '1.5G'],
      ...['--container', 'torch', '--env', 'A=b=c', '--env', 'EMPTY='],
      ...['--mount', '/data:/data:ro', '--workdir', '/w', '--user', 'me', '--privileged'],
      ...['--name', 'n', '--label', 'team=a', '--priority', '-5', '--hold', '--exclusive'],
      ...['--on-node-label', 'rack=1', '--avoid-node', 'gamma', '--owner', 'anna', '--keep-failed'],
      ...['--after', '123456:any', '--time-limit', '2h'],
      ...['--', 'python', 'train.py', '--json', '-x'],
    ]);
    expect(code).toBe(0);
    expect(input).toEqual({
      targets: ['alpha::0,1', 'beta'],
      cores: 4,
      memoryBytes: 1.5 * 2 ** 30,
      gpus: null,
      work: { kind: 'command', argv: ['python', 'train.py', '--json', '-x'] },
      vessel: { kind: 'environment', name: 'torch' },
      env: { A: 'b=c', EMPTY: '' },
      secretEnv: {},
      mounts: [{ source: '/data', destination: '/data', readOnly: true }],
      workdir: '/w',
      user: 'me',
      privileged: true,
      name: 'n',
      labels: { team: 'a' },
      priority: -5,
      hold: true,
      exclusive: true,
      onNodeLabels: { rack: '1' },
      avoidNodes: ['gamma'],
      owner: 'anna',
      keepFailed: true,
      after: [{ task: '123456', on: 'any' }],
      array: null,
      sweep: null,
      timeLimitSeconds: 7200,
      retries: null,
      notBefore: null,
      gang: false,
      sync: [],
      fetch: [],
    });
  });

  test('folders that go with it: whole paths here, and only of folders that are there', async () => {
    const cwd = await mkdtemp(join(tmpdir(), 'kr-cli-'));
    const words = ['--fetch', '~/out/{id}:res', '--', 'true'];
    const { input } = await submitted(['--sync', `${cwd}:/srv/code`, ...words]);
    expect(input).toMatchObject({
      sync: [{ from: cwd, to: '/srv/code' }],
      fetch: [{ from: '~/out/{id}', to: '/nowhere/res' }],
    });
    const wrong = await submitted(['--sync', 'no such:/srv/code', ...words]);
    expect([wrong.code, wrong.input]).toEqual([2, undefined]);
    expect(wrong.err).toMatch(/there is no folder .*no such/);
    await rm(cwd, { recursive: true });
  });

  test('GPUs by count, model and memory', async () => {
    const counted = await submitted(['--gpus', '2', '--gpu-memory', '40G', '--', 'x']);
    expect(counted.input).toMatchObject({ gpus: { count: 2, minMemoryBytes: 40 * 2 ** 30 } });
    const wished = await submitted(['--gpu-model', 'a100', '--image', 'debian:12', '--', 'x']);
    expect(wished.input).toMatchObject({
      gpus: { count: 1, model: 'a100' },
      vessel: { kind: 'image', reference: 'debian:12' },
    });
  });

  test('IDs, a line each; warnings beside', async () => {
    const { out, err } = await submitted(['--', 'x']);
    expect(out).toBe('11\n12\n');
    expect(err).toBe('warning: Mind the gap.\n');
  });

  test('--json: one document', async () => {
    const { out } = await submitted(['--json', '--', 'x']);
    expect(JSON.parse(out)).toEqual({ taskIds: ['11', '12'], batchId: '10' });
  });

  test('a script from a file, or from standard input, unmodified', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kr-script-'));
    const file = join(folder, 'job.sh');
    await writeFile(file, 'a && b\n\n# é\n');
    const { input } = await submitted(['--script', file]);
    expect(input).toMatchObject({ work: { kind: 'script', text: 'a && b\n\n# é\n' } });
    const piped = await submitted(['--script', '-'], { input: 'cd x; y' });
    expect(piped.input).toMatchObject({ work: { kind: 'script', text: 'cd x; y' } });
    await rm(folder, { recursive: true });
  });

  test('a secret comes from the environment of the command, never from its words', async () => {
    const good = await submitted(['--secret-env', 'KEY', '--', 'x'], { env: { KEY: 'hunter2' } });
    expect(good.input).toMatchObject({ secretEnv: { KEY: 'hunter2' } });
    const missing = await submitted(['--secret-env', 'KEY', '--', 'x']);
    expect(missing).toMatchObject({ code: 2, input: undefined });
    const leaked = await submitted(['--secret-env', 'KEY=hunter2', '--', 'x']);
    expect(leaked.code).toBe(2);
    expect(leaked.err).not.toContain('hunter2');
  });

  test.each([
    [['x', '--cores', 'many']],
    [['--memory', '8X', '--', 'x']],
    [['--image', 'a', '--runtime', 'process', '--', 'x']],
    [['--script', 'x', '--', 'y']],
    [['--script', '/does/not/exist']],
    [['--mount', 'data', '--', 'x']],
    [['--env', 'A', '--', 'x']],
    [[]],
    [['--retry-on', 'oom', '--', 'x']],
  ])('wrong use, and nothing is asked of the core: %j', async (words) => {
    const { code, input, out, err } = await submitted(words);
    expect({ code, input, out }).toEqual({ code: 2, input: undefined, out: '' });
    expect(err).toMatch(/^error: /);
  });

  test('--wait exits as the first that failed', async () => {
    const end = (id: string, exitCode: number) =>
      sampleTask({
        id: id as never,
        status: exitCode === 0 ? 'COMPLETED' : 'FAILED',
        exitCode,
        finishedAt: 1,
      });
    await using core = await startFakeCore({
      ...submit,
      'tasks.watch': ({ task }: { task: string }) =>
        snapshot({ task: end(task, task === '12' ? 7 : 0), events: [] }),
    });
    expect(await core.run(['task', 'submit', '--wait', '--', 'x'])).toMatchObject({
      code: 7,
      out: '11\n12\n',
    });
  });
});

describe('task resubmit', () => {
  test('variables are added to what it had, the rest takes its place', async () => {
    await using core = await startFakeCore({
      'tasks.submission': () => ({
        work: { kind: 'command', argv: ['x'] },
        env: { A: '1', B: '2' },
      }),
      'tasks.resubmit': () => accepted,
    });
    await core.run(['task', 'resubmit', '123456', '--env', 'B=3', '-c', '2']);
    expect(core.asked.at(-1)?.input).toEqual({
      task: '123456',
      changes: { env: { A: '1', B: '3' }, cores: 2 },
    });
  });
});

describe('orders', () => {
  const results = [
    { id: '1', ok: true, status: 'RUNNING', message: null },
    { id: '2', ok: false, status: 'COMPLETED', message: 'It has ended.' },
  ];

  test('kill: signal and grace', async () => {
    await using core = await startFakeCore({ 'tasks.kill': () => results.slice(0, 1) });
    const { code } = await core.run([
      'task',
      'kill',
      'a',
      'b',
      '--signal',
      'int',
      '--grace',
      '1m30s',
    ]);
    expect(code).toBe(0);
    expect(core.asked[0]?.input).toEqual({ tasks: ['a', 'b'], signal: 'SIGINT', graceSeconds: 90 });
  });

  test('one that could not be done makes the command fail', async () => {
    await using core = await startFakeCore({ 'tasks.hold': () => results });
    expect(await core.run(['task', 'hold', '1', '2'])).toEqual({
      code: 1,
      out: '',
      err: '1: held (RUNNING)\n2: not held (COMPLETED). It has ended.\n',
    });
    const asJson = await core.run(['--json', 'task', 'hold', '1', '2']);
    expect(JSON.parse(asJson.out)).toEqual(results);
  });

  test('priorities below zero', async () => {
    await using core = await startFakeCore({ 'tasks.setPriority': () => results.slice(0, 1) });
    await core.run(['task', 'priority', '1', '-5']);
    expect(core.asked[0]?.input).toEqual({ tasks: ['1'], priority: -5 });
  });
});

describe('task list', () => {
  const page = (count: number, total: number) => (query: { offset: number; limit: number }) => ({
    total,
    counts: {},
    offset: query.offset,
    rows: Array.from({ length: Math.min(query.limit, count - query.offset) }, (_, index) =>
      sampleTask({ id: String(1000 + query.offset + index) as never }),
    ),
  });

  test('filters are the core’s', async () => {
    await using core = await startFakeCore({
      'tasks.list': page(0, 0),
      'nodes.get': () => sampleNode(),
    });
    await core.run([
      ...['task', 'list', '--status', 'running,LOST', '--node', 'alpha', '--name', 'tr*'],
      ...['--label', 'team=a', '--batch', '99', '--limit', '7'],
    ]);
    expect(core.asked.at(-1)?.input).toEqual({
      filter: {
        statuses: ['RUNNING', 'LOST'],
        nodeId: '42',
        nameGlob: 'tr*',
        label: { key: 'team', value: 'a' },
        batchId: '99',
      },
      sort: 'newest',
      offset: 0,
      limit: 7,
    });
  });

  test('--all reads on, window by window', async () => {
    await using core = await startFakeCore({ 'tasks.list': page(1203, 1203) });
    const { out } = await core.run(['task', 'list', '--all', '--json']);
    expect(JSON.parse(out)).toHaveLength(1203);
    expect(core.asked).toHaveLength(3);
  });
});

describe('task logs', () => {
  const asked: unknown[] = [];
  const lines = [
    { stream: 'stdout', offset: 0, time: '2026-03-01T12:00:00.000Z', base64: 'AP8K' },
    { gap: 'the node kept less', time: '2026-03-01T12:00:01.000Z' },
  ];
  const readLog = async function* (input: { format: string }) {
    await Promise.resolve();
    asked.push(input);
    if (input.format === 'raw') yield Buffer.from('hello\n');
    // Cut in the middle of a line, as a wire does.
    else {
      const text = Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
      yield text.subarray(0, 30);
      yield text.subarray(30);
    }
  };

  test('bytes as they are', async () => {
    await using core = await startFakeCore({}, readLog);
    const ran = await core.run([
      'task',
      'logs',
      '123456',
      '--stderr',
      '--tail',
      '5',
      '--since',
      '1m',
    ]);
    expect(ran).toEqual({ code: 0, out: 'hello\n', err: '' });
    expect(asked.at(-1)).toEqual({
      task: '123456',
      stream: 'stderr',
      tailLines: 5,
      since: 1_772_366_340_000,
      follow: false,
      format: 'raw',
    });
  });

  test('--json: a record a line', async () => {
    await using core = await startFakeCore({}, readLog);
    const { out } = await core.run(['task', 'logs', '123456', '--both', '--json']);
    expect(
      out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual(lines);
  });

  test('--stderr and --both do not go together', async () => {
    await using core = await startFakeCore({}, readLog);
    expect((await core.run(['task', 'logs', '1', '--stderr', '--both'])).code).toBe(2);
  });
});

describe('node add', () => {
  const report = (status: string) => ({
    host: 'alpha',
    keyType: 'ssh-ed25519',
    fingerprint: fingerprint('a'),
    status,
  });
  const answers = (status: string, more: Answers = {}): Answers => ({
    ...noUsage,
    'nodes.inspectHost': () => ({ hostKeys: [report(status)] }),
    'nodes.add': () => sampleNode(),
    ...more,
  });
  const person = (answer: boolean) => ({
    confirm: () => Promise.resolve(answer),
    secret: () => Promise.resolve('river'),
  });
  const names = (core: { asked: { name: string }[] }) => core.asked.map(({ name }) => name);

  test('a new host key is refused where nobody can be asked, and nothing is stored', async () => {
    await using core = await startFakeCore(answers('new'));
    const { code, err } = await core.run(['node', 'add', 'ops@alpha']);
    expect(code).toBe(1);
    expect(err).toContain(`--accept-host-key ${fingerprint('a')}`);
    expect(names(core)).toEqual(['nodes.inspectHost']);
  });

  test('it is accepted by its fingerprint, with everything else as given', async () => {
    await using core = await startFakeCore(answers('new'));
    const { code, out } = await core.run(
      [
        ...['node', 'add', 'ops@[fd00::1]:2222', '--name', 'a', '--identity', 'id_x', '--json'],
        ...['--jump', 'j1', '--jump', 'me@j2:23', '--label', 'rack=1', '--password-stdin'],
        ...['--accept-host-key', fingerprint('a')],
      ],
      { input: 'river \n' },
    );
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ name: 'alpha', facts: { cores: 8 } });
    expect(core.asked[1]).toEqual({
      name: 'nodes.add',
      input: {
        destination: { host: 'fd00::1', user: 'ops', port: 2222 },
        identityFile: '/nowhere/id_x',
        password: 'river ',
        jumps: [{ host: 'j1' }, { host: 'j2', user: 'me', port: 23 }],
        useSshConfig: true,
        name: 'a',
        labels: { rack: '1' },
        consent: { fingerprints: [fingerprint('a')] },
      },
    });
  });

  test('another fingerprint than the one given is refused, also at a terminal', async () => {
    await using core = await startFakeCore(answers('new'));
    const words = ['node', 'add', 'alpha', '--accept-host-key', fingerprint('b')];
    const { code, err } = await core.run(words, { prompts: person(true) });
    expect(code).toBe(1);
    expect(err).toContain('none of those given');
    expect(names(core)).toEqual(['nodes.inspectHost']);
  });

  test('--accept-new-host-key takes any new one, and never a changed one', async () => {
    await using core = await startFakeCore(answers('new'));
    expect((await core.run(['node', 'add', 'alpha', '--accept-new-host-key'])).code).toBe(0);
    expect(core.asked[1]?.input).toMatchObject({ consent: 'any-new' });
    await using changed = await startFakeCore(answers('changed'));
    expect((await changed.run(['node', 'add', 'alpha', '--accept-new-host-key'])).code).toBe(1);
    expect(names(changed)).toEqual(['nodes.inspectHost']);
  });

  test('a person is shown the fingerprint and asked', async () => {
    await using core = await startFakeCore(answers('new'));
    const yes = await core.run(['node', 'add', 'alpha'], { prompts: person(true) });
    expect(yes.code).toBe(0);
    expect(yes.err).toContain(fingerprint('a'));
    await using again = await startFakeCore(answers('new'));
    expect((await again.run(['node', 'add', 'alpha'], { prompts: person(false) })).code).toBe(1);
    expect(names(again)).toEqual(['nodes.inspectHost']);
  });

  test('keys behind a jump host are asked about when they are seen, then the password', async () => {
    let tries = 0;
    const failures = [
      new RequestError('link/host-key-unknown', 'unknown', {
        details: { host: 'inner', keyType: 'ssh-ed25519', fingerprint: fingerprint('b') },
      }),
      new RequestError('link/auth', 'no', { details: { host: 'inner', accepts: 'password' } }),
    ];
    await using core = await startFakeCore(
      answers('known', {
        'nodes.add': () => {
          const failure = failures[tries];
          tries += 1;
          if (failure !== undefined) throw failure;
          return sampleNode();
        },
      }),
    );
    const { code } = await core.run(['node', 'add', 'inner', '--jump', 'j'], {
      prompts: person(true),
    });
    expect(code).toBe(0);
    expect(core.asked.filter(({ name }) => name === 'nodes.add').at(-1)?.input).toMatchObject({
      password: 'river',
      consent: { fingerprints: [fingerprint('b')] },
    });
  });

  test('a wrong password is said, once, where nobody can be asked', async () => {
    await using core = await startFakeCore(
      answers('known', {
        'nodes.add': () => {
          throw new RequestError('link/auth', 'alpha did not let us in.', {
            details: { accepts: 'password' },
          });
        },
      }),
    );
    const { code, out, err } = await core.run(['node', 'add', 'alpha', '--json']);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(JSON.parse(err)).toEqual({
      error: {
        code: 'link/auth',
        message: 'alpha did not let us in.',
        details: { accepts: 'password' },
      },
    });
  });

  test('import-ssh-config goes on after a host that fails', async () => {
    const host = (alias: string) => ({ alias, host: alias, user: null, port: 22, known: false });
    await using core = await startFakeCore(
      answers('known', {
        'nodes.sshConfigHosts': () => [host('a'), host('b')],
        'nodes.add': ({ destination }: { destination: { host: string } }) => {
          if (destination.host === 'a') throw new RequestError('link/refused', 'a refuses.');
          return sampleNode({ name: 'b' });
        },
      }),
    );
    const { code, out, err } = await core.run(['node', 'import-ssh-config', '--all', '--json']);
    expect(code).toBe(1);
    expect(err).toContain('a: a refuses.');
    expect(JSON.parse(out)).toMatchObject([{ name: 'b' }]);
  });
});

describe('nodes', () => {
  test('labels are set and removed in one go', async () => {
    await using core = await startFakeCore({ ...noUsage, 'nodes.label': () => sampleNode() });
    await core.run(['node', 'label', 'alpha', 'rack=2', 'old=', 'older-']);
    expect(core.asked[0]?.input).toEqual({
      node: 'alpha',
      labels: { rack: '2', old: null, older: null },
    });
  });

  test('use is shown of nodes that are online only', async () => {
    const sample = { nodeId: '42', sample: usage };
    await using core = await startFakeCore({
      'nodes.watchUsage': () => snapshot([sample]),
      'nodes.list': () => [sampleNode(), sampleNode({ id: '42' as never, state: 'offline' })],
    });
    const { out } = await core.run(['node', 'list', '--json']);
    expect(JSON.parse(out)).toMatchObject([{ usage: { cpu: 0.25 } }, { usage: null }]);
  });
});

const usage = {
  at: 1,
  cpu: 0.25,
  cpuPerCore: [0.25],
  load1: null,
  memoryUsedBytes: 1,
  memoryTotalBytes: 2,
  swapUsedBytes: null,
  diskReadBytesPerS: null,
  diskWriteBytesPerS: null,
  netInBytesPerS: null,
  netOutBytesPerS: null,
  diskFreeBytes: null,
  temperatureC: null,
  gpus: [],
};

describe('which core', () => {
  test('a core in the desktop app is not stopped from here', async () => {
    await using core = await startFakeCore({
      'core.status': () => ({
        coreId: '1',
        version: '0',
        pid: 1,
        host: 'electron',
        hostname: 'h',
        dataDir: '/d',
        startedAt: 0,
        now: 1,
        nodes: {},
        tasks: {},
        vault: { state: 'open', kind: 'x' },
        eventLoopDelayMs: 0,
        rssBytes: 0,
      }),
      'core.stop': () => ({ pid: 1 }),
    });
    const { code, err } = await core.run(['stop']);
    expect(code).toBe(1);
    expect(err).toContain('quit the app');
    expect(core.asked.map(({ name }) => name)).toEqual(['core.status']);
  });

  test('a URL wants a token, and must be one', async () => {
    await using core = await startFakeCore({});
    expect((await core.run(['--url', 'http://127.0.0.1:1', 'status'])).code).toBe(2);
    expect((await core.run(['--url', 'box', '--token', 'x', 'status'])).code).toBe(2);
  });

  test('nobody answers at the URL: exit 4', async () => {
    await using core = await startFakeCore({});
    const ran = await core.run(['--url', 'http://127.0.0.1:1', '--token', 'x', '--json', 'status']);
    expect(ran.code).toBe(4);
    expect(JSON.parse(ran.err)).toMatchObject({ error: { code: 'core/unavailable' } });
  });
});
