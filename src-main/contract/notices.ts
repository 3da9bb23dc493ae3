// Notices: what happened while nobody looked. They are kept by the core, so that every window, the
// operating system's notifications and the next start see the same ones, each once.
import { oc } from '@orpc/contract';
import { z } from 'zod';
import { feedOf } from './feed.ts';
import { instant, nodeId, taskId } from './ids.ts';

export const noticeKinds = [
  'task-ended',
  'task-failed',
  'task-waits',
  'node-offline',
  'node-online',
] as const;
export const noticeKind = z.enum(noticeKinds);
export type NoticeKind = z.infer<typeof noticeKind>;

export const noticeView = z.object({
  id: z.number().int().positive(),
  kind: noticeKind,
  /** When it last happened. */
  at: instant,
  /** How many things one notice tells of: those of one kind that come in a burst are one. */
  count: z.number().int().positive(),
  title: z.string(),
  text: z.string(),
  /** Where to go; null where it tells of several tasks, or of none. */
  taskId: taskId.nullable(),
  nodeId: nodeId.nullable(),
  readAt: instant.nullable(),
});
export type NoticeView = z.infer<typeof noticeView>;

/** Changes to the list; one that is new, or grew, is `upsert` with `readAt` null. */
export const noticeChange = z.union([
  z.object({ upsert: noticeView }),
  z.object({ removed: z.array(z.number().int()) }),
]);
export type NoticeChange = z.infer<typeof noticeChange>;

/** IDs, or all there are. */
const which = z.union([z.literal('all'), z.array(z.number().int()).min(1).max(1000)]);
export type WhichNotices = z.infer<typeof which>;

export const notices = {
  /** Newest first. What comes as a change has just happened: hosts show those as notifications. */
  watch: oc.output(feedOf(z.array(noticeView), noticeChange)),
  markRead: oc.input(z.object({ notices: which })).output(z.object({ unread: z.number().int() })),
  clear: oc.input(z.object({ notices: which })).output(z.object({ unread: z.number().int() })),
};
