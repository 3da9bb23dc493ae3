import type { Migration } from '../migrate.ts';

/**
 * What a waiting task waits for, and the fields of a request that earlier tasks did not have: each
 * gets the value that says so, as a request is never read with a field missing.
 */
export const queue: Migration = {
  version: 2,
  subject: 'dependencies, arrays, limits and retries',
  up(connection) {
    connection.exec(`
      ALTER TABLE tasks ADD COLUMN not_before INTEGER;
      ALTER TABLE tasks ADD COLUMN blocked_json TEXT NOT NULL DEFAULT '[]';
      UPDATE task_specs SET spec_json = json_set(
        spec_json,
        '$.after', json('[]'), '$.arrayIndex', NULL, '$.arrayMaxRunning', NULL,
        '$.timeLimitSeconds', NULL, '$.retries', NULL, '$.notBefore', NULL,
        '$.gang', json('false')) WHERE json_valid(spec_json);
    `);
  },
};
