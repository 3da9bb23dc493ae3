import { z } from 'zod';
import { instant, nodeId, taskId, type Instant } from '../contract/ids.ts';
import { noticeKind, type NoticeView } from '../contract/notices.ts';
import type { NoticeDraft } from '../domain/notices.ts';
import type { Connection, Statement } from './connection.ts';

const row = z
  .object({
    id: z.number().int(),
    kind: noticeKind,
    at: instant,
    count: z.number().int(),
    title: z.string(),
    text: z.string(),
    task_id: taskId.nullable(),
    node_id: nodeId.nullable(),
    read_at: instant.nullable(),
  })
  .transform(({ task_id, node_id, read_at, ...rest }): NoticeView => ({
    ...rest,
    taskId: task_id,
    nodeId: node_id,
    readAt: read_at,
  }));
const idRow = z.object({ id: z.number().int() });
const markRow = z.object({ value: z.string() });

const columns = `id, kind, at, count, title, text, CAST(task_id AS TEXT) AS task_id,
  CAST(node_id AS TEXT) AS node_id, read_at`;

/** What happened while nobody looked. Everything that writes is called inside of `store.write`. */
export class NoticeRepository {
  readonly #all: Statement;
  readonly #newest: Statement;
  readonly #insert: Statement;
  readonly #update: Statement;
  readonly #markRead: Statement;
  readonly #remove: Statement;
  readonly #trim: Statement;
  readonly #mark: Statement;
  readonly #setMark: Statement;
  readonly #dropMark: Statement;

  constructor(connection: Connection) {
    this.#all = connection.prepare(`SELECT ${columns} FROM notices ORDER BY id DESC`);
    this.#newest = connection.prepare(`SELECT ${columns} FROM notices ORDER BY id DESC LIMIT 1`);
    this.#insert = connection.prepare(
      `INSERT INTO notices (kind, at, count, title, text, task_id, node_id)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#update = connection.prepare(
      `UPDATE notices SET kind = ?, at = ?, count = ?, title = ?, text = ?, task_id = ?,
         node_id = ? WHERE id = ?`,
    );
    this.#markRead = connection.prepare(
      'UPDATE notices SET read_at = ? WHERE id = ? AND read_at IS NULL',
    );
    this.#remove = connection.prepare('DELETE FROM notices WHERE id = ?');
    this.#trim = connection.prepare(
      `DELETE FROM notices WHERE id <= (SELECT max(id) FROM notices) - ? OR at < ? RETURNING id`,
    );
    this.#mark = connection.prepare('SELECT value FROM notice_marks WHERE key = ?');
    this.#setMark = connection.prepare(
      'INSERT INTO notice_marks VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
    );
    this.#dropMark = connection.prepare('DELETE FROM notice_marks WHERE key = ?');
  }

  /** Newest first. */
  all(): NoticeView[] {
    return this.#all.all().map((found) => row.parse(found));
  }

  newest(): NoticeView | undefined {
    const found = this.#newest.get();
    return found === undefined ? undefined : row.parse(found);
  }

  insert(draft: NoticeDraft): NoticeView {
    const id = this.#insert.insert(...values(draft));
    return { ...draft, id, readAt: null };
  }

  /** Puts another text in the place of a notice that nobody has read. */
  replace(id: number, draft: NoticeDraft): NoticeView {
    this.#update.run(...values(draft), id);
    return { ...draft, id, readAt: null };
  }

  markRead(id: number, at: Instant): boolean {
    return this.#markRead.run(at, id) > 0;
  }

  remove(id: number): boolean {
    return this.#remove.run(id) > 0;
  }

  /** Drops what is older than `before` and all but about the newest `keep`; returns which. */
  trim(keep: number, before: Instant): number[] {
    return this.#trim.all(keep, before).map((found) => idRow.parse(found).id);
  }

  mark(key: string): string | undefined {
    const found = this.#mark.get(key);
    return found === undefined ? undefined : markRow.parse(found).value;
  }

  setMark(key: string, value: string): void {
    this.#setMark.run(key, value);
  }

  dropMark(key: string): void {
    this.#dropMark.run(key);
  }
}

function values(draft: NoticeDraft) {
  const { kind, at, count, title, text } = draft;
  return [
    kind,
    at,
    count,
    title,
    text,
    draft.taskId === null ? null : BigInt(draft.taskId),
    draft.nodeId === null ? null : BigInt(draft.nodeId),
  ] as const;
}
