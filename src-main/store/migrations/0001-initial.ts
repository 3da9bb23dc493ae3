import type { Migration } from '../migrate.ts';

/**
 * What a task was asked to do is wide and never changes, so it lies apart (`task_specs`); the rows
 * that change at every transition stay small. `task_texts` is what text search scans.
 */
const tasks = `
  CREATE TABLE tasks (
    id INTEGER PRIMARY KEY,
    batch_id INTEGER NOT NULL,
    type TEXT NOT NULL CHECK (type IN ('command', 'vps')),
    name TEXT,
    owner TEXT NOT NULL,
    priority INTEGER NOT NULL,
    status TEXT NOT NULL,
    since INTEGER NOT NULL,
    is_held INTEGER NOT NULL DEFAULT 0,
    attempt INTEGER NOT NULL DEFAULT 0,
    node_id INTEGER,
    place_json TEXT,
    kill_json TEXT,
    lost_was TEXT,
    reason TEXT,
    exit_code INTEGER,
    signal TEXT,
    is_oom_killed INTEGER,
    submitted_at INTEGER NOT NULL,
    assigned_at INTEGER,
    started_at INTEGER,
    finished_at INTEGER,
    image_digest TEXT,
    stdout_bytes INTEGER NOT NULL DEFAULT 0,
    stderr_bytes INTEGER NOT NULL DEFAULT 0,
    warnings_json TEXT NOT NULL DEFAULT '[]',
    CHECK (
      status NOT IN ('ASSIGNING', 'RUNNING', 'PAUSED', 'LOST')
      OR (place_json IS NOT NULL AND node_id IS NOT NULL AND assigned_at IS NOT NULL)
    )
  ) STRICT;

  CREATE INDEX tasks_by_status ON tasks (status, id);
  CREATE INDEX tasks_by_queue ON tasks (status, priority DESC, id);
  CREATE INDEX tasks_by_priority ON tasks (priority DESC, id, status);
  CREATE INDEX tasks_by_name ON tasks (name, id);
  CREATE INDEX tasks_by_display_name ON tasks (name IS NULL, name COLLATE NOCASE, id, status);
  CREATE INDEX tasks_by_end ON tasks (finished_at DESC, id DESC, status);
  CREATE INDEX tasks_by_node ON tasks (node_id, status, id);
  CREATE INDEX tasks_by_batch ON tasks (batch_id, status, id);
  CREATE INDEX tasks_by_owner ON tasks (owner, status, id);
  -- Endings of IDs are how people name tasks: at least six digits of them.
  CREATE INDEX tasks_by_ending ON tasks (id % 1000000);

  CREATE TABLE task_specs (
    task_id INTEGER PRIMARY KEY REFERENCES tasks (id) ON DELETE CASCADE,
    spec_json TEXT NOT NULL
  ) STRICT;

  CREATE TABLE task_texts (
    task_id INTEGER PRIMARY KEY REFERENCES tasks (id) ON DELETE CASCADE,
    text TEXT NOT NULL
  ) STRICT;

  CREATE TABLE task_labels (
    task_id INTEGER NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (key, value, task_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX task_labels_by_task ON task_labels (task_id);

  CREATE TABLE task_events (
    task_id INTEGER NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    from_status TEXT,
    to_status TEXT NOT NULL,
    kind TEXT NOT NULL,
    why TEXT,
    attempt INTEGER NOT NULL,
    who TEXT NOT NULL,
    PRIMARY KEY (task_id, seq)
  ) STRICT, WITHOUT ROWID;

  -- Not bound to the task: what is to be cleaned up on a node stays so when the record goes.
  CREATE TABLE task_effects (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    task_id INTEGER NOT NULL,
    node_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    payload_json TEXT NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX task_effects_by_node ON task_effects (node_id, id);
`;

const nodes = `
  CREATE TABLE nodes (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    is_local INTEGER NOT NULL,
    address_json TEXT,
    auth_json TEXT NOT NULL,
    labels_json TEXT NOT NULL,
    is_drained INTEGER NOT NULL,
    is_disabled INTEGER NOT NULL,
    facts_json TEXT,
    added_at INTEGER NOT NULL,
    last_seen_at INTEGER,
    removed_at INTEGER
  ) STRICT;
  -- A removed node keeps its name in history and frees it for another.
  CREATE UNIQUE INDEX nodes_by_name ON nodes (name COLLATE NOCASE) WHERE removed_at IS NULL;

  CREATE TABLE metrics_gpus (
    id INTEGER PRIMARY KEY,
    uuid TEXT NOT NULL UNIQUE
  ) STRICT;

  CREATE TABLE metrics (
    node_id INTEGER NOT NULL,
    minutes INTEGER NOT NULL CHECK (minutes IN (1, 15)),
    at INTEGER NOT NULL,
    point BLOB NOT NULL,
    PRIMARY KEY (node_id, minutes, at)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX metrics_by_age ON metrics (minutes, at);
`;

const rest = `
  CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE secrets (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    scope TEXT NOT NULL,
    name TEXT NOT NULL,
    ciphertext BLOB NOT NULL,
    UNIQUE (scope, name)
  ) STRICT;
`;

export const initial: Migration = {
  version: 1,
  subject: 'tasks, nodes, metrics and secrets',
  up(connection) {
    connection.exec(tasks);
    connection.exec(nodes);
    connection.exec(rest);
  },
};
