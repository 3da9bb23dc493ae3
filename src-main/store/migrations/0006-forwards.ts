import type { Migration } from '../migrate.ts';

/** Ports that are forwarded, remembered until they are removed. */
export const forwards: Migration = {
  version: 6,
  subject: 'forwards',
  up(connection) {
    connection.exec(`
      CREATE TABLE forwards (
        id INTEGER PRIMARY KEY,
        spec_json TEXT NOT NULL,
        local_port INTEGER,
        created_at INTEGER NOT NULL
      ) STRICT;
    `);
  },
};
