// SIMULATED nodes for measuring a core at sizes no test machine has. The link and the runtime are in
// memory; what comes over them was recorded from a real probe and a real metrics loop (a testbed
// node with eight scripted GPUs, ../recordings), spread to 64 processors. Parsing, services, feeds
// and the store are the real ones. What SSH itself would cost is not in it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { CoreId } from '../../../src-main/contract/ids.ts';
import { Emitter } from '../../../src-main/domain/emitter.ts';
import type { NodeLink, RemoteProcess, RunResult } from '../../../src-main/link/node-link.ts';
import type {
  AttemptRef,
  AttemptSpec,
  LogChunk,
  ObservedAttempt,
  Runtime,
} from '../../../src-main/runtimes/runtime.ts';
import type { Links, RuntimeFactories } from '../../../src-main/services/nodes/ports.ts';

const cpus = 64;
const recorded = (name: string) =>
  readFileSync(join(import.meta.dirname, '../recordings', name), 'utf8');
const probe = recorded('probe.txt');
const tick = recorded('metrics.txt').split('@end\n')[0] ?? '';
const gpuFrame = `${recorded('gpus.txt').split('@end\n')[0] ?? ''}@end\n`;

/** Digits that differ from node to node, for IDs. */
function digitsOf(name: string): string {
  return Buffer.from(name).toString('hex').padEnd(12, '0').slice(-12);
}

function probeOf(name: string): string {
  const digits = digitsOf(name);
  return probe
    .replace('hostname n1', `hostname ${name}`)
    .replace(/(@machine-id\n\|.{20}).{12}/, `$1${digits}`)
    .replace(/(GPU-.{8}-.{4}-.{4}-.{4}-).{12}/g, `$1${digits}`)
    .replace('@cores\n|2', `@cores\n|${cpus}`)
    .replace(/\|MemTotal: .*/, '|MemTotal:       528162816 kB')
    .replace(/\|0 \d+ 0-1/, `|0 528162816 0-${cpus - 1}`)
    .replace(/\|\d+\.\d+\n@end/, `|${(Date.now() / 1000).toFixed(9)}\n@end`);
}

/** One frame for all nodes of a second: counters that go on, written out once. */
let shared = { at: -1, frame: Buffer.alloc(0) };
function tickAt(second: number): Buffer {
  if (shared.at === second) return shared.frame;
  const busy = 300_000 + second * 40;
  const lines = Array.from(
    { length: cpus },
    (_, cpu) => `|cpu${cpu} ${busy + cpu * 7} 809 46438 ${273_753 + second * 60} 323 0 299 759 0 0`,
  );
  const total = `|cpu  ${busy * cpus} 1664 96528 ${(273_753 + second * 60) * cpus} 1851 0 1284 1456 0 0`;
  const frame = tick
    .replace(/@uptime\n.*/, `@uptime\n|${second}.55 5357.28`)
    .replace(/@stat\n(\|cpu.*\n)+/, `@stat\n${total}\n${lines.join('\n')}\n`)
    .replace(/(eth0: +)\d+/, `$1${1396 + second * 1000}`);
  shared = { at: second, frame: Buffer.from(`${frame}@end\n`) };
  return shared.frame;
}

/** The metrics loop of a node: obeys `fast` and `slow` as the script does. */
class SimulatedMetricsLoop implements RemoteProcess {
  readonly stdin = new PassThrough();
  readonly stdout = new PassThrough();
  readonly stderr = new PassThrough();
  readonly #ended = Promise.withResolvers<{ exitCode: number | null; signal: string | null }>();
  readonly ended = this.#ended.promise;
  readonly #gpus: Buffer;
  readonly #slowMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(name: string, command: readonly string[]) {
    this.#gpus = Buffer.from(
      gpuFrame.replace(/(GPU-.{8}-.{4}-.{4}-.{4}-).{12}/g, `$1${digitsOf(name)}`),
    );
    this.#slowMs = Number(command[4] ?? 5) * 1000;
    this.stdin.on('data', (bytes: Buffer) => {
      const order = bytes.toString().trim().split('\n').at(-1);
      if (order === 'fast') this.#every(1000);
      if (order === 'slow') this.#every(this.#slowMs);
    });
    this.#print();
    // Nodes are not in step with each other.
    this.#timer = setTimeout(() => this.#every(this.#slowMs), Math.random() * this.#slowMs);
  }

  #every(ms: number): void {
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#print(), ms);
  }

  #print(): void {
    this.stdout.write(tickAt(Math.round(performance.now() / 1000)));
    this.stderr.write(this.#gpus);
  }

  resize(): void {
    throw new Error('no terminal');
  }

  end(): Promise<void> {
    clearInterval(this.#timer);
    this.stdout.end();
    this.stderr.end();
    this.#ended.resolve({ exitCode: 0, signal: null });
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end();
  }
}

const unused = (): Promise<never> => Promise.reject(new Error('not simulated'));

class SimulatedNodeLink implements NodeLink {
  readonly description: string;
  readonly authenticatedBy = 'simulated';
  readonly #closed = new Emitter<Error | undefined>();
  readonly onDidClose = this.#closed.event;
  isOpen = true;
  run = unused;
  shell = unused;
  files = unused;
  dialSocket = unused;
  dialTcp = unused;
  listenTcp = unused;

  constructor(name: string) {
    this.description = name;
  }

  runScript(): Promise<RunResult> {
    const stdout = Buffer.from(probeOf(this.description));
    const stderr = Buffer.alloc(0);
    return Promise.resolve({ exitCode: 0, signal: null, stdout, stderr, isTruncated: false });
  }

  spawn(command: readonly string[]): Promise<RemoteProcess> {
    return Promise.resolve(new SimulatedMetricsLoop(this.description, command));
  }

  ping(): Promise<number> {
    return Promise.resolve(1);
  }

  close(): Promise<void> {
    this.isOpen = false;
    this.#closed.emit(undefined);
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

interface Work {
  readonly seen: Omit<ObservedAttempt, 'condition'>;
  readonly ms: number;
  readonly ended: PromiseWithResolvers<undefined>;
  condition: ObservedAttempt['condition'];
}

/** Runs `['sim', MILLISECONDS]` by waiting; prints one line. */
class SimulatedRuntime implements Runtime {
  readonly kind = 'docker';
  readonly #core: CoreId;
  readonly #works = new Map<string, Work>();
  readonly #changed = new Emitter<void>();

  constructor(core: CoreId) {
    this.#core = core;
  }

  list = () => Promise.resolve([...this.#works.values()].map(observed));
  inspect = (ref: AttemptRef) => Promise.resolve(observedOr(this.#works.get(keyOf(ref))));
  prepare = () => Promise.resolve({ imageDigest: null, imageId: null });
  stop = () => Promise.resolve({ delivered: false });
  pause = unused;
  resume = unused;
  close = () => Promise.resolve();
  onDidChange = (listener: () => void) => this.#changed.event(listener);

  create(spec: AttemptSpec): Promise<void> {
    const { taskId, attempt, cores, owner } = spec;
    const ms = spec.work.kind === 'command' ? Number(spec.work.argv[1] ?? 0) : 0;
    const uses = { cores, memoryBytes: spec.memoryBytes ?? 0, gpuUuids: [] };
    const name = `kohakuriver-task-${taskId}`;
    const runtime = 'docker' as const;
    this.#works.set(keyOf(spec), {
      seen: { core: this.#core, taskId, attempt, runtime, name, uses, owner, imageDigest: null },
      ms,
      ended: Promise.withResolvers(),
      condition: { kind: 'created' },
    });
    return Promise.resolve();
  }

  start(ref: AttemptRef): Promise<void> {
    const work = this.#need(ref);
    const startedAt = Date.now();
    work.condition = { kind: 'running', startedAt };
    setTimeout(() => {
      const end = { exitCode: 0, signal: null, oomKilled: false };
      work.condition = { kind: 'ended', end, startedAt, finishedAt: Date.now(), problem: null };
      work.ended.resolve(undefined);
      this.#changed.emit();
    }, work.ms).unref();
    this.#changed.emit();
    return Promise.resolve();
  }

  async waitForEnd(ref: AttemptRef, signal: AbortSignal): Promise<ObservedAttempt | undefined> {
    const work = this.#works.get(keyOf(ref));
    await Promise.race([work?.ended.promise, aborted(signal)]);
    return observedOr(work);
  }

  async *logs(
    ref: AttemptRef,
    cursor: string | null,
    signal: AbortSignal,
  ): AsyncGenerator<LogChunk> {
    const work = this.#need(ref);
    const bytes = Buffer.from('a line\n');
    if (cursor === null)
      yield { stream: 'stdout', bytes, timeNs: BigInt(Date.now()) * 1_000_000n, cursor: '1' };
    await Promise.race([work.ended.promise, aborted(signal)]);
  }

  remove(ref: AttemptRef): Promise<void> {
    this.#works.delete(keyOf(ref));
    return Promise.resolve();
  }

  #need(ref: AttemptRef): Work {
    const work = this.#works.get(keyOf(ref));
    if (work === undefined) throw new Error(`no work ${keyOf(ref)}`);
    return work;
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}

function keyOf({ taskId, attempt }: AttemptRef): string {
  return `${taskId}/${attempt}`;
}

function observed({ seen, condition }: Work): ObservedAttempt {
  return { ...seen, condition };
}

function observedOr(work: Work | undefined): ObservedAttempt | undefined {
  return work === undefined ? undefined : observed(work);
}

/** Hosts of any name can be connected to; this computer is one of them, and offers nothing. */
export function simulatedLinks(): Links {
  return {
    connect: ({ destination }) => Promise.resolve(new SimulatedNodeLink(destination.host)),
    inspect: () => Promise.resolve([]),
    resolve: ({ destination: { host, port, user } }) =>
      Promise.resolve([{ host, port: port ?? 22, user: user ?? 'bench' }]),
    configHosts: () => Promise.resolve([]),
    openLocal: () => Promise.resolve(new SimulatedNodeLink('here')),
  };
}

export function simulatedRuntimes(): RuntimeFactories {
  const facts = { version: '27.0.0', apiVersion: '1.46', gpuRuntime: true, cgroupVersion: '2' };
  return {
    docker: (_link, { coreId }) =>
      Promise.resolve({ runtime: new SimulatedRuntime(coreId), facts }),
    process: (_link, { coreId }) => Promise.resolve(new SimulatedRuntime(coreId)),
  };
}
