// Views and templates people keep. No rules of its own but names and a bound.
import { maxKeptOfKind, type KeptChange, type KeptItem, type KeptThing } from '../contract/kept.ts';
import { RequestError } from '../contract/errors.ts';
import { Emitter } from '../domain/emitter.ts';
import type { KeptRepository } from '../store/kept-repository.ts';
import type { Commit } from './tasks/ports.ts';

export interface KeptParts {
  readonly records: KeptRepository;
  readonly commit: Commit;
}

export interface SaveOptions {
  readonly name: string;
  readonly thing: KeptThing;
  /** Take the place of what has this name. */
  readonly replace: boolean;
}

export class KeptService {
  readonly #parts: KeptParts;
  readonly #changed = new Emitter<KeptChange>();
  readonly onDidChange = this.#changed.event;

  constructor(parts: KeptParts) {
    this.#parts = parts;
  }

  /** By name. */
  list(): KeptItem[] {
    return this.#parts.records.all();
  }

  /** Resolves when it is on disk. Throws `conflict/name-taken`, and `input/invalid` past the bound. */
  async save({ name, thing, replace }: SaveOptions): Promise<KeptItem> {
    const { records, commit } = this.#parts;
    const taken = records.idOf(thing.kind, name);
    if (taken !== undefined && !replace) {
      throw new RequestError('conflict/name-taken', `«${name}» is the name of another one.`, {
        details: { field: 'name' },
      });
    }
    if (taken === undefined && records.count(thing.kind) >= maxKeptOfKind) {
      const text = `No more than ${String(maxKeptOfKind)} can be kept. Remove one first.`;
      throw new RequestError('input/invalid', text);
    }
    const item = commit.write(() =>
      taken === undefined ? records.insert(name, thing) : records.replace(taken, name, thing),
    );
    await commit.flushed();
    this.#changed.emit({ upsert: item });
    return item;
  }

  /** Resolves when it is gone for good; false when it was not there. */
  async remove(id: number): Promise<boolean> {
    const { records, commit } = this.#parts;
    const removed = commit.write(() => records.remove(id));
    await commit.flushed();
    if (removed) this.#changed.emit({ removed: id });
    return removed;
  }
}
