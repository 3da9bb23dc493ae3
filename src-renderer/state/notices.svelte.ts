// Notices of the core: what happened while nobody looked. What comes while the page is there is also
// said in the corner, and by the browser where it may.
import type { NoticeChange, NoticeView } from '../../src-main/contract/notices.ts';
import type { CoreClient } from '../lib/client.ts';
import { BrowserNotifications } from './browser-notifications.svelte.ts';
import { href } from './router.svelte.ts';
import type { Toasts } from './toasts.svelte.ts';

const tones = {
  'task-ended': 'done',
  'task-failed': 'failed',
  'task-waits': 'info',
  'node-offline': 'failed',
  'node-online': 'done',
} as const;

/** Where a notice leads. */
export function noticeHref(notice: NoticeView): string {
  if (notice.taskId !== null) return href(['tasks', notice.taskId]);
  if (notice.nodeId !== null) return href(['nodes', notice.nodeId]);
  if (notice.kind === 'node-offline' || notice.kind === 'node-online') return href(['nodes']);
  const statuses = { 'task-ended': 'done', 'task-failed': 'failed', 'task-waits': 'waiting' };
  return href(['tasks'], { status: statuses[notice.kind] });
}

export class Notices {
  readonly browser = new BrowserNotifications();
  readonly #client: CoreClient;
  readonly #toasts: Toasts;
  #list = $state.raw<readonly NoticeView[]>([]);

  constructor(client: CoreClient, toasts: Toasts) {
    this.#client = client;
    this.#toasts = toasts;
  }

  /** Newest first. */
  get list(): readonly NoticeView[] {
    return this.#list;
  }

  readonly unread: number = $derived(
    this.#list.reduce((sum, { readAt }) => sum + (readAt === null ? 1 : 0), 0),
  );

  /** Follows the core until what it returns is called. */
  start(): () => void {
    const feed = this.#client.feed((api, signal) => api.notices.watch(undefined, { signal }), {
      onSnapshot: (list: NoticeView[]) => (this.#list = list),
      onChange: (change: NoticeChange) => this.#take(change),
      onError: (error) => this.#toasts.failed(error),
    });
    return () => feed[Symbol.dispose]();
  }

  /** Throws what the core answers. */
  async markRead(ids: 'all' | number[]): Promise<void> {
    await this.#client.api.notices.markRead({ notices: ids });
  }

  /** Throws what the core answers. */
  async clear(ids: 'all' | number[]): Promise<void> {
    await this.#client.api.notices.clear({ notices: ids });
  }

  #take(change: NoticeChange): void {
    if ('removed' in change) {
      this.#list = this.#list.filter(({ id }) => !change.removed.includes(id));
      return;
    }
    const { upsert } = change;
    const rest = this.#list.filter(({ id }) => id !== upsert.id);
    this.#list = [upsert, ...rest].sort((a, b) => b.id - a.id);
    if (upsert.readAt === null) this.#say(upsert);
  }

  #say(notice: NoticeView): void {
    const action = { label: 'Show', href: noticeHref(notice) };
    // Whoever looks at the thing itself sees it there.
    if (window.location.hash.startsWith(action.href)) return;
    const { title, text, kind } = notice;
    this.#toasts.notice(`notice-${String(notice.id)}`, { tone: tones[kind], title, text, action });
    this.browser.show({ tag: `kohakuriver-${String(notice.id)}`, title, text, href: action.href });
  }
}
