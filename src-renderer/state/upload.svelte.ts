// One upload from this browser: folders first, then files side by side, each under another name
// until all of it is there (the core sees to that).
import type { ConflictPolicy, TransferStatus } from '../../src-main/contract/transfers.ts';
import type { CoreClient } from '../lib/client.ts';
import type { ChosenFile } from '../lib/files/chosen.ts';
import { freeName } from '../lib/files/free-name.ts';
import { baseName, joinPath, parentPath } from '../lib/files/paths.ts';
import { SpeedMeter } from '../lib/files/speed-meter.ts';
import { codeOf } from '../lib/problem.ts';
import { transfers as words } from '../lib/texts/files.ts';
import type { UploadOrder } from './uploads.svelte.ts';

export interface UploadProblem {
  readonly path: string;
  readonly message: string;
}

/** Each has its own stream and its own round trips at the far end. */
const lanes = 4;
const mostRenames = 1000;
const tellEveryMs = 200;

export class Upload {
  readonly id: string;
  readonly title: string;
  readonly order: UploadOrder;
  readonly filesTotal: number;
  readonly bytesTotal: number;
  readonly #client: CoreClient;
  readonly #speed = new SpeedMeter();
  readonly #sent = new Map<ChosenFile, number>();
  #left: readonly ChosenFile[];
  #status = $state<TransferStatus>('QUEUED');
  #filesDone = $state(0);
  #skipped = $state(0);
  #bytesDone = $state(0);
  #bytesPerSecond = $state<number | null>(null);
  #current = $state<string | null>(null);
  #inTheWay = $state.raw<readonly ChosenFile[]>([]);
  #problems = $state.raw<readonly UploadProblem[]>([]);
  #failed: ChosenFile[] = [];
  #conflicts: ConflictPolicy = 'ask';
  #abort = new AbortController();
  #gate: PromiseWithResolvers<void> | undefined;
  #toldAt = 0;

  readonly hasEnded = $derived(['DONE', 'FAILED', 'CANCELLED'].includes(this.#status));

  constructor(client: CoreClient, order: UploadOrder & { id: string }) {
    this.#client = client;
    this.order = order;
    this.id = order.id;
    const { files, folders } = order.chosen;
    this.#left = files;
    this.filesTotal = files.length;
    this.bytesTotal = files.reduce((sum, { file }) => sum + file.size, 0);
    this.title = titleOf([...folders, ...files.map(({ path }) => path)]);
  }

  get status(): TransferStatus {
    return this.#status;
  }
  get filesDone(): number {
    return this.#filesDone;
  }
  get skipped(): number {
    return this.#skipped;
  }
  get bytesDone(): number {
    return this.#bytesDone;
  }
  get bytesPerSecond(): number | null {
    return this.#bytesPerSecond;
  }
  get current(): string | null {
    return this.#current;
  }
  get problems(): readonly UploadProblem[] {
    return this.#problems;
  }
  /** While it asks: what is there already. */
  get inTheWay(): readonly ChosenFile[] {
    return this.#inTheWay;
  }

  /** Sends what is left; resolves when it is over or asks. */
  async run(): Promise<void> {
    this.#abort = new AbortController();
    this.#status = 'RUNNING';
    this.#problems = [];
    this.#failed = [];
    const { signal } = this.#abort;
    await this.#makeFolders(signal);
    const left = [...this.#left];
    const lane = async (): Promise<void> => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) {
        if (signal.aborted) return;
        await this.#send(next, signal);
      }
    };
    await Promise.all(Array.from({ length: lanes }, lane));
    this.#conclude();
  }

  pause(): void {
    if (this.#status !== 'RUNNING') return;
    this.#gate = Promise.withResolvers();
    this.#status = 'PAUSED';
    this.#bytesPerSecond = null;
  }

  resume(): void {
    if (this.#status !== 'PAUSED') return;
    this.#status = 'RUNNING';
    this.#gate?.resolve();
    this.#gate = undefined;
  }

  /** What is there whole stays; what is under way goes. */
  cancel(): void {
    this.#status = 'CANCELLED';
    this.#abort.abort();
    this.#gate?.resolve();
  }

  /** Decides about all that is in the way; `run` goes on with it. */
  answer(conflicts: Exclude<ConflictPolicy, 'ask'>): void {
    this.#conflicts = conflicts;
    this.#left = this.#inTheWay;
    this.#inTheWay = [];
  }

  /** What failed is sent again by `run`. */
  retry(): void {
    this.#left = this.#failed;
  }

  #conclude(): void {
    this.#bytesPerSecond = null;
    this.#current = null;
    if (this.#status === 'CANCELLED') return;
    this.#left = [];
    if (this.#inTheWay.length > 0) this.#status = 'ASKING';
    else this.#status = this.#problems.length > 0 ? 'FAILED' : 'DONE';
  }

  async #makeFolders(signal: AbortSignal): Promise<void> {
    const { place, path } = this.order.to;
    for (const folder of this.order.chosen.folders) {
      if (signal.aborted) return;
      try {
        const order = { place, path: joinPath(path, folder), parents: true };
        await this.#patiently(() => this.#client.api.files.makeDirectory(order, { signal }));
      } catch (error) {
        this.#fail(folder, error);
      }
    }
  }

  async #send(chosen: ChosenFile, signal: AbortSignal): Promise<void> {
    try {
      const isSent = await this.#patiently(() => this.#sendByPolicy(chosen, signal));
      if (isSent) this.#filesDone += 1;
      else this.#skipped += 1;
    } catch (error) {
      this.#count(chosen, 0);
      if (signal.aborted) return;
      if (codeOf(error) === 'files/taken' && this.#conflicts === 'ask') {
        this.#inTheWay = [...this.#inTheWay, chosen];
      } else {
        this.#failed.push(chosen);
        this.#fail(chosen.path, error);
      }
    }
  }

  /** False when it is skipped. */
  async #sendByPolicy(chosen: ChosenFile, signal: AbortSignal): Promise<boolean> {
    const path = joinPath(this.order.to.path, chosen.path);
    const policy = this.#conflicts;
    const overwrite = policy === 'overwrite' || (await this.#isOlder(path, chosen, signal));
    for (let tries = 0; ; tries += 1) {
      const name = freeName(baseName(path), tries);
      try {
        const target = { path: joinPath(parentPath(path), name), overwrite };
        await this.#write(target, chosen, signal);
        return true;
      } catch (error) {
        if (codeOf(error) !== 'files/taken') throw error;
        if (policy === 'skip' || policy === 'newer') return false;
        if (policy !== 'rename' || tries >= mostRenames) throw error;
      }
    }
  }

  /** Whether what is there is older than what comes, where that decides. */
  async #isOlder(path: string, { file }: ChosenFile, signal: AbortSignal): Promise<boolean> {
    if (this.#conflicts !== 'newer') return false;
    const { place } = this.order.to;
    const { modifiedAt } = await this.#client.api.files.info({ place, path }, { signal });
    return modifiedAt < Math.floor(file.lastModified / 1000);
  }

  async #write(
    { path, overwrite }: { path: string; overwrite: boolean },
    chosen: ChosenFile,
    signal: AbortSignal,
  ): Promise<void> {
    const { file } = chosen;
    const { place } = this.order.to;
    const modifiedAt = Math.max(0, Math.floor(file.lastModified / 1000));
    const reading = { failure: undefined as unknown };
    const upload = this.#bytesOf(chosen, reading);
    const input = { place, path, overwrite, size: file.size, modifiedAt };
    try {
      const answer = this.#client.openStream('files.write', input, { upload, signal });
      for await (const _written of answer) continue;
    } catch (error) {
      throw reading.failure === undefined ? error : new Error(words.unread);
    }
  }

  /** The bytes of a file as they are taken; waits while it is paused. */
  async *#bytesOf(
    chosen: ChosenFile,
    reading: { failure: unknown },
  ): AsyncGenerator<Uint8Array, undefined> {
    let sent = 0;
    this.#current = chosen.path;
    this.#count(chosen, 0);
    const reader = chosen.file.stream().getReader();
    try {
      for (;;) {
        await this.#gate?.promise;
        const { done, value } = await reader.read();
        if (done) return;
        sent += value.byteLength;
        this.#count(chosen, sent);
        yield value;
      }
    } catch (error) {
      reading.failure = error;
      throw error;
    } finally {
      await reader.cancel().catch(() => undefined);
    }
  }

  /** Does it, and does it again when only the link to the core was lost. */
  async #patiently<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (codeOf(error) !== 'core/unavailable' || this.#abort.signal.aborted) throw error;
        await this.#connected();
      }
    }
  }

  #connected(): Promise<void> {
    if (this.#client.state === 'connected') return Promise.resolve();
    if (this.#status === 'RUNNING') this.#status = 'WAITING';
    return new Promise((resolve) => {
      const go = (): void => {
        listening[Symbol.dispose]();
        if (this.#status === 'WAITING') this.#status = 'RUNNING';
        resolve();
      };
      const listening = this.#client.onDidChangeState((state) => {
        if (state !== 'connecting') go();
      });
      this.#abort.signal.addEventListener('abort', go, { once: true });
    });
  }

  #fail(path: string, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    this.#problems = [...this.#problems, { path, message }];
  }

  #count(chosen: ChosenFile, sent: number): void {
    this.#sent.set(chosen, sent);
    const now = performance.now();
    if (now - this.#toldAt < tellEveryMs && sent < chosen.file.size) return;
    this.#toldAt = now;
    let all = 0;
    for (const bytes of this.#sent.values()) all += bytes;
    this.#bytesDone = all;
    this.#bytesPerSecond = this.#speed.note(now, all);
  }
}

/** By the tops: a folder that was dropped stands for all that is in it. */
function titleOf(paths: readonly string[]): string {
  const tops = [...new Set(paths.map((path) => path.split('/', 1)[0] ?? path))];
  const first = tops[0] ?? '';
  return tops.length > 1 ? `${first} and ${tops.length - 1} more` : first;
}
