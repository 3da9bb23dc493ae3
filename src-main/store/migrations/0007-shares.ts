import type { Migration } from '../migrate.ts';

/** Use by owners, for fair share, and what people reserved. */
export const shares: Migration = {
  version: 7,
  subject: 'use by owners; reservations',
  up(connection) {
    connection.exec(`
      -- Faded to the instant it was counted at.
      CREATE TABLE owner_usage (
        owner TEXT PRIMARY KEY,
        gpu_seconds REAL NOT NULL,
        core_seconds REAL NOT NULL,
        counted_at INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE reservations (
        id INTEGER PRIMARY KEY,
        ends_at INTEGER NOT NULL,
        reservation_json TEXT NOT NULL
      ) STRICT;
    `);
  },
};
