/** Words of the bell and of notifications. */
export const noticeTexts = {
  title: 'Notices',
  bell: (unread: number) =>
    unread === 0 ? 'Notices, none unread' : `Notices, ${String(unread)} unread`,
  unread: 'unread',
  markAll: 'Mark all as read',
  clearAll: 'Remove all',
  remove: (title: string) => `Remove: ${title}`,
  empty: 'Nothing has happened that you have to know.',
  browser: {
    title: 'Notifications of this browser',
    text: 'Shows notices while this page is in the background.',
    states: {
      default: 'Off',
      granted: 'On',
      denied: 'Refused: allow notifications for this page in the browser’s own settings.',
    },
    ask: 'Turn on…',
  },
} as const;
