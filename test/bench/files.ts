// How fast files go to a node and back, against what people type: OpenSSH's own scp and sftp, rsync,
// lftp, and tar through ssh, by turns in one run, on a node of the testbed. All use the cipher that is
// fastest here (aes128-gcm); scp is also run as it is. Ours is a core in a process of its own, asked
// over its socket, from the request until the transfer is known to be done: with its hashes compared
// (as it is) and without.
// Run: node test/bench/files.ts [--mib 1024] [--files 10000] [--rounds 3] [--mbit N] [--loss PERCENT] (root);
// `--mib 0` or `--files 0` leaves that part out; `--way up` or `--way down` runs one way only; no round
// begins after `--seconds`.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TransferRequest } from '../../src-main/contract/transfers.ts';
import { until } from '../support/core-client.ts';
import { startCoreProcess, temporaryDataDir, type CoreProcess } from '../support/core-process.ts';
import { Testbed, type TestbedNode } from '../support/testbed.ts';
import { randomBytesOf } from './support/random-files.ts';
import {
  loadWords,
  option,
  printHeading,
  printTable,
  spreadCells,
  spreadHeaders,
  spreadOf,
  timeMs,
} from './support/figures.ts';

const mib = option('mib', 1024);
const files = option('files', 10_000);
const rounds = option('rounds', 3);
/** For each table. */
const seconds = option('seconds', 3600);
const mbit = option('mbit', 0);
const loss = option('loss', 0);
const given = process.argv[process.argv.indexOf('--way') + 1];
const ways: readonly Way[] = given === 'up' || given === 'down' ? [given] : ['up', 'down'];
const smallBytes = 4096;
/** A peer that takes longer is run twice at most. */
const slowMs = 8000;

type Load = 'large' | 'small';
type Way = 'up' | 'down';
/** Moves `large.bin` or the folder `small` to `to` at the other end. */
type Mover = (load: Load, way: Way) => Promise<void>;

await using stack = new AsyncDisposableStack();
const dir = mkdtempSync(join(tmpdir(), 'kohakuriver-files-'));
stack.defer(() => rmSync(dir, { recursive: true, force: true }));
const bed = stack.use(await Testbed.up({ nodes: 1, docker: false, registry: false }));
const node = bed.node('n1');
const here = { source: join(dir, 'source') };
const there = { source: '/root/source' };
/**
 * Small files come into memory (tmpfs) at both ends: ext4 gives a new file no inode that was freed within
 * the last minutes, and passes over all of those for each (`recently_deleted`), so that what is measured
 * after another run has been cleaned away is that, for everybody.
 */
const memory = mkdtempSync('/dev/shm/kohakuriver-files-');
stack.defer(() => rmSync(memory, { recursive: true, force: true }));
const targets: Readonly<Record<Load, { here: string; there: string }>> = {
  large: { here: join(dir, 'target'), there: '/root/target' },
  small: { here: join(memory, 'target'), there: '/root/memory/target' },
};
const sshConfig = join(dir, 'ssh_config');

function writeConfig({ address, port }: TestbedNode): void {
  const lines = (host: string, cipher: string) => `Host ${host}
  HostName ${address}
  Port ${port}
  User root
  IdentityFile ${bed.keyPath}
  IdentitiesOnly yes
  UserKnownHostsFile ${bed.knownHostsPath}
  ${cipher}
`;
  const fast = 'Ciphers aes128-gcm@openssh.com';
  writeFileSync(sshConfig, lines('n1', fast) + lines('plain', ''));
}

async function sh(command: string): Promise<void> {
  const child = spawn('sh', ['-c', command], { stdio: ['ignore', 'ignore', 'pipe'] });
  let complaint = '';
  child.stderr.on('data', (text: Buffer) => (complaint += text.toString()));
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${command}: ${code}: ${complaint}`);
}

/** A peer, by what is typed for each way. `S` is the source, `T` the target. */
function typed(commands: Readonly<Record<Way, (load: Load) => string>>): Mover {
  return (load, way) => sh(commands[way](load));
}
const nameOf = (load: Load) => (load === 'large' ? 'large.bin' : 'small');
const s = (load: Load) => `${here.source}/${nameOf(load)}`;
const r = (load: Load) => `${there.source}/${nameOf(load)}`;
const targetHere = (load: Load) => targets[load].here;
const targetThere = (load: Load) => targets[load].there;
const ssh = `ssh -F ${sshConfig}`;

function scp(host: string): Mover {
  return typed({
    up: (load) => `scp -F ${sshConfig} -qr ${s(load)} ${host}:${targetThere(load)}/`,
    down: (load) => `scp -F ${sshConfig} -qr ${host}:${r(load)} ${targetHere(load)}/`,
  });
}
const lftp = (script: string) =>
  `lftp -c "set sftp:connect-program '${ssh} -a -x'; set sftp:auto-confirm yes; open sftp://root:x@n1; ${script}"`;
const peers: Readonly<Record<string, Mover>> = {
  'scp -r, aes128-gcm': scp('n1'),
  'scp -r': scp('plain'),
  sftp: typed({
    up: (load) =>
      `echo 'put -r ${s(load)} ${targetThere(load)}/' | sftp -q -b - -F ${sshConfig} n1`,
    down: (load) =>
      `echo 'get -r ${r(load)} ${targetHere(load)}/' | sftp -q -b - -F ${sshConfig} n1`,
  }),
  'rsync -a': typed({
    up: (load) => `rsync -a -e '${ssh}' ${s(load)} n1:${targetThere(load)}/`,
    down: (load) => `rsync -a -e '${ssh}' n1:${r(load)} ${targetHere(load)}/`,
  }),
  'lftp mirror': typed({
    up: (load) =>
      lftp(
        load === 'large'
          ? `put -O ${targetThere(load)} ${s(load)}`
          : `mirror -R --parallel=8 ${s(load)} ${targetThere(load)}/small`,
      ),
    down: (load) =>
      lftp(
        load === 'large'
          ? `get -O ${targetHere(load)} ${r(load)}`
          : `mirror --parallel=8 ${r(load)} ${targetHere(load)}/small`,
      ),
  }),
  'tar through ssh tar': typed({
    up: (load) =>
      `tar -C ${here.source} -cf - ${nameOf(load)} | ${ssh} n1 tar -C ${targetThere(load)} -xf -`,
    down: (load) =>
      `${ssh} n1 tar -C ${there.source} -cf - ${nameOf(load)} | tar -C ${targetHere(load)} -xf -`,
  }),
};

function ours({ api }: CoreProcess, verify: boolean): Mover {
  return async (load, way) => {
    const local = { kind: 'here' } as const;
    const remote = { kind: 'node', node: 'n1' } as const;
    const isUp = way === 'up';
    const request: TransferRequest = {
      from: { place: isUp ? local : remote, paths: [isUp ? s(load) : r(load)] },
      to: {
        place: isUp ? remote : local,
        path: isUp ? targetThere(load) : targetHere(load),
        as: 'into',
      },
      recursive: true,
      conflicts: 'overwrite',
      verify,
      rateLimit: null,
      sync: null,
    };
    const { id } = await api.transfers.start(request);
    for await (const { value } of await api.transfers.watch()) {
      const views = Array.isArray(value) ? value : 'upsert' in value ? [value.upsert] : [];
      const view = views.find((each) => each.id === id);
      if (view?.status === 'DONE') return;
      if (view?.status === 'FAILED') throw new Error(JSON.stringify(view));
    }
  };
}

/** Both targets empty, and what was written before on its disk. */
async function clean(load: Load): Promise<void> {
  const anew = (target: string) => `rm -rf ${target}; mkdir -p ${target}; sync`;
  await Promise.all([sh(anew(targetHere(load))), bed.sh(node, anew(targetThere(load)))]);
}

async function check(load: Load, way: Way): Promise<void> {
  const sum = (at: string) =>
    `cd ${at} && find ${nameOf(load)} -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum`;
  const source = execFileSync('sh', ['-c', sum(here.source)], { encoding: 'utf8' });
  const target =
    way === 'down'
      ? execFileSync('sh', ['-c', sum(targetHere(load))], { encoding: 'utf8' })
      : await bed.sh(node, sum(targetThere(load)));
  if (source.trim() !== target.trim())
    throw new Error(`${load} ${way}: what arrived is something else`);
}

async function compare(movers: Readonly<Record<string, Mover>>, load: Load, way: Way) {
  const times: Record<string, number[]> = {};
  const end = performance.now() + seconds * 1000;
  for (let round = 0; round < rounds && performance.now() < end; round += 1) {
    // Every second round backwards: what one leaves behind it (pages just freed, blocks given back) costs whoever
    // comes next up to half a second, and it would always be the same one.
    const turn = Object.entries(movers);
    for (const [name, move] of round % 2 === 0 ? turn : turn.reverse()) {
      const isSlow = (times[name]?.[0] ?? 0) > slowMs && !name.startsWith('ours');
      if (isSlow && round > 1) continue;
      await clean(load);
      const { ms } = await timeMs(() => move(load, way));
      (times[name] ??= []).push(ms);
      if (round === 0) await check(load, way);
    }
  }
  const medianOf = (name: string) => spreadOf(times[name] ?? []).median;
  const ratio = (name: string, peer: string) => (medianOf(peer) / medianOf(name)).toFixed(2);
  const bytes = load === 'large' ? mib * 2 ** 20 : files * smallBytes;
  const rows = Object.entries(times).map(([name, values]) => [
    name,
    ...spreadCells(values),
    (bytes / 1e3 / medianOf(name)).toFixed(0),
    ratio(name, 'scp -r, aes128-gcm'),
    ratio(name, 'tar through ssh tar'),
  ]);
  const what = load === 'large' ? `${mib} MiB` : `${files} × ${smallBytes} bytes`;
  console.log(`**${what}, ${way === 'up' ? 'to' : 'from'} the node** (ms; load ${loadWords()})\n`);
  const heads = ['MB/s', 'times as fast as scp', 'as tar through ssh'];
  printTable(['', ...spreadHeaders, ...heads], rows);
}

printHeading(
  `Files to a node and back${mbit > 0 ? ` over ${mbit} Mbit/s` : ''}${loss > 0 ? ` with ${loss} % of packets lost each way` : ''} (\`node test/bench/files.ts ${process.argv.slice(2).join(' ')}\`)`,
);
writeConfig(node);
mkdirSync(join(here.source, 'small'), { recursive: true });
await randomBytesOf(join(here.source, 'large.bin'), { bytes: mib * 2 ** 20, seed: 1 });
for (let at = 0; at < files; at += 1) {
  const folder = join(here.source, 'small', `d${Math.floor(at / 100)}`);
  if (at % 100 === 0) mkdirSync(folder);
  await randomBytesOf(join(folder, `f${at}`), { bytes: smallBytes, seed: at + 2 });
}
await bed.sh(
  node,
  `mkdir -p ${there.source} /root/memory && mount -t tmpfs kohakuriver-bench /root/memory`,
);
await sh(`tar -C ${here.source} -cf - . | ${ssh} n1 tar -C ${there.source} -xf -`);

const data = stack.use(await temporaryDataDir());
const core = await startCoreProcess(data.path);
stack.defer(() => core.stop());
await core.api.nodes.add({
  destination: { host: node.address, user: 'root' },
  identityFile: bed.keyPath,
  useSshConfig: false,
  jumps: [],
  consent: { fingerprints: [node.hostKeySha256] },
});
await until(
  async () => (await core.api.nodes.get({ node: 'n1' })).state === 'online',
  'n1 is online',
);
if (mbit > 0) await bed.slow(node, `${mbit}mbit`);
if (loss > 0) {
  const drop = `-m statistic --mode random --probability ${loss / 100} -j DROP`;
  await bed.sh(node, `iptables -A INPUT ${drop}; iptables -A OUTPUT ${drop}`);
}
const movers = {
  ours: ours(core, true),
  'ours, hashes not compared': ours(core, false),
  ...peers,
};
for (const load of ['large', 'small'] as const) {
  if ((load === 'large' ? mib : files) === 0) continue;
  for (const way of ways) await compare(movers, load, way);
}
