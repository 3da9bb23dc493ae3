// Three real nodes, a core in a process of its own, and the record of what was done to them.
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { until } from '../support/core-client.ts';
import { startCoreProcess, type CoreProcess } from '../support/core-process.ts';
import { gpus, Testbed } from '../support/testbed.ts';
import { records, type Tools } from './work.ts';

const run = promisify(execFile);
const env = { KOHAKURIVER_NODES_OFFLINE_AFTER_SECONDS: '10' };
/** So many processors each node says that it has. */
const slots = 8;

/** Something that was done, and from when to when (by this machine's clock, as all of them). */
export interface Done {
  readonly kind: string;
  readonly node: string | null;
  readonly from: number;
  to: number;
}

export class ChaosStage implements AsyncDisposable {
  readonly bed: Testbed;
  readonly done: Done[] = [];
  readonly #dataDir: string;
  readonly #begin = Date.now();
  #core: Promise<CoreProcess>;
  #isOver = false;

  private constructor(bed: Testbed, dataDir: string, core: CoreProcess) {
    this.bed = bed;
    this.#dataDir = dataDir;
    this.#core = Promise.resolve(core);
  }

  static async begin(): Promise<ChaosStage> {
    const small = { '/home': '96M' };
    const bed = await Testbed.up({
      nodes: 3,
      images: ['river/busybox'],
      gpus: { n1: { gpus: gpus(2, 'A100') }, n2: { gpus: gpus(2, 'A100') } },
      disks: { n1: small, n2: small, n3: small },
    });
    const dataDir = await mkdtemp(join(tmpdir(), 'kohakuriver-chaos-'));
    // A disk of its own, so that it can be full without hurting anybody else.
    await run('mount', ['-t', 'tmpfs', '-o', 'size=256m,mode=0700', 'chaos', dataDir]);
    const stage = new ChaosStage(bed, dataDir, await startCoreProcess(dataDir, env));
    const { api } = await stage.core();
    // This computer is the only node so far, and is to stay out of it.
    const here = await until(async () => (await api.nodes.list())[0], 'this computer is a node');
    await api.nodes.drain({ node: here.id });
    for (const node of bed.nodes) await stage.#prepare(node.name);
    return stage;
  }

  async #prepare(node: string): Promise<void> {
    const { bed } = this;
    await bed.claimProcessors(node, slots);
    await bed.sh(
      node,
      `mkdir -m 1777 ${records}; cd ${records}; touch starts double gpu-0 gpu-1; chmod 666 *`,
    );
    const { api } = await this.core();
    await api.nodes.add({
      destination: { host: bed.node(node).address, user: 'ops' },
      identityFile: bed.keyPath,
      useSshConfig: false,
      consent: 'any-new',
    });
  }

  /** What brings `flock` of the node into a container. */
  async tools(): Promise<Tools> {
    const files = await this.bed.sh('n1', "ldd /usr/bin/flock | grep -o '/[^ ]*'");
    const paths = ['/usr/bin/flock', ...files.split('\n')];
    return { mounts: paths.map((path) => ({ source: path, destination: path, readOnly: true })) };
  }

  /** The core that runs, once one does. */
  core(): Promise<CoreProcess> {
    return this.#core;
  }

  /** SIGKILL, and another on the same data after a while. */
  async killCore(pauseMs: number): Promise<void> {
    const core = await this.#core;
    const next = Promise.withResolvers<CoreProcess>();
    this.#core = next.promise;
    await core.kill();
    await pause(pauseMs);
    startCoreProcess(this.#dataDir, env).then(next.resolve, next.reject);
    await this.#core;
  }

  /** The disk with the core's data takes nothing more. */
  async fillCoreDisk(): Promise<void> {
    // It ends by the error that the disk is full.
    await run('dd', ['if=/dev/zero', `of=${this.#filler}`, 'bs=64k']).catch(() => undefined);
    await writeFile(`${this.#filler}-rest`, Buffer.alloc(4096)).catch(() => undefined);
  }

  async freeCoreDisk(): Promise<void> {
    for (const file of [this.#filler, `${this.#filler}-rest`]) await rm(file, { force: true });
  }

  get #filler(): string {
    return join(this.#dataDir, 'filler');
  }

  say(line: string): void {
    const seconds = ((Date.now() - this.#begin) / 1000).toFixed(1).padStart(6);
    process.stderr.write(`${seconds} s  ${line}\n`);
  }

  /** Does something for a while, and remembers it. */
  async while(kind: string, node: string | null, act: () => Promise<void>): Promise<void> {
    const entry: Done = { kind, node, from: Date.now(), to: Infinity };
    this.done.push(entry);
    this.say(`${kind}${node === null ? '' : ` ${node}`}`);
    try {
      await act();
    } finally {
      entry.to = Date.now();
    }
    this.say(`  ${kind}${node === null ? '' : ` ${node}`} is over`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    await (await this.#core.catch(() => undefined))?.stop();
    await this.bed[Symbol.asyncDispose]();
    await run('umount', [this.#dataDir]);
    await rm(this.#dataDir, { recursive: true, force: true });
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
