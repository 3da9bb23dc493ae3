// A database that can be made to refuse, so that tests see what happens when a disk is full: by
// triggers on the table every change of a task writes to.
import Sqlite from 'better-sqlite3';
import { migrations } from '../../src-main/store/migrations/index.ts';
import type { Migration } from '../../src-main/store/migrate.ts';

const schema = `
  CREATE TABLE sabotage (mode TEXT) STRICT;
  CREATE TABLE sabotage_parent (id INTEGER PRIMARY KEY) STRICT;
  CREATE TABLE sabotage_child (
    id INTEGER REFERENCES sabotage_parent (id) DEFERRABLE INITIALLY DEFERRED
  ) STRICT;
  CREATE TRIGGER sabotage_commit AFTER INSERT ON task_events
    WHEN EXISTS (SELECT 1 FROM sabotage WHERE mode = 'commit')
    BEGIN INSERT INTO sabotage_child VALUES (1); END;
  CREATE TRIGGER sabotage_write BEFORE INSERT ON task_events
    WHEN EXISTS (SELECT 1 FROM sabotage WHERE mode = 'write')
    BEGIN SELECT RAISE(ROLLBACK, 'sabotage'); END;
`;

/** The real schema, and what sabotage needs. */
export const sabotage: readonly Migration[] = [
  ...migrations,
  {
    version: (migrations.at(-1)?.version ?? 0) + 1,
    subject: 'sabotage',
    up: (connection) => connection.exec(schema),
  },
];

/** Lets the database of a running core refuse. Change it only while nothing waits to be committed. */
export class SabotagedDisk implements Disposable {
  readonly #database: Sqlite.Database;

  constructor(file: string) {
    this.#database = new Sqlite(file);
  }

  /** `commit`: writes work and their commit fails; `write`: a write takes its whole transaction with it. */
  refuse(mode: 'commit' | 'write'): void {
    this.#database.prepare('INSERT INTO sabotage VALUES (?)').run(mode);
  }

  repair(): void {
    this.#database.exec('DELETE FROM sabotage');
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }
}
