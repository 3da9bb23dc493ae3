// The proof of files: a tree of many small files, one large file and every nasty name goes up to a
// node, from it to another, down again, into a container and out of it. In the middle of every way the
// link is cut or the core is killed without a word; it has to go on by itself, without moving again
// what was moved. Everything is compared in the end: names, kinds, modes, times, targets, content.
// Run: node test/bench/files-proof.ts [--gib 5] [--files 10000] [--only nodes|container] (root, about
// 8 times the size on disk)
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { FilePlace } from '../../src-main/contract/files.ts';
import type { TransferId, TransferView } from '../../src-main/contract/transfers.ts';
import { bytesOfText } from '../../src-main/domain/files/path-text.ts';
import { until } from '../support/core-client.ts';
import { nastyNames } from '../support/nasty-names.ts';
import { startCoreProcess, temporaryDataDir } from '../support/core-process.ts';
import { Testbed, type TestbedNode } from '../support/testbed.ts';
import { loadWords, option, printHeading, printTable } from './support/figures.ts';
import { randomBytesOf } from './support/random-files.ts';

const gib = option('gib', 5);
const files = option('files', 10_000);
const only = process.argv[process.argv.indexOf('--only') + 1];
/** Where in a way its fault comes. */
const faultAt = 0.4;

await using stack = new AsyncDisposableStack();
const dir = mkdtempSync(join(tmpdir(), 'kohakuriver-proof-'));
stack.defer(() => rmSync(dir, { recursive: true, force: true }));
const bed = stack.use(await Testbed.up({ nodes: 2, images: ['river/busybox'] }));
const data = stack.use(await temporaryDataDir());
let core = await startCoreProcess(data.path);
stack.defer(() => core.stop());

async function makeTree(): Promise<void> {
  const at = (name: string) => join(dir, 'source/tree', name);
  for (const name of ['small', 'nasty', 'empty']) mkdirSync(at(name), { recursive: true });
  for (let n = 0; n < files; n += 1) {
    if (n % 100 === 0) mkdirSync(at(`small/d${n / 100}`));
    await randomBytesOf(at(`small/d${Math.floor(n / 100)}/f${n}`), { bytes: 4096, seed: n + 2 });
  }
  for (const [index, name] of nastyNames.entries()) {
    const path = Buffer.concat([Buffer.from(`${at('nasty')}/`), bytesOfText(name)]);
    writeFileSync(path, `content ${index}`);
    utimesSync(path, 1_400_000_000, 1_400_000_000 + index);
  }
  symlinkSync('../../../etc/passwd', at('nasty/out'));
  symlinkSync('.', at('nasty/loop'));
  writeFileSync(at('run.sh'), '#!/bin/sh\n', { mode: 0o750 });
  await randomBytesOf(at('large.bin'), { bytes: gib * 2 ** 30, seed: 1 });
}

/** What of a tree must be the same at the other end, as hashes. The times of links are not kept. */
const manifest = `find . ! -type l -printf '%P %y %m %Ts\\0' | LC_ALL=C sort -z | sha256sum;
find . -type l -printf '%P %l\\0' | LC_ALL=C sort -z | sha256sum;
find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum -z | sha256sum`;
/** Takes a while: whoever waited for it without a sign of life would be taken for dead by the core. */
const hereIs = async (at: string) =>
  (await promisify(execFile)('sh', ['-c', `cd "$1" && ${manifest}`, 'sh', at])).stdout;

async function addNode(node: TestbedNode): Promise<void> {
  await core.api.nodes.add({
    destination: { host: node.address, user: 'root' },
    identityFile: bed.keyPath,
    useSshConfig: false,
    jumps: [],
    consent: { fingerprints: [node.hostKeySha256] },
  });
  const isReady = async () => (await core.api.nodes.get({ node: node.name })).facts?.docker != null;
  await until(isReady, `${node.name} is ready`);
}

interface Leg {
  readonly name: string;
  readonly from: FilePlace;
  readonly path: string;
  readonly to: FilePlace;
  readonly into: string;
  readonly fault: 'link cut' | 'core killed';
  /** The tree where it arrived, as `manifest` has it; not for containers, which have no such find. */
  readonly look?: () => Promise<string>;
}

async function viewOf(id: TransferId): Promise<TransferView> {
  return core.api.transfers.get({ id });
}

async function reaches(
  id: TransferId,
  isIt: (view: TransferView) => boolean,
): Promise<TransferView> {
  for (;;) {
    const view = await viewOf(id);
    if (view.status === 'FAILED' || view.status === 'ASKING') throw new Error(JSON.stringify(view));
    if (isIt(view)) return view;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function disturb(id: TransferId, fault: Leg['fault']): Promise<void> {
  if (fault === 'core killed') {
    await core.kill();
    core = await startCoreProcess(data.path);
    return;
  }
  // Until it is known to be lost: a shorter cut is a pause that TCP gets over by itself.
  await bed.cutLink('n1');
  await reaches(id, ({ status }) => status === 'WAITING');
  await bed.healLink('n1');
}

/** Runs one way with its fault; gives a row of the table. */
async function run(leg: Leg): Promise<string[]> {
  const begin = performance.now();
  const { id } = await core.api.transfers.start({
    from: { place: leg.from, paths: [leg.path] },
    to: { place: leg.to, path: leg.into, as: 'into' },
  });
  const before = await reaches(id, ({ progress }) => {
    const { bytesDone, bytesTotal } = progress;
    return bytesTotal > 0 && bytesDone >= bytesTotal * faultAt;
  });
  await disturb(id, leg.fault);
  const after = await reaches(id, ({ status }) => status === 'DONE');
  const seconds = (performance.now() - begin) / 1000;
  const moved = before.progress.bytesMoved + after.progress.bytesMoved;
  const total = after.progress.bytesTotal;
  const mb = (bytes: number) => (bytes / 1e6).toFixed(0);
  const isSame =
    leg.look === undefined ? 'at the way out' : (await leg.look()).trim() === original.trim();
  return [
    leg.name,
    leg.fault,
    mb(total),
    mb(before.progress.bytesMoved),
    mb(after.progress.bytesMoved),
    `${((moved / total - 1) * 100).toFixed(1)} %`,
    seconds.toFixed(0),
    after.proof,
    isSame === true ? 'yes' : isSame === false ? '**NO**' : isSame,
  ];
}

printHeading(
  `A tree through every way, disturbed (\`node test/bench/files-proof.ts ${process.argv.slice(2).join(' ')}\`)`,
);
await makeTree();
await core.api.config.set({ key: 'nodes.offlineAfterSeconds', value: 5 });
const original = await hereIs(join(dir, 'source/tree'));
const nodes = bed.nodes;
for (const node of nodes) await addNode(node);
const task = await core.submit({
  work: { kind: 'command', argv: ['sleep', '1000000'] },
  vessel: { kind: 'image', reference: 'river/busybox:1' },
  targets: ['n1'],
});
await until(async () => (await core.api.tasks.get({ task })).status === 'RUNNING', 'it runs');

const here: FilePlace = { kind: 'here' };
const n1: FilePlace = { kind: 'node', node: 'n1' };
const n2: FilePlace = { kind: 'node', node: 'n2' };
const inside: FilePlace = { kind: 'task', task };
const nodeLook = (name: string) => () => bed.sh(bed.node(name), `cd /root/in/tree && ${manifest}`);
const hereLook = (name: string) => () => hereIs(join(dir, name, 'tree'));
const source = join(dir, 'source/tree');
const way = (name: string, fault: Leg['fault']) => ({ name, fault });
const throughNodes: readonly Leg[] = [
  {
    ...way('up to a node', 'link cut'),
    ...{ from: here, path: source, to: n1, into: '/root/in', look: nodeLook('n1') },
  },
  {
    ...way('from it to another', 'core killed'),
    ...{ from: n1, path: '/root/in/tree', to: n2, into: '/root/in', look: nodeLook('n2') },
  },
  {
    ...way('down from that', 'core killed'),
    ...{ from: n2, path: '/root/in/tree', to: here, into: join(dir, 'down') },
    look: hereLook('down'),
  },
];
const throughContainer: readonly Leg[] = [
  {
    ...way('into a container', 'core killed'),
    ...{ from: here, path: source, to: inside, into: '/in' },
  },
  {
    ...way('out of the container', 'link cut'),
    ...{ from: inside, path: '/in/tree', to: here, into: join(dir, 'out') },
    look: hereLook('out'),
  },
];
const legs = [
  ...(only === 'container' ? [] : throughNodes),
  ...(only === 'nodes' ? [] : throughContainer),
];
const rows: string[][] = [];
for (const leg of legs) {
  rows.push(await run(leg));
  console.error(rows.at(-1)?.join(' · '));
}
console.log(
  `${files} files of 4 KiB, one of ${gib} GiB, ${nastyNames.length + 2} nasty names. MB of 10^6; load at the end ${loadWords()}.\n`,
);
printTable(
  ['way', 'in the middle', 'MB', 'moved before', 'after', 'more than once', 's', 'proof', 'same'],
  rows,
);
if (rows.some((row) => row.at(-1) === '**NO**')) process.exitCode = 1;
