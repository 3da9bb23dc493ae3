import type { Migration } from '../migrate.ts';

export const notices: Migration = {
  version: 4,
  subject: 'notices, and what people keep for themselves',
  up(connection) {
    connection.exec(`
      CREATE TABLE notices (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL,
        at INTEGER NOT NULL,
        count INTEGER NOT NULL,
        title TEXT NOT NULL,
        text TEXT NOT NULL,
        task_id INTEGER,
        node_id INTEGER,
        read_at INTEGER
      ) STRICT;

      -- What was told already, so that a restart does not tell it again.
      CREATE TABLE notice_marks (
        key TEXT PRIMARY KEY,
        value TEXT NOT NULL
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE kept (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL,
        name TEXT NOT NULL,
        value_json TEXT NOT NULL
      ) STRICT;
      CREATE UNIQUE INDEX kept_by_name ON kept (kind, name COLLATE NOCASE);
    `);
  },
};
