// `connect` and `terminal exec` as people run them, with a core of their own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { builtCli } from '../../support/built.ts';
import { until } from '../../support/core-client.ts';
import {
  startCoreProcess,
  temporaryDataDir,
  type CoreProcess,
} from '../../support/core-process.ts';
import { TypedProgram } from '../../support/typed-program.ts';

let dir: Awaited<ReturnType<typeof temporaryDataDir>>;
let core: CoreProcess;
let here: string;

beforeAll(async () => {
  dir = await temporaryDataDir();
  core = await startCoreProcess(dir.path);
  here = await until(
    async () => (await core.api.nodes.list()).find((node) => node.state === 'online')?.name,
    'this computer is online',
  );
});
afterAll(async () => {
  await core?.stop();
  await dir?.[Symbol.asyncDispose]();
});

const argv = (...words: string[]) => [process.execPath, builtCli, '--data-dir', dir.path, ...words];

async function kr(words: string[], input?: Buffer) {
  const [file, ...args] = argv(...words);
  const child = spawn(file!, args, { env: { ...process.env, NO_COLOR: '1' } });
  child.stdin.end(input ?? '');
  const [out, err, [code]] = await Promise.all([
    buffer(child.stdout),
    buffer(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  return { code, out, err: err.toString() };
}

test('connect: size and signals pass, ~. leaves, going back finds the screen, exit ends', async () => {
  using first = new TypedProgram(argv('connect', here), {});
  first.type(
    `PS1="> "; clear; stty size; sh -c 'trap "echo caught; exit" INT; echo wait""ing; sleep 100'\r`,
  );
  await first.sees(/30 100\nwaiting/);
  first.type('\u0003');
  await first.sees(/caught/);
  first.resize(90, 25);
  await until(() => {
    first.type('stty size\r');
    return first.text().includes('25 90');
  }, 'the new size');
  first.type('\r~.');
  await first.sees(/Detached; the terminal goes on/);
  expect(await first.exited).toBe(0);
  const [left] = await core.api.terminals.list();
  expect(left).toMatchObject({ state: 'open', viewers: 0 });
  using again = new TypedProgram(argv('connect', left!.id), {});
  await again.sees(/caught/);
  again.type('exit 5\r');
  expect(await again.exited).toBe(5);
  expect(await core.api.terminals.list()).toEqual([]);
});

test('terminal exec: exit codes, standard input and both outputs, byte for byte', async () => {
  const bytes = Buffer.from(Array.from({ length: 200_000 }, (_, at) => (at * 7919) & 0xff));
  const copied = await kr(['terminal', 'exec', '-i', here, '--', 'cat'], bytes);
  expect(copied).toMatchObject({ code: 0, err: '' });
  expect(copied.out.equals(bytes)).toBe(true);
  const failed = await kr(['terminal', 'exec', here, '--', 'sh', '-c', 'echo no >&2; exit 9']);
  expect(failed).toMatchObject({ code: 9, err: 'no\n' });
  expect(failed.out).toHaveLength(0);
  const killed = await kr(['terminal', 'exec', here, '--', 'sh', '-c', 'kill -TERM $$']);
  expect(killed.code).toBe(143);
});

test('connect without a terminal, and to what is not there, say so', async () => {
  expect(await kr(['connect', here])).toMatchObject({ code: 2 });
  using lost = new TypedProgram(argv('connect', 'nowhere'), {});
  await lost.sees(/nowhere/);
  expect(await lost.exited).toBe(3);
});
