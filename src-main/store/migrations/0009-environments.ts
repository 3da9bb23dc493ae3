import type { Migration } from '../migrate.ts';

/** Environments with their versions, and versions on their way to nodes. */
export const environments: Migration = {
  version: 9,
  subject: 'environments',
  up(connection) {
    connection.exec(`
      CREATE TABLE environments (
        name TEXT PRIMARY KEY,
        environment_json TEXT NOT NULL,
        created_at INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE environment_deliveries (
        id INTEGER PRIMARY KEY,
        environment TEXT NOT NULL,
        version_id INTEGER NOT NULL,
        node_id INTEGER NOT NULL,
        state TEXT NOT NULL,
        delivery_json TEXT NOT NULL,
        created_at INTEGER NOT NULL
      ) STRICT;
    `);
  },
};
