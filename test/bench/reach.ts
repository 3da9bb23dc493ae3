// What it costs to reach a node through the core: a key's echo in a terminal against plain `ssh`,
// bytes through a forward against `ssh -L`, a VPS against `docker run`. By turns, in the same run, on
// the same node. Run: node test/bench/reach.ts [--keys 200] [--mib 256] [--rounds 5] [--vps 8]
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { until } from '../support/core-client.ts';
import { startCoreProcess, temporaryDataDir } from '../support/core-process.ts';
import { TerminalViewer } from '../support/terminal-viewer.ts';
import { Testbed } from '../support/testbed.ts';
import {
  loadWords,
  option,
  printHeading,
  printTable,
  spreadCells,
  spreadHeaders,
  timeMs,
} from './support/figures.ts';
import { WarmSsh } from './support/warm-ssh.ts';

const keys = option('keys', 200);
const bytes = option('mib', 256) * 2 ** 20;
const rounds = option('rounds', 5);
const vpses = option('vps', 8);
const farPort = 9000;
const sshPort = 45_871;

await using bed = await Testbed.up({ nodes: 1, registry: false, images: ['river/vps'] });
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
  printHeading('A key’s echo (`node test/bench/reach.ts`)');
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

async function benchForwards(): Promise<void> {
  printHeading('Bytes through a forward (`node test/bench/reach.ts`)');
  await bed.sh(
    'n1',
    `setsid busybox nc -ll -p ${String(farPort)} -e head -c ${String(bytes)} /dev/zero >/dev/null 2>&1 </dev/null &`,
  );
  const target = { kind: 'node', node: 'n1' } as const;
  const forward = await core.api.forwards.add({ spec: { kind: 'tcp', target, port: farPort } });
  const [program = 'ssh', ...args] = bed.sshArgv('n1', 'ops');
  const line = `${String(sshPort)}:127.0.0.1:${String(farPort)}`;
  const tunnel = (cipher: readonly string[], port: string) =>
    spawn(program, ['-N', '-L', port, ...cipher, ...args], { stdio: 'inherit' });
  const plain = tunnel([], line);
  const gcm = tunnel(
    ['-c', 'aes128-gcm@openssh.com'],
    `${String(sshPort + 1)}:127.0.0.1:${String(farPort)}`,
  );
  const ports = { ours: forward.localPort ?? 0, plain: sshPort, gcm: sshPort + 1 };
  for (const port of Object.values(ports)) await until(() => drain(port), 'it lets bytes through');
  const rates = { ours: [] as number[], plain: [] as number[], gcm: [] as number[] };
  for (let round = 0; round < rounds; round += 1) {
    for (const way of ['ours', 'plain', 'gcm'] as const) {
      const { ms } = await timeMs(() => drain(ports[way]));
      rates[way].push(bytes / 1e6 / (ms / 1000));
    }
  }
  await Promise.all([end(plain), end(gcm)]);
  printTable(
    ['MB/s, one connection, from the node to here', ...spreadHeaders],
    [
      ['forward of the core', ...spreadCells(rates.ours)],
      ['`ssh -L`', ...spreadCells(rates.plain)],
      ['`ssh -L -c aes128-gcm@openssh.com` (what the core speaks, too)', ...spreadCells(rates.gcm)],
    ],
  );
}

/** Reads one connection to its end; undefined when it was not all of it. */
async function drain(port: number): Promise<true | undefined> {
  const socket = connect(port, '127.0.0.1');
  let count = 0;
  try {
    for await (const chunk of socket) count += (chunk as Buffer).length;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return undefined;
  }
  return count === bytes ? true : undefined;
}

async function benchVpses(): Promise<void> {
  printHeading('A VPS that runs (`node test/bench/reach.ts`)');
  await using ssh = await WarmSsh.open(bed, node!);
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let at = 0; at <= vpses; at += 1) {
    const name = `bench-${String(at)}`;
    const made = await timeMs(async () => {
      const { vps } = await core.api.vps.create({
        name,
        target: 'n1',
        cores: 1,
        memoryBytes: 2 ** 26,
        vessel: { kind: 'image', reference: 'river/vps:1' },
      });
      await core.reaches(vps.id, ['RUNNING']);
    });
    const run = await timeMs(() =>
      ssh.run(`docker run -d --init --cpus 1 -m 64m --name ${name} river/vps:1 sleep 1000`),
    );
    await core.api.vps.remove({ vps: name });
    await ssh.run(`docker rm -f ${name}`);
    // The first of each warms up.
    if (at === 0) continue;
    ours.push(made.ms);
    theirs.push(run.ms);
  }
  printTable(
    ['milliseconds', ...spreadHeaders],
    [
      ['`vps create` until RUNNING is known', ...spreadCells(ours)],
      ['`docker run -d` over a warm `ssh`', ...spreadCells(theirs)],
    ],
  );
}

async function end(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}

await benchEchoes();
await benchForwards();
await benchVpses();
console.log(`Load at the end: ${loadWords()}\n`);
