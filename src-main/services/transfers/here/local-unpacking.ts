// Archives taken apart into a folder of this computer, in its thread.
import type { Readable } from 'node:stream';
import type { Item } from '../../../domain/transfers/plan.ts';
import { PartMemory } from '../part-memory.ts';
import { inParts } from '../parts.ts';
import type { Moving } from '../small-files.ts';
import { columnsOf } from './columns.ts';
import { failureOf, Inbox, tellOf } from './inbox.ts';
import { digestsFor } from './local-packing.ts';
import type { Job, LocalThread } from './local-thread.ts';
import type { Answer, Passed } from './orders.ts';

const partBytes = 256 * 1024;
/** Parts under way to the thread. */
const mostUnderway = 8;

/** What is wanted of some archives; each comes once, whatever they say. */
export class LocalUnpacking implements Disposable {
  readonly #items: readonly Item[];
  readonly #moving: Moving;
  readonly #inbox: Inbox;
  readonly #job: Job;
  readonly #memory = new PartMemory(partBytes);
  readonly #settled = new Set<Item>();
  readonly #done: Item[] = [];
  #underway = 0;

  constructor(thread: LocalThread, items: readonly Item[], moving: Moving) {
    const { directory } = moving.to;
    this.#items = items;
    this.#moving = moving;
    this.#inbox = new Inbox(moving.signal);
    const order = { directory, items: columnsOf(items), digests: digestsFor(moving) };
    this.#job = thread.begin({ kind: 'unpack', ...order }, this.#inbox);
  }

  /**
   * Takes one archive to its end; resolves with those of its files that are written. Throws HostileSourceError
   * for what is no archive, TransferError when this computer cannot take it.
   */
  async archive(stream: Readable): Promise<readonly Item[]> {
    const before = this.#done.length;
    for await (const part of inParts(stream, this.#memory)) {
      const bytes = new Uint8Array(part);
      this.#memory.giveBack(part);
      this.#job.post({ kind: 'part', bytes }, [bytes.buffer]);
      this.#underway += 1;
      while (this.#underway >= mostUnderway || this.#inbox.hasAnswer) await this.#hear();
    }
    this.#job.post({ kind: 'archive-end' });
    while ((await this.#hear()).kind !== 'archive-read') continue;
    return this.#done.slice(before);
  }

  /** Those that have not come. */
  rest(): Item[] {
    return this.#items.filter((item) => !this.#settled.has(item));
  }

  /** After the last archive. */
  async finish(): Promise<void> {
    this.#job.post({ kind: 'finish' });
    for (;;) {
      const answer = await this.#hear();
      if (answer.kind !== 'ended') continue;
      if (answer.hash !== null) this.#moving.together?.takeMade(this.#done, answer.hash);
      return;
    }
  }

  [Symbol.dispose](): void {
    this.#job[Symbol.dispose]();
    this.#inbox[Symbol.dispose]();
  }

  async #hear(): Promise<Answer> {
    const answer = await this.#inbox.next();
    if (answer.kind === 'failed') throw failureOf(answer);
    if (answer.kind === 'took') this.#underway -= 1;
    if (answer.kind === 'took' || answer.kind === 'archive-read') await this.#tell(answer.passed);
    return answer;
  }

  async #tell(passed: Passed): Promise<void> {
    const { hashes, onBytes, onFile, onProblem, to } = this.#moving;
    const settle = (item: Item) => this.#settled.add(item);
    const done = tellOf(passed, {
      items: this.#items,
      directory: to.directory,
      onProblem: (item, error) => {
        settle(item);
        onProblem(item, error);
      },
    });
    for (const [at, item] of done.entries()) {
      settle(item);
      this.#done.push(item);
      const hash = passed.hashes[at];
      if (hash !== undefined) hashes?.source.set(item, hash);
      onFile(item);
    }
    await onBytes(passed.content);
  }
}
