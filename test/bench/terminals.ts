// Terminals in figures: a key's echo against plain `ssh`, output that rushes by against the same, and a
// large file in a page of Chromium. By turns, in the same run, on the same node.
// Run: node test/bench/terminals.ts [--keys 400] [--mib 100] [--rounds 3]
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openApp } from '../e2e/support/app.ts';
import { until } from '../support/core-client.ts';
import { startCoreProcess, temporaryDataDir } from '../support/core-process.ts';
import { TerminalViewer } from '../support/terminal-viewer.ts';
import { Testbed } from '../support/testbed.ts';
import {
  loadWords,
  machineWords,
  option,
  printHeading,
  printTable,
  spreadCells,
  spreadHeaders,
  timeMs,
} from './support/figures.ts';

const keys = option('keys', 400);
const bytes = option('mib', 100) * 2 ** 20;
const rounds = option('rounds', 3);
const farFile = '/tmp/lines';
/** As long as a line of a log. */
const makeLines = `yes 'the quick brown fox jumps over the lazy dog, and again, and once more 0123456' | head -c ${String(bytes)}`;

await using bed = await Testbed.up({ nodes: 1, docker: false });
await using dir = await temporaryDataDir();
await using stack = new AsyncDisposableStack();
const core = await startCoreProcess(dir.path);
stack.defer(() => core.stop());
const node = bed.nodes[0];
if (node === undefined) throw new Error('The testbed has no node.');
await core.api.nodes.add({
  destination: { host: node.address, user: 'ops' },
  identityFile: bed.keyPath,
  useSshConfig: false,
  jumps: [],
  consent: 'any-new',
});

/** How long one letter takes from being typed until it is there again. */
async function echoes(
  type: (letter: string) => void,
  next: () => Promise<Buffer>,
  count: number,
): Promise<number[]> {
  const took: number[] = [];
  for (let at = 0; at < count; at += 1) {
    const letter = String.fromCharCode(97 + (at % 26));
    const begin = performance.now();
    type(letter);
    while (!(await next()).includes(letter)) continue;
    took.push(performance.now() - begin);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return took;
}

/** What came, a piece at a time. */
class Incoming {
  readonly #pieces: Buffer[] = [];
  #wake: (() => void) | undefined;

  add(piece: Uint8Array): void {
    this.#pieces.push(Buffer.from(piece));
    this.#wake?.();
  }

  readonly next = async (): Promise<Buffer> => {
    while (this.#pieces.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#pieces.shift() ?? Buffer.alloc(0);
  };
}

async function benchEchoes(): Promise<void> {
  printHeading('A key’s echo (`node test/bench/terminals.ts`)');
  const { id } = await core.api.terminals.open({ target: { kind: 'node', node: 'n1' } });
  const ours = new Incoming();
  await using viewer = new TerminalViewer(core.client, id, {
    draws: false,
    onData: (chunk) => ours.add(chunk),
  });
  const [program = 'ssh', ...args] = bed.sshArgv('n1', 'ops');
  const plain = spawn(program, ['-tt', ...args, 'cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const theirs = new Incoming();
  plain.stdout.on('data', (chunk: Buffer) => theirs.add(chunk));
  viewer.type('exec cat\n');
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const typeOurs = (letter: string) => viewer.type(letter);
  const typeTheirs = (letter: string) => void plain.stdin.write(letter);
  await echoes(typeOurs, ours.next, 20);
  await echoes(typeTheirs, theirs.next, 20);
  const all = { ours: [] as number[], theirs: [] as number[] };
  for (let at = 0; at < keys; at += 20) {
    all.ours.push(...(await echoes(typeOurs, ours.next, 20)));
    all.theirs.push(...(await echoes(typeTheirs, theirs.next, 20)));
  }
  await end(plain);
  printTable(
    ['milliseconds', ...spreadHeaders],
    [
      ['terminal of the core, to a node over SSH', ...spreadCells(all.ours, 2)],
      ['`ssh -tt node cat`', ...spreadCells(all.theirs, 2)],
    ],
  );
}

/** What rushes by in a terminal, read as fast as it comes and not drawn. */
async function benchOutput(): Promise<void> {
  printHeading('Output that rushes by (`node test/bench/terminals.ts`)');
  await bed.sh('n1', `${makeLines} > ${farFile}; chmod 644 ${farFile}`);
  const [program = 'ssh', ...args] = bed.sshArgv('n1', 'ops');
  const rates = { ours: [] as number[], theirs: [] as number[] };
  for (let round = 0; round < rounds; round += 1) {
    const { id } = await core.api.terminals.open({ target: { kind: 'node', node: 'n1' } });
    let count = 0;
    await using viewer = new TerminalViewer(core.client, id, {
      draws: false,
      onData: (chunk) => void (count += chunk.length),
    });
    await until(() => viewer.snapshots === 1, 'a first look');
    const ours = await timeMs(async () => {
      viewer.type(`stty -onlcr; exec cat ${farFile}\n`);
      await viewer.ended();
    });
    if (count < bytes) throw new Error(`only ${String(count)} bytes came`);
    rates.ours.push(bytes / 1e6 / (ours.ms / 1000));
    await core.api.terminals.close({ terminal: id });
    const theirs = await timeMs(async () => {
      const plain = spawn(program, ['-tt', ...args, `stty -onlcr; cat ${farFile}`], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      plain.stdout.resume();
      await once(plain, 'exit');
    });
    rates.theirs.push(bytes / 1e6 / (theirs.ms / 1000));
  }
  printTable(
    ['MB/s from a node, screen of the core kept up to date', ...spreadHeaders],
    [
      ['terminal of the core', ...spreadCells(rates.ours, 1)],
      ['`ssh -tt node cat`, nothing drawn', ...spreadCells(rates.theirs, 1)],
    ],
  );
}

/** `cat` of a large file in the page, on this computer: drawn by Chromium without a graphics card. */
async function benchPage(): Promise<void> {
  printHeading('A large file in the page (`node test/bench/terminals.ts`)');
  await using app = await openApp('#/');
  const { page } = app;
  const file = join(tmpdir(), `kohakuriver-lines-${String(process.pid)}`);
  await once(spawn('sh', ['-c', `${makeLines} > "$1"`, 'sh', file]), 'exit');
  await page.keyboard.press('Control+k');
  await page.getByPlaceholder(/Go to a page/).fill('terminal on this computer');
  await page.getByRole('option', { name: /Terminal on this computer/ }).waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('textbox', { name: /^Terminal: / }).focus();
  const terminal = await until(async () => (await app.core.api.terminals.list())[0], 'a terminal');
  const rss = async () => (await app.core.api.core.status()).rssBytes / 2 ** 20;
  const before = await rss();
  let peak = before;
  const { ms } = await timeMs(async () => {
    await page.keyboard.type(`exec cat ${file}\n`);
    await until(
      async () => {
        peak = Math.max(peak, await rss());
        const view = (await app.core.api.terminals.list()).find(({ id }) => id === terminal.id);
        return view?.state === 'ended';
      },
      'all of it was shown',
      600_000,
    );
  });
  const heap = await page.evaluate(
    () => (performance as unknown as { memory: { usedJSHeapSize: number } }).memory.usedJSHeapSize,
  );
  await rm(file);
  printTable(
    ['', 'figure'],
    [
      ['MB shown', (bytes / 1e6).toFixed(0)],
      ['MB/s', (bytes / 1e6 / (ms / 1000)).toFixed(1)],
      ['MiB the core grew by, at most', (peak - before).toFixed(0)],
      ['MiB of JavaScript in the page afterwards', (heap / 2 ** 20).toFixed(0)],
    ],
  );
}

async function end(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}

console.log(`${machineWords()} · load at the start ${loadWords()}\n`);
await benchEchoes();
await benchOutput();
await benchPage();
console.log(`Load at the end: ${loadWords()}\n`);
