// The main job on this computer alone: no Docker, no SSH, the process runtime.
import { randomBytes } from 'node:crypto';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCore, until, type TestCore } from '../../support/core.ts';

let core: TestCore;

beforeAll(async () => {
  core = await startCore();
  await until(
    async () => (await core.api.nodes.list()).some((node) => node.state === 'online'),
    'this computer is online',
  );
});
afterAll(() => core[Symbol.asyncDispose]());

const command = (...argv: string[]) => ({ kind: 'command' as const, argv });
const script = (text: string) => ({ kind: 'script' as const, text });
const process_ = { kind: 'process' as const };

describe('a process task', () => {
  test('runs, prints to both streams and ends with its exit code', async () => {
    const id = await core.submit({
      work: script('echo out; echo err >&2; exit 3'),
      vessel: process_,
    });
    const task = await core.reaches(id);
    expect(task).toMatchObject({
      status: 'FAILED',
      exitCode: 3,
      attempt: 1,
      runtime: 'process',
      stdoutBytes: 4,
      stderrBytes: 4,
    });
    expect((await core.log(id, 'stdout')).toString()).toBe('out\n');
    expect((await core.log(id, 'stderr')).toString()).toBe('err\n');
  });

  test('gets its argument vector exactly', async () => {
    const args = ['a b', "it's", '"q"', '$HOME', '`id`', 'ü', '', '-n', 'new\nline'];
    const id = await core.submit({ work: command('printf', '[%s]', ...args), vessel: process_ });
    await core.reaches(id, ['COMPLETED']);
    expect((await core.log(id)).toString()).toBe(args.map((arg) => `[${arg}]`).join(''));
  });

  test('sees who and where it is', async () => {
    const id = await core.submit({
      work: script('echo $KOHAKURIVER_TASK_ID $KOHAKURIVER_ATTEMPT $GREETING'),
      vessel: process_,
      env: { GREETING: 'hello' },
    });
    await core.reaches(id, ['COMPLETED']);
    expect((await core.log(id)).toString()).toBe(`${id} 1 hello\n`);
  });

  test('keeps every transition in its history', async () => {
    const id = await core.submit({ work: command('true'), vessel: process_ });
    await core.reaches(id, ['COMPLETED']);
    const events = await core.api.tasks.events({ task: id });
    expect(events.filter((event) => event.from !== event.to).map((event) => event.to)).toEqual([
      'PENDING',
      'ASSIGNING',
      'RUNNING',
      'COMPLETED',
    ]);
  });

  test('is killed with grace: SIGTERM first, then SIGKILL', async () => {
    const polite = await core.submit({
      work: script('trap "echo bye; exit 0" TERM; echo up; while :; do sleep 0.1; done'),
      vessel: process_,
    });
    const stubborn = await core.submit({
      work: script('trap "" TERM; echo up; while :; do sleep 0.1; done'),
      vessel: process_,
    });
    for (const id of [polite, stubborn])
      await until(
        async () => (await core.log(id, 'stdout', false)).toString() === 'up\n',
        'it runs',
      );
    await core.api.tasks.kill({ tasks: [polite, stubborn], graceSeconds: 1 });
    expect(await core.reaches(polite)).toMatchObject({
      status: 'KILLED',
      reason: 'killed by tester',
    });
    expect(await core.reaches(stubborn)).toMatchObject({ status: 'KILLED' });
    expect((await core.log(polite)).toString()).toBe('up\nbye\n');
  });

  test('can be paused and resumed', async () => {
    const id = await core.submit({
      // Long enough for a busy machine to pause it before it has ended.
      work: script('for i in 1 2 3 4 5 6; do echo $i; sleep 1; done'),
      vessel: process_,
    });
    await core.reaches(id, ['RUNNING']);
    expect(await core.api.tasks.pause({ tasks: [id] })).toMatchObject([
      { ok: true, status: 'PAUSED' },
    ]);
    const before = (await core.log(id, 'stdout', false)).length;
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect((await core.log(id, 'stdout', false)).length).toBeLessThanOrEqual(before + 2);
    expect(await core.api.tasks.resume({ tasks: [id] })).toMatchObject([
      { ok: true, status: 'RUNNING' },
    ]);
    await core.reaches(id, ['COMPLETED']);
    expect((await core.log(id)).toString()).toBe('1\n2\n3\n4\n5\n6\n');
  });

  test('whose command is not found says so', async () => {
    const id = await core.submit({ work: command('no-such-command-here'), vessel: process_ });
    const task = await core.reaches(id);
    expect(task.status).toBe('FAILED');
    expect(task.exitCode).toBe(127);
  });

  test('waits while there is no room and starts by itself when there is', async () => {
    const [node] = await core.api.nodes.list();
    const cores = node!.facts!.cores;
    const first = await core.submit({ work: command('sleep', '2'), vessel: process_, cores });
    await core.reaches(first, ['RUNNING']);
    const second = await core.submit({ work: command('true'), vessel: process_, cores });
    const why = await core.api.tasks.why({ task: second });
    expect(why.summary).toMatch(/cores? wanted; 0 of/);
    expect((await core.api.tasks.get({ task: second })).status).toBe('PENDING');
    await core.reaches(second, ['COMPLETED']);
  });

  test('gives back 20 MB of random bytes exactly', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'kohakuriver-bytes-'));
    const bytes = randomBytes(20_000_000);
    await writeFile(join(dir, 'random'), bytes);
    const id = await core.submit({ work: command('cat', join(dir, 'random')), vessel: process_ });
    const log = await core.log(id);
    await core.reaches(id, ['COMPLETED']);
    expect(log.equals(bytes)).toBe(true);
  });

  test('keeps secret variables out of everything but the task', async () => {
    const id = await core.submit({
      work: script('printf %s "$TOKEN" | wc -c'),
      vessel: process_,
      secretEnv: { TOKEN: 'very-secret-value' },
    });
    await core.reaches(id, ['COMPLETED']);
    expect((await core.log(id)).toString().trim()).toBe('17');
    const view = await core.api.tasks.get({ task: id });
    expect(view.secretEnvNames).toEqual(['TOKEN']);
    expect(JSON.stringify(view)).not.toContain('very-secret-value');
  });
});

describe('orders', () => {
  test('a held task waits until it is released; a killed one never starts', async () => {
    const id = await core.submit({ work: command('true'), vessel: process_, hold: true });
    const other = await core.submit({ work: command('true'), vessel: process_, hold: true });
    expect(await core.api.tasks.kill({ tasks: [other] })).toMatchObject([
      { ok: true, status: 'KILLED' },
    ]);
    expect(await core.api.tasks.release({ tasks: [id] })).toMatchObject([{ ok: true }]);
    await core.reaches(id, ['COMPLETED']);
    expect((await core.api.tasks.get({ task: other })).attempt).toBe(0);
  });

  test('what cannot be done is refused with a reason and changes nothing', async () => {
    await expect(
      core.submit({ work: command('true'), targets: ['nowhere'] }),
    ).rejects.toMatchObject({ code: 'target/unknown-node' });
    await expect(
      core.submit({ work: command('true'), targets: ['a:b:c:d'] }),
    ).rejects.toMatchObject({ code: 'target/syntax' });
    await expect(
      core.submit({ work: command('true'), vessel: process_, gpus: { count: 8 } }),
    ).rejects.toMatchObject({ code: 'task/never-fits' });
    await expect(core.api.tasks.get({ task: '999999999' })).rejects.toMatchObject({
      code: 'not-found/task',
    });
    await expect(
      core.api.tasks.submit({ work: { kind: 'command', argv: [] } }),
    ).rejects.toMatchObject({ code: 'input/invalid' });
  });

  test('a task can be submitted again with changes, and an ended one removed', async () => {
    const id = await core.submit({
      work: script('echo $WORD'),
      vessel: process_,
      env: { WORD: 'one' },
    });
    await core.reaches(id, ['COMPLETED']);
    const { taskIds } = await core.api.tasks.resubmit({
      task: id,
      changes: { env: { WORD: 'two' } },
    });
    await core.reaches(taskIds[0]!, ['COMPLETED']);
    expect((await core.log(taskIds[0]!)).toString()).toBe('two\n');
    expect(await core.api.tasks.remove({ tasks: [id] })).toMatchObject([{ ok: true }]);
    await expect(core.api.tasks.get({ task: id })).rejects.toMatchObject({
      code: 'not-found/task',
    });
  });
});

describe('the core itself', () => {
  test('says how it feels, and shows its own log as it is written', async () => {
    const report = await core.api.diagnostics.read();
    expect(report.kept.databaseBytes).toBeGreaterThan(0);
    expect(report.memory.rssBytes).toBeGreaterThan(report.memory.heapUsedBytes / 2);
    const here = report.links.find(({ local }) => local);
    expect(here).toMatchObject({ state: 'online', authenticatedBy: 'local', drops: 0 });
    expect(here?.roundTripMs).toBeGreaterThanOrEqual(0);

    const lines = core.client.openStream('diagnostics.readLog', { level: 'info', follow: true });
    const onlines = () => seen.split('"msg":"online"').length;
    let seen = '';
    let before: number | undefined;
    for await (const bytes of lines) {
      seen += Buffer.from(bytes).toString();
      if (before === undefined) {
        before = onlines();
        expect(seen).toContain('the core has started');
        const node = here?.nodeId ?? '';
        await core.api.nodes.disable({ node });
        await core.api.nodes.enable({ node });
      }
      if (onlines() > before) break;
    }
  });
});
