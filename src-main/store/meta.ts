import { z } from 'zod';
import type { Connection, Statement } from './connection.ts';

const row = z.object({ value: z.string() });

/** Small facts about the database itself, by name. */
export class Meta {
  readonly #get: Statement;
  readonly #set: Statement;

  constructor(connection: Connection) {
    this.#get = connection.prepare('SELECT value FROM meta WHERE key = ?');
    this.#set = connection.prepare(
      'INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
    );
  }

  get(key: string): string | undefined {
    const found = this.#get.get(key);
    return found === undefined ? undefined : row.parse(found).value;
  }

  set(key: string, value: string): void {
    this.#set.run(key, value);
  }
}
