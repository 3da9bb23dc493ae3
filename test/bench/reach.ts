// What it costs to reach a node through the core: bytes through a forward against `ssh -L`, one
// connection and a hundred; datagrams; a VPS against `docker run`. By turns, in the same run, on the
// same node. Run: node test/bench/reach.ts [--mib 256] [--rounds 5] [--vps 8] [--datagrams 2000]
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { until } from '../support/core-client.ts';
import { startCoreProcess, temporaryDataDir } from '../support/core-process.ts';
import { Testbed } from '../support/testbed.ts';
import { UdpClient } from '../support/udp-client.ts';
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

const bytes = option('mib', 256) * 2 ** 20;
const rounds = option('rounds', 5);
const vpses = option('vps', 8);
const datagrams = option('datagrams', 2000);
const parallel = 100;
const blobBytes = 10_000_000;
const webPort = 9001;
const udpPort = 9002;
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

/** A hundred downloads at once, 1 GB in all, by curl; every one must be whole. */
async function benchMany(): Promise<void> {
  printHeading('100 downloads at once through a forward (`node test/bench/reach.ts`)');
  await bed.sh(
    'n1',
    `mkdir -p /tmp/web && head -c ${String(blobBytes)} /dev/urandom > /tmp/web/blob
     busybox httpd -p ${String(webPort)} -h /tmp/web`,
  );
  const wanted = (await bed.sh('n1', 'sha256sum /tmp/web/blob')).slice(0, 64);
  const target = { kind: 'node', node: 'n1' } as const;
  const forward = await core.api.forwards.add({ spec: { kind: 'tcp', target, port: webPort } });
  const [program = 'ssh', ...args] = bed.sshArgv('n1', 'ops');
  const line = `${String(sshPort + 2)}:127.0.0.1:${String(webPort)}`;
  const plain = spawn(program, ['-N', '-L', line, ...args], { stdio: 'inherit' });
  const ports = { ours: forward.localPort ?? 0, theirs: sshPort + 2 };
  const rates = { ours: [] as number[], theirs: [] as number[] };
  for (const port of Object.values(ports)) {
    await until(() => download(port).catch(() => undefined), 'it lets bytes through');
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const way of ['ours', 'theirs'] as const) {
      const { ms, value } = await timeMs(() =>
        Promise.all(Array.from({ length: parallel }, () => download(ports[way]))),
      );
      const wrong = value.filter((hash) => hash !== wanted).length;
      if (wrong > 0) throw new Error(`${way}: ${String(wrong)} downloads are not what was sent`);
      rates[way].push((parallel * blobBytes) / 1e6 / (ms / 1000));
    }
  }
  await end(plain);
  printTable(
    ['MB/s, 100 times 10 MB by curl, hashes compared', ...spreadHeaders],
    [
      ['forward of the core', ...spreadCells(rates.ours)],
      ['`ssh -L`', ...spreadCells(rates.theirs)],
    ],
  );
}

async function download(port: number): Promise<string> {
  const url = `http://127.0.0.1:${String(port)}/blob`;
  const child = spawn('sh', ['-c', 'curl -sS --fail "$1" | sha256sum', 'sh', url]);
  const [out, [code]] = await Promise.all([
    text(child.stdout),
    once(child, 'exit') as Promise<[number | null]>,
  ]);
  if (code !== 0) throw new Error(`curl ended with ${String(code)}`);
  return out.slice(0, 64);
}

async function benchDatagrams(): Promise<void> {
  printHeading('Datagrams there and back (`node test/bench/reach.ts`)');
  const echo = `socket(S,2,2,0);bind(S,pack("Snx12",2,${String(udpPort)}));while(defined($f=recv(S,$b,65535,0))){send(S,$b,0,$f)}`;
  await bed.sh('n1', `setsid perl -e '${echo}' >/dev/null 2>&1 </dev/null &`);
  const target = { kind: 'node', node: 'n1' } as const;
  const forward = await core.api.forwards.add({ spec: { kind: 'udp', target, port: udpPort } });
  await using client = await UdpClient.open(forward.localPort ?? 0);
  await client.ask(Buffer.from('warm'));
  const took: number[] = [];
  for (let at = 0; at < datagrams; at += 1) {
    const bytes = Buffer.alloc(1200, at % 256);
    const { ms, value } = await timeMs(() => client.ask(bytes));
    if (!value.equals(bytes)) throw new Error('another datagram came back');
    took.push(ms);
  }
  printTable(
    ['milliseconds, 1200 bytes', ...spreadHeaders],
    [['UDP forward of the core', ...spreadCells(took, 2)]],
  );
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

await benchForwards();
await benchMany();
await benchDatagrams();
await benchVpses();
console.log(`Load at the end: ${loadWords()}\n`);
