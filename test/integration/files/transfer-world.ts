// Transfers between this computer and «nodes» that are a real sshd on loopback, with all that the
// core has between them but the core itself.
import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NodeId, TaskId } from '../../../src-main/contract/ids.ts';
import type {
  TransferId,
  TransferProblem,
  TransferRequest,
  TransferView,
} from '../../../src-main/contract/transfers.ts';
import type { Timers } from '../../../src-main/domain/clock.ts';
import { LocalLink } from '../../../src-main/link/local/local-link.ts';
import type { NodeLink } from '../../../src-main/link/node-link.ts';
import { systemClock as clock, systemTimers } from '../../../src-main/link/system-timers.ts';
import type { Inside } from '../../../src-main/runtimes/runtime.ts';
import { Places } from '../../../src-main/services/files/places.ts';
import { TransferService } from '../../../src-main/services/transfers/transfer-service.ts';
import type { TransferRecord } from '../../../src-main/store/transfer-repository.ts';

const quiet = { debug: no, info: no, warn: no, error: no, child: () => quiet };
function no(): void {
  // Tests look at what happens, not at what is said.
}

export class TransferWorld implements AsyncDisposable {
  readonly dir = mkdtempSync(join(tmpdir(), 'kohakuriver-moves-'));
  readonly links = new Map<string, NodeLink>();
  readonly kept = new Map<TransferId, TransferRecord>();
  readonly problems = new Map<TransferId, readonly TransferProblem[]>();
  readonly here = new LocalLink();
  inside: Inside | undefined;
  isCaseBlind = false;
  isDirectAllowed = true;
  isDeltaAllowed = true;
  /** Of all transfers together. */
  bytesPerSecond: number | null = null;
  timers: Timers = systemTimers;
  /** Why files went as a whole. */
  readonly notes: string[] = [];
  service: TransferService;
  #lastId = 0;

  constructor() {
    this.service = this.#service();
    this.service.start();
  }

  /** What the next transfer will be called. */
  get nextId(): string {
    return String(this.#lastId + 1);
  }

  /** What a core that starts again on the same data directory would have. */
  async restart(): Promise<void> {
    await this.service[Symbol.asyncDispose]();
    this.service = this.#service();
    this.service.start();
  }

  /** As `restart`, with nothing said or written on the way out. */
  crash(): void {
    const running = [...this.kept.values()];
    void this.service[Symbol.asyncDispose]();
    for (const record of running) this.kept.set(record.id, record);
    this.service = this.#service();
    this.service.start();
  }

  start(request: Partial<TransferRequest> & Pick<TransferRequest, 'from' | 'to'>) {
    return this.service.submit({
      recursive: true,
      conflicts: 'ask',
      verify: true,
      rateLimit: null,
      sync: null,
      ...request,
    });
  }

  /** Runs one to where it stays. */
  async move(request: Parameters<TransferWorld['start']>[0]): Promise<TransferView> {
    return this.rests((await this.start(request)).id);
  }

  rests(id: TransferId, timeoutMs = 100_000): Promise<TransferView> {
    return this.until(id, ({ status }) => status !== 'QUEUED' && status !== 'RUNNING', timeoutMs);
  }

  async until(
    id: TransferId,
    isIt: (view: TransferView) => boolean,
    timeoutMs = 100_000,
  ): Promise<TransferView> {
    const end = Date.now() + timeoutMs;
    for (;;) {
      const view = this.service.get(id);
      if (isIt(view)) return view;
      if (Date.now() > end) throw new Error(`not in time: ${JSON.stringify(view)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.service[Symbol.asyncDispose]();
    await this.here.close();
    for (const link of this.links.values()) await link.close();
    rmSync(this.dir, { recursive: true, force: true });
  }

  #service(): TransferService {
    const node = (name: string) =>
      ({ id: name as NodeId, name, state: 'online', reason: null, facts: null }) as const;
    const places = new Places({
      here: this.here,
      find: (name) => node(name),
      link: (id) => {
        const link = this.links.get(id);
        return link?.isOpen === true ? link : undefined;
      },
      resolveTask: (reference) => reference as TaskId,
      task: (id) =>
        ({
          id,
          attempt: 1,
          spec: { name: null },
          state: { status: 'RUNNING', place: { nodeId: 'n1', runtime: 'docker' } },
        }) as never,
      inside: () => (this.inside === undefined ? undefined : Promise.resolve(this.inside)),
    });
    return new TransferService({
      records: {
        all: () => [...this.kept.values()],
        put: (record) => void this.kept.set(record.id, record),
        delete: (id) => void this.kept.delete(id),
        problems: (id) => [...(this.problems.get(id) ?? [])],
        setProblems: (id, problems) => void this.problems.set(id, problems),
      },
      write: (change) => change(),
      flushed: () => Promise.resolve(),
      places,
      clock,
      timers: this.timers,
      log: {
        ...quiet,
        info: (facts: { why?: string }) => this.notes.push(facts.why ?? ''),
      },
      newId: () => {
        this.#lastId += 1;
        return String(this.#lastId) as TransferId;
      },
      settings: () => ({
        parallel: 2,
        direct: this.isDirectAllowed,
        delta: this.isDeltaAllowed,
        bytesPerSecond: this.bytesPerSecond,
      }),
      isCaseBlind: this.isCaseBlind,
      // In the product a million, which a test server would take a minute to list.
      mostItems: 20_000,
    });
  }
}

/** Every entry below a folder: kind, mode, time, and the hash or the target. */
export function treeOf(dir: string): Record<string, string> {
  const found: Record<string, string> = {};
  const walk = (at: Buffer, below: string): void => {
    for (const name of readdirSync(at, { encoding: 'buffer' })) {
      const path = Buffer.concat([at, Buffer.from('/'), name]);
      const shown = `${below}${name.toString('latin1')}`;
      const stat = lstatSync(path);
      if (stat.isSymbolicLink()) found[shown] = `-> ${readlinkSync(path)}`;
      else {
        const facts = `${(stat.mode & 0o7777).toString(8)} ${String(Math.floor(stat.mtimeMs / 1000))}`;
        if (stat.isDirectory()) {
          found[`${shown}/`] = facts;
          walk(path, `${shown}/`);
        } else {
          const hash = createHash('sha256').update(readFileSync(path)).digest('hex');
          found[shown] = `${facts} ${hash}`;
        }
      }
    }
  };
  walk(Buffer.from(dir), '');
  return found;
}

/** A tree of so many small files in folders of a hundred. */
export function makeTree(dir: string, files: number): void {
  const text = `
import os, sys
for i in range(${String(files)}):
    d = os.path.join(sys.argv[1], 'd%03d' % (i // 100))
    os.makedirs(d, exist_ok=True)
    p = os.path.join(d, 'f%05d' % i)
    with open(p, 'wb') as f: f.write(os.urandom(4096))
    os.utime(p, (1500000000 + i, 1500000000 + i))
`;
  execFileSync('python3', ['-c', text, dir]);
}
