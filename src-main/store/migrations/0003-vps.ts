import type { Migration } from '../migrate.ts';

/**
 * A VPS is a task with a disk that lives through its attempts (`disk_json`), and with what only a
 * VPS has: SSH inside, published ports, snapshots (`vps`). The reference is checked at the commit:
 * both rows of a new VPS are written in one transaction, in whatever order.
 */
export const vpsTables: Migration = {
  version: 3,
  subject: 'VPSes',
  up(connection) {
    connection.exec(`
      ALTER TABLE tasks ADD COLUMN disk_json TEXT;
      CREATE TABLE vps (
        task_id INTEGER PRIMARY KEY
          REFERENCES tasks (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
        vps_json TEXT NOT NULL
      ) STRICT;
    `);
  },
};
