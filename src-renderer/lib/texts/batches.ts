/** Words of the batches. */
export const batches = {
  title: 'Batches',
  shown: (count: string) => `${count} of two tasks or more`,
  filter: 'Which',
  filters: { active: 'Not ended', all: 'All' },
  kinds: { single: 'one task', array: 'array', targets: 'several targets', gang: 'gang' },
  progress: (ended: string, total: string) => `${ended} of ${total} ended`,
  failed: (count: string) => `${count} failed`,
  limit: (count: number) => `at most ${count} at a time`,
  submitted: 'Submitted',
  orders: {
    kill: 'Kill all',
    hold: 'Hold',
    release: 'Release',
    resubmit: 'Submit the failed again',
    tasks: 'Its tasks',
    more: 'More for this batch',
  },
  killDialog: {
    title: (name: string) => `Kill all of ${name}?`,
    text: (count: string) =>
      `${count} have not ended. Those that run get SIGTERM and, after the grace, SIGKILL; what they have not saved is lost. Their logs stay.`,
  },
  done: {
    kill: 'Asked to end',
    hold: 'On hold',
    release: 'Released',
  },
  refused: (ok: number, total: number) => `Done for ${ok} of ${total}`,
  resubmitted: (count: string) => `Submitted ${count} again`,
  empty: {
    title: 'No batches',
    text: 'Tasks that are submitted together (an array, a sweep, several targets) are one batch: followed, killed and submitted again as one.',
  },
  noneActive: {
    title: 'All batches have ended',
    text: 'Those that have ended are among all of them.',
    all: 'Show all',
  },
  more: 'Show more',
} as const;
