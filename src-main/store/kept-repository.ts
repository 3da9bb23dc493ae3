import { z } from 'zod';
import { keptThing, type KeptItem, type KeptKind, type KeptThing } from '../contract/kept.ts';
import type { Connection, Statement, StoreLog } from './connection.ts';
import { StoreError } from './errors.ts';
import { parseJson } from './json.ts';

const row = z.object({ id: z.number().int(), name: z.string(), value_json: z.string() });
const countRow = z.object({ count: z.number().int() });

/** Views and templates, by kind and name. What writes is called inside of `store.write`. */
export class KeptRepository {
  readonly #log: StoreLog;
  readonly #all: Statement;
  readonly #named: Statement;
  readonly #count: Statement;
  readonly #insert: Statement;
  readonly #update: Statement;
  readonly #remove: Statement;

  constructor(connection: Connection, log: StoreLog) {
    this.#log = log;
    this.#all = connection.prepare(
      'SELECT id, name, value_json FROM kept ORDER BY name COLLATE NOCASE, id',
    );
    this.#named = connection.prepare(
      'SELECT id, name, value_json FROM kept WHERE kind = ? AND name = ? COLLATE NOCASE',
    );
    this.#count = connection.prepare('SELECT count(*) AS count FROM kept WHERE kind = ?');
    this.#insert = connection.prepare('INSERT INTO kept (kind, name, value_json) VALUES (?, ?, ?)');
    this.#update = connection.prepare('UPDATE kept SET name = ?, value_json = ? WHERE id = ?');
    this.#remove = connection.prepare('DELETE FROM kept WHERE id = ?');
  }

  /** By name. One that cannot be read (a newer version wrote it) is left where it is. */
  all(): KeptItem[] {
    return this.#all.all().flatMap((found) => {
      const { id, name, value_json } = row.parse(found);
      try {
        return [{ id, name, thing: parseJson(keptThing, value_json, 'kept.value_json') }];
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        this.#log.warn({ id, name, err: error }, 'something kept cannot be read; it is set aside');
        return [];
      }
    });
  }

  /** The number of what has this name, without regard to case. */
  idOf(kind: KeptKind, name: string): number | undefined {
    const found = this.#named.get(kind, name);
    return found === undefined ? undefined : row.parse(found).id;
  }

  count(kind: KeptKind): number {
    return countRow.parse(this.#count.get(kind)).count;
  }

  insert(name: string, thing: KeptThing): KeptItem {
    return { id: this.#insert.insert(thing.kind, name, JSON.stringify(thing)), name, thing };
  }

  replace(id: number, name: string, thing: KeptThing): KeptItem {
    this.#update.run(name, JSON.stringify(thing), id);
    return { id, name, thing };
  }

  remove(id: number): boolean {
    return this.#remove.run(id) > 0;
  }
}
