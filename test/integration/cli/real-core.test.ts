// The command as people run it, a process of its own, with a real core that it starts itself.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtCli, ensureBuilt } from '../../support/built.ts';
import { startCoreProcess, temporaryDataDir } from '../../support/core-process.ts';

let dataDir: string;

interface Ran {
  code: number | null;
  out: Buffer;
  err: string;
}

function start(words: readonly string[], env: Record<string, string> = {}) {
  return spawn(process.execPath, [builtCli, '--data-dir', dataDir, ...words], {
    env: { ...process.env, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function kr(words: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
  const child = start(words, env);
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out: Buffer.concat(out), err: Buffer.concat(err).toString() };
}

async function json(words: readonly string[]): Promise<unknown> {
  const { out } = await kr(['--json', ...words]);
  return JSON.parse(out.toString());
}

async function submit(command: string, options: readonly string[] = []): Promise<string> {
  const { code, out } = await kr([
    'task',
    'submit',
    '-m',
    '16M',
    ...options,
    '--',
    'sh',
    '-c',
    command,
  ]);
  expect(code).toBe(0);
  return out.toString().trim();
}

beforeAll(async () => {
  await ensureBuilt();
  dataDir = await mkdtemp(join(tmpdir(), 'kr-cli-real-'));
});

afterAll(async () => {
  await kr(['stop']);
  await rm(dataDir, { recursive: true, force: true });
});

describe('the core', () => {
  test('is not started where that is forbidden', async () => {
    const { code, out, err } = await kr(['--json', '--no-spawn', 'status']);
    expect({ code, out: out.toString() }).toEqual({ code: 4, out: '' });
    expect(JSON.parse(err)).toMatchObject({ error: { code: 'core/unavailable' } });
  });

  test('is started by the first command, once, whoever asks at the same time', async () => {
    const all = (await Promise.all([json(['status']), json(['status']), json(['status'])])) as {
      pid: number;
      dataDir: string;
    }[];
    expect(new Set(all.map(({ pid }) => pid)).size).toBe(1);
    expect(all[0]?.dataDir).toBe(dataDir);
  });

  test('its sign-in link is in no file', async () => {
    expect(await readFile(join(dataDir, 'background.log'), 'utf8')).not.toContain('token');
  });

  test('settings are read as what they are', async () => {
    expect(await json(['config', 'set', 'tasks.killGraceSeconds', '3'])).toMatchObject({
      value: 3,
    });
    expect((await kr(['config', 'get', 'tasks.killGraceSeconds'])).out.toString()).toBe('3\n');
    expect((await kr(['config', 'set', 'tasks.killGraceSeconds', 'x'])).code).toBe(2);
    expect((await kr(['config', 'get', 'no.such'])).code).toBe(3);
  });
});

describe('tasks', () => {
  test('exit codes: its own, by a signal, none there', async () => {
    expect((await kr(['task', 'submit', '-w', '--', 'sh', '-c', 'exit 7'])).code).toBe(7);
    expect((await kr(['task', 'submit', '-w', '--', 'sh', '-c', 'kill -15 $$'])).code).toBe(143);
    expect((await kr(['task', 'status', '99999999'])).code).toBe(3);
  });

  test('--follow passes on both streams, each to its own, and nothing else', async () => {
    const { code, out, err } = await kr([
      'task',
      'submit',
      '--follow',
      '--',
      'sh',
      '-c',
      'echo out; echo err >&2; echo more; exit 3',
    ]);
    expect({ code, out: out.toString(), err }).toEqual({
      code: 3,
      out: 'out\nmore\n',
      err: 'err\n',
    });
  });

  test('a log comes back byte for byte, live and afterwards', async () => {
    const id = await submit('head -c 5000000 /dev/urandom | tee "$SAVE"', [
      '--env',
      `SAVE=${join(dataDir, 'bytes')}`,
    ]);
    const live = await kr(['task', 'logs', '-f', id]);
    const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
    const printed = await readFile(join(dataDir, 'bytes'));
    expect(digest(live.out)).toBe(digest(printed));
    expect(digest((await kr(['task', 'logs', id])).out)).toBe(digest(printed));
  });

  test('records are a JSON object a line, and together the same bytes', async () => {
    const id = await submit('printf "a\\nb"; printf c');
    await kr(['task', 'wait', id]);
    const { out } = await kr(['task', 'logs', '--json', id]);
    const records = out
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, string>);
    expect(
      records.map(({ base64 = '' }) => Buffer.from(base64, 'base64').toString()).join(''),
    ).toBe('a\nbc');
    expect(records[0]).toMatchObject({ stream: 'stdout', offset: 0 });
  });

  test('a reader that leaves ends the command in peace', async () => {
    const id = await submit('yes | head -c 3000000');
    await kr(['task', 'wait', id]);
    const child = start(['task', 'logs', id]);
    let err = '';
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    await once(child.stdout, 'data');
    child.stdout.destroy();
    const [code] = (await once(child, 'exit')) as [number | null];
    expect({ code, err }).toEqual({ code: 0, err: '' });
  });

  test('waiting: too long, interrupted, and to the end', async () => {
    const id = await submit('sleep 100');
    expect((await kr(['task', 'wait', id, '--timeout', '0.5s'])).code).toBe(124);
    const child = start(['task', 'watch', '--json', id]);
    await once(child.stdout, 'data');
    child.kill('SIGINT');
    expect(((await once(child, 'exit')) as [number | null])[0]).toBe(130);
    expect((await kr(['task', 'kill', id])).code).toBe(0);
    expect((await kr(['task', 'wait', id])).code).toBe(143);
  });

  test('held tasks wait, say so, and go on when released; an ending of the ID is enough', async () => {
    const id = await submit('true', ['--hold', '--name', 'held one']);
    expect(await json(['task', 'why', id])).toMatchObject({
      summary: expect.stringContaining('hold') as string,
    });
    expect((await kr(['task', 'release', 'held one'])).code).toBe(0);
    expect((await kr(['task', 'wait', id.slice(-8)])).code).toBe(0);
    expect((await kr(['task', 'hold', id])).code).toBe(1);
    const events = (await json(['task', 'events', id])) as { to: string }[];
    expect(events.map(({ to }) => to)).toContain('COMPLETED');
    expect((await kr(['task', 'remove', id])).code).toBe(0);
    expect((await kr(['task', 'status', id])).code).toBe(3);
  });

  test('a node is reserved for others and given free, and who used how much is told', async () => {
    const [node] = (await json(['node', 'list'])) as { name: string }[];
    const name = node?.name ?? '';
    const words = ['reservation', 'add', name, '--for', '1h'];
    const made = (await json([...words, '--owner', 'somebody'])) as { id: string };
    expect(made).toMatchObject({ node: name, gpus: null, owners: ['somebody'] });
    const id = await submit('true');
    expect(await json(['task', 'why', id])).toMatchObject({
      summary: expect.stringContaining('it is reserved for somebody') as string,
      expected: { isPromise: true },
    });
    expect((await kr(words)).err).toContain(`reservation ${made.id}`);
    expect(await json(['reservation', 'list'])).toMatchObject([{ id: made.id }]);
    expect((await kr(['reservation', 'rm', made.id.slice(-8)])).code).toBe(0);
    expect((await kr(['reservation', 'rm', made.id])).code).toBe(3);
    expect((await kr(['task', 'wait', id])).code).toBe(0);
    const shares = (await json(['queue', 'shares'])) as { owners: { coreSeconds: number }[] };
    expect(shares).toMatchObject({ isOn: true, gpuWeight: 8 });
    expect(shares.owners[0]?.coreSeconds).toBeGreaterThan(0);
  });

  test('resubmit: what it was, with changes', async () => {
    const id = await submit('echo $A$B', ['--env', 'A=1', '--env', 'B=2', '-c', '2', '--hold']);
    const again = await kr(['task', 'resubmit', id, '--env', 'B=3']);
    const copy = again.out.toString().trim();
    expect(await json(['task', 'status', copy])).toMatchObject({
      env: { A: '1', B: '3' },
      cores: 2,
      memoryBytes: 16 * 2 ** 20,
    });
    await kr(['task', 'kill', id, copy]);
  });

  test('watch: lines of JSON until the end', async () => {
    const id = await submit('sleep 1');
    const { code, out } = await kr(['task', 'watch', '--json', id]);
    expect(code).toBe(0);
    const last = JSON.parse(out.toString().trimEnd().split('\n').at(-1) ?? '') as object;
    expect(last).toMatchObject({ task: { id, status: 'COMPLETED' } });
  });
});

test('waiting and following survive a core that is killed and started again', async () => {
  await using other = await temporaryDataDir();
  const first = await startCoreProcess(other.path);
  const id = await first.submit({
    work: { kind: 'script', text: 'echo one; sleep 10; echo two; exit 4' },
  });
  await first.reaches(id, ['RUNNING']);
  const run = (words: string[]) => kr(['--data-dir', other.path, ...words]);
  const both = Promise.all([run(['task', 'wait', id]), run(['task', 'logs', '-f', id])]);
  // Both are connected by then, also on a busy machine: who comes later starts a core itself.
  await sleep(6000);
  await first.kill();
  const second = await startCoreProcess(other.path);
  const [waited, followed] = await both;
  await second.stop();
  // Its own exit code, which is not «no core»: the output says so.
  expect(waited).toMatchObject({ code: 4, out: Buffer.from(`${id}  FAILED  exit code 4\n`) });
  expect(followed).toMatchObject({ code: 0, out: Buffer.from('one\ntwo\n'), err: '' });
});

describe('words', () => {
  test('wrong ones exit 2 and leave standard output alone', async () => {
    for (const words of [['nonsense'], ['task', 'submit', '--nonsense', '--', 'x'], ['task']]) {
      const { code, out } = await kr(words);
      expect({ code, out: out.toString() }).toEqual({ code: 2, out: '' });
    }
  });

  test('help and version are answers', async () => {
    expect((await kr(['task', 'submit', '--help'])).out.toString()).toContain('--gpu-model');
    expect((await kr(['--version'])).out.toString()).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

test('stop ends the core, and says when there is none', async () => {
  const { pid } = (await json(['stop'])) as { pid: number };
  expect(() => process.kill(pid, 0)).toThrow();
  expect((await kr(['stop'])).code).toBe(4);
});

describe('sync', () => {
  test('lists what it would do, does it, and goes on while it watches', async () => {
    await using stack = new AsyncDisposableStack();
    const dir = await mkdtemp(join(tmpdir(), 'kr-cli-sync-'));
    stack.defer(() => rm(dir, { recursive: true, force: true }));
    await mkdir(join(dir, 'code/src'), { recursive: true });
    await writeFile(join(dir, 'code/src/a.py'), 'one');
    await writeFile(join(dir, 'code/b.log'), 'not to be moved');
    const words = ['sync', '--delete', '--exclude', '*.log', join(dir, 'code')];
    const target = `here:${join(dir, 'copy')}`;
    const dry = await kr([...words, target, '--dry-run']);
    expect({ code: dry.code, out: dry.out.toString() }).toEqual({
      code: 0,
      out: '+ src/\n+ src/a.py\n',
    });
    expect((await kr([...words, target])).code).toBe(0);
    expect(await readFile(join(dir, 'copy/src/a.py'), 'utf8')).toBe('one');
    const nested = await kr([...words, `here:${join(dir, 'code/src')}`]);
    expect([nested.code, nested.err]).toEqual([1, expect.stringMatching(/lies in the other/)]);

    const watching = start([...words, target, '--watch']);
    stack.defer(() => void watching.kill('SIGKILL'));
    const said = new Said(watching.stderr);
    await said.until(1);
    await mkdir(join(dir, 'code/new'));
    await writeFile(join(dir, 'code/new/c.py'), 'three');
    await rm(join(dir, 'code/src'), { recursive: true });
    await expect
      .poll(() => readdir(join(dir, 'copy'), { recursive: true }), { timeout: 60_000 })
      .toEqual(['new', join('new', 'c.py')]);
    // One that went well leaves no row of its own.
    await expect.poll(() => json(['transfers', 'list']), { timeout: 60_000 }).toHaveLength(2);
    watching.kill('SIGINT');
    const [code] = (await once(watching, 'close')) as [number | null];
    expect(code).toBe(130);
  }, 120_000);
});

/** Counts how often it said that it waits for changes. */
class Said {
  readonly #stream: NodeJS.ReadableStream;
  #text = '';

  constructor(stream: NodeJS.ReadableStream) {
    this.#stream = stream;
    stream.on('data', (chunk: Buffer) => (this.#text += chunk.toString()));
  }

  async until(times: number): Promise<void> {
    while (this.#text.split('Waiting for changes').length <= times) {
      await once(this.#stream, 'data');
    }
  }
}
