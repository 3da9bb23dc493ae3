import type { Migration } from '../migrate.ts';

/** Tasks can have files put on their node and brought back; those from before want none. */
export const taskFiles: Migration = {
  version: 10,
  subject: 'task-files',
  up(connection) {
    connection.exec(`
      UPDATE task_specs SET spec_json = json_set(
        spec_json, '$.sync', json('[]'), '$.fetch', json('[]')) WHERE json_valid(spec_json);
    `);
  },
};
