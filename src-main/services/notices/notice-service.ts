// Listens to tasks and nodes and keeps what is worth telling. A notice is written in the very
// transaction that changed the task, so it is there exactly when the change is.
import type { Instant, NodeId } from '../../contract/ids.ts';
import type { NoticeChange, NoticeView, WhichNotices } from '../../contract/notices.ts';
import type { Clock, Timers } from '../../domain/clock.ts';
import { Emitter, type Event } from '../../domain/emitter.ts';
import {
  endedNotice,
  grown,
  nodeNotice,
  waitedTooLong,
  waitNotice,
  type NoticeDraft,
} from '../../domain/notices.ts';
import type { NoticeRepository } from '../../store/notice-repository.ts';
import type { Fleet } from '../fleet.ts';
import type { Logger } from '../logger.ts';
import type { SettingsService } from '../settings.ts';
import type { Commit } from '../tasks/ports.ts';
import type { TaskBook, TaskChange } from '../tasks/task-book.ts';

export interface NoticeParts {
  readonly records: NoticeRepository;
  readonly commit: Commit;
  readonly book: Pick<TaskBook, 'onDidChange' | 'all'>;
  readonly fleet: Pick<Fleet, 'node' | 'onDidComeOnline' | 'onDidGoOffline'>;
  readonly onDidRemoveNode: Event<NodeId>;
  readonly settings: Pick<SettingsService, 'get'>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Logger;
}

const keep = 500;
const keepMs = 30 * 24 * 60 * 60_000;
const minuteMs = 60_000;
/** Until when long waits were told. */
const waitsMark = 'waits-told';
const nodeMark = (id: NodeId) => `node-offline:${id}`;

export class NoticeService implements Disposable {
  readonly #parts: NoticeParts;
  readonly #changed: Emitter<NoticeChange>;
  readonly #listening: readonly Disposable[];

  constructor(parts: NoticeParts) {
    this.#parts = parts;
    this.#changed = new Emitter((error) =>
      parts.log.error({ err: error }, 'a listener to notices failed'),
    );
    const { book, fleet, timers } = parts;
    this.#listening = [
      book.onDidChange((change) => this.#onTask(change)),
      fleet.onDidComeOnline((id) => this.#onOnline(id)),
      fleet.onDidGoOffline(({ id, reason, counted }) => {
        if (counted) this.#onOffline(id, reason);
      }),
      parts.onDidRemoveNode((id) => parts.commit.write(() => parts.records.dropMark(nodeMark(id)))),
      timers.every(minuteMs, () => this.#lookForLongWaits()),
    ];
  }

  get onDidChange() {
    return this.#changed.event;
  }

  /** Newest first. */
  list(): NoticeView[] {
    return this.#parts.records.all();
  }

  /** Resolves when it is on disk, with how many are left to read. */
  async markRead(which: WhichNotices): Promise<{ unread: number }> {
    const { records, commit, clock } = this.#parts;
    const readAt = clock.now();
    const read = commit.write(() =>
      this.#those(which).filter(({ id }) => records.markRead(id, readAt)),
    );
    for (const notice of read) this.#changed.emit({ upsert: { ...notice, readAt } });
    await commit.flushed();
    return { unread: this.#unread() };
  }

  /** Resolves when they are gone for good, with how many are left to read. */
  async clear(which: WhichNotices): Promise<{ unread: number }> {
    const { records, commit } = this.#parts;
    const removed = commit.write(() =>
      this.#those(which).flatMap(({ id }) => (records.remove(id) ? [id] : [])),
    );
    if (removed.length > 0) this.#changed.emit({ removed });
    await commit.flushed();
    return { unread: this.#unread() };
  }

  [Symbol.dispose](): void {
    for (const one of this.#listening) one[Symbol.dispose]();
  }

  #those(which: WhichNotices): NoticeView[] {
    const all = this.list();
    return which === 'all' ? all : all.filter(({ id }) => which.includes(id));
  }

  #unread(): number {
    return this.list().filter(({ readAt }) => readAt === null).length;
  }

  #onTask({ before, after, kind }: TaskChange): void {
    // What is read again after a failed commit was told when it happened.
    if (kind === 'reloaded' || after === undefined) return;
    if (before?.state.status === after.state.status) return;
    const { settings } = this.#parts;
    const draft = endedNotice(after, this.#now(), {
      tasks: settings.get('notices.tasks'),
      minRunMs: settings.get('notices.minRunSeconds') * 1000,
    });
    if (draft !== undefined) this.#tell(draft);
  }

  #onOffline(id: NodeId, reason: string): void {
    const { records, fleet, settings } = this.#parts;
    const node = fleet.node(id);
    // A node that is removed or disabled was not lost.
    if (node?.state !== 'offline' || records.mark(nodeMark(id)) !== undefined) return;
    this.#write(() => records.setMark(nodeMark(id), String(this.#now())));
    if (settings.get('notices.nodes'))
      this.#tell(nodeNotice(node, this.#now(), { isOnline: false, reason }));
  }

  #onOnline(id: NodeId): void {
    const { records, fleet, settings } = this.#parts;
    const node = fleet.node(id);
    if (node === undefined || records.mark(nodeMark(id)) === undefined) return;
    this.#write(() => records.dropMark(nodeMark(id)));
    if (settings.get('notices.nodes'))
      this.#tell(nodeNotice(node, this.#now(), { isOnline: true }));
  }

  /** Whoever crossed the limit since the last look, which is remembered over restarts. */
  #lookForLongWaits(): void {
    const { records, book, settings } = this.#parts;
    const limitMs = settings.get('notices.longWaitMinutes') * minuteMs;
    const now = this.#now();
    const told = Number(records.mark(waitsMark) ?? now);
    // A clock that stepped back must not silence what comes.
    const after = Math.min(told, now);
    const late = limitMs === 0 ? [] : waitedTooLong(book.all(), { after, now, limitMs });
    if (late.length > 0 || after === told)
      this.#write(() => records.setMark(waitsMark, String(now)));
    const draft = waitNotice(late, now, limitMs);
    if (draft !== undefined) this.#tell(draft);
  }

  #tell(draft: NoticeDraft): void {
    const { records } = this.#parts;
    this.#write(() => {
      const last = records.newest();
      const more = grown(last, draft);
      const notice =
        more !== undefined && last !== undefined
          ? records.replace(last.id, more)
          : records.insert(draft);
      this.#changed.emit({ upsert: notice });
      const removed = records.trim(keep, draft.at - keepMs);
      if (removed.length > 0) this.#changed.emit({ removed });
    });
  }

  #write(change: () => void): void {
    this.#parts.commit.write(change);
  }

  #now(): Instant {
    return this.#parts.clock.now();
  }
}
