import type { Migration } from '../migrate.ts';

/** Forwards can be paused, and stay so. */
export const forwardPause: Migration = {
  version: 8,
  subject: 'forward-pause',
  up(connection) {
    connection.exec('ALTER TABLE forwards ADD COLUMN is_paused INTEGER NOT NULL DEFAULT 0');
  },
};
