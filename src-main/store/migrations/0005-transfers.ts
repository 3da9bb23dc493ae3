import type { Migration } from '../migrate.ts';

/** What a transfer has moved is seen at its target, never counted here: after a crash it is looked at. */
export const transfers: Migration = {
  version: 5,
  subject: 'transfers',
  up(connection) {
    connection.exec(`
      CREATE TABLE transfers (
        id INTEGER PRIMARY KEY,
        position INTEGER NOT NULL,
        status TEXT NOT NULL,
        record_json TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        finished_at INTEGER
      ) STRICT;
      CREATE INDEX transfers_by_position ON transfers (position);

      CREATE TABLE transfer_problems (
        transfer_id INTEGER NOT NULL REFERENCES transfers (id) ON DELETE CASCADE,
        seq INTEGER NOT NULL,
        path TEXT NOT NULL,
        outcome TEXT NOT NULL CHECK (outcome IN ('failed', 'skipped')),
        message TEXT NOT NULL,
        PRIMARY KEY (transfer_id, seq)
      ) STRICT, WITHOUT ROWID;
    `);
  },
};
