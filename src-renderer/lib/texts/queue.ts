/** Words of the queue. */
export const queue = {
  title: 'Queue',
  newTask: 'New task',
  timeline: 'What runs, and until when',
  spans: { short: '3 h', medium: '12 h', long: '2 days' },
  spanLabel: 'Time shown',
  now: 'now',
  noLimit: 'no time limit',
  until: (moment: string) => `until ${moment} at the latest`,
  backfilled: 'started ahead of others that wait for more room',
  legend: {
    title: 'What the bars mean',
    kept: 'room that is kept',
    reserved: 'reserved',
    moreOwners: (count: number) => `and ${count} more`,
  },
  noGpu: 'no GPU',
  idle: 'Nothing runs.',
  idleText: 'What starts next starts as soon as it fits.',
  waiting: 'Waiting',
  aside: 'Why it waits, shares and reservations',
  startsNext: 'Starts next',
  columns: {
    place: '#',
    task: 'Task',
    needs: 'Needs',
    owner: 'Owner',
    priority: 'Priority',
    since: 'Waits for',
  },
  empty: {
    title: 'Nothing waits',
    text: 'A task you submit starts as soon as it fits. What does not fit now waits here, in an order you can change.',
  },
  order:
    'Shown by priority, then who came first. Drag a row, or press Alt with an arrow, to move a task: its priority changes.',
  orderBetweenOwners:
    'At equal priority, owners who used less start first: see Shares. «Why it waits» has each task’s place.',
  cannotBetween: {
    title: 'No priority puts it there',
    text: 'Priorities go from −100 to 100, and those around it are at the end of that.',
  },
  moved: (name: string, priority: number) => `${name} has priority ${priority} now`,
  reserved: (owners: string, from: string, to: string) =>
    `reserved for ${owners}, ${from} to ${to}`,
  keptFor: (task: string, at: string | undefined) =>
    at === undefined
      ? `kept for ${task} as it frees up`
      : `kept for ${task}, which starts by ${at}`,
  shares: {
    title: 'Shares',
    note: 'less comes first',
    off: 'fair share is off',
    none: 'Nothing has run yet.',
    owner: 'Owner',
    gpuTime: 'GPU time',
    coreTime: 'Core time',
    score: 'Score',
    now: (running: number, waiting: number) => `${running} running, ${waiting} waiting`,
    rule: (gpuWeight: number, halfLifeHours: number) =>
      `Score = GPU time × ${gpuWeight} + core time, in seconds, and 10 minutes of what runs now. What was used ${halfLifeHours} h ago counts half.`,
  },
  reservations: {
    title: 'Reservations',
    none: 'Nothing is reserved.',
    add: 'Reserve…',
    addWord: 'Reserve',
    cancel: 'Cancel',
    dialog: 'Reserve a node',
    about:
      'Tasks of others do not start there when they would still run then. What runs there already goes on.',
    node: 'Node',
    gpus: 'GPUs',
    gpusHint: 'Their numbers, such as 0, 1.',
    allGpus: 'the whole node',
    gpusWrong: (count: number) => {
      if (count === 0) return 'This node has no GPU.';
      return count === 1
        ? 'This node has one GPU: 0.'
        : `Numbers from 0 to ${count - 1}, such as 0, 1.`;
    },
    from: 'From',
    to: 'To',
    endsBefore: 'It has to end after it begins.',
    owners: 'For the tasks of',
    ownersHint: 'Names of owners; yours where nobody is named.',
    noteLabel: 'Note',
    added: (node: string) => `${node} is reserved`,
    removed: 'The reservation is removed',
    what: (node: string, gpus: readonly number[] | null) =>
      gpus === null ? node : `${node}, GPU ${gpus.join(', ')}`,
    gone: 'a node that was removed',
    for: (owners: string) => `for ${owners}`,
    remove: (what: string) => `Remove the reservation of ${what}`,
    removeTitle: 'Remove this reservation?',
    removeText: 'What was kept for it is free for everybody at once.',
    removeWord: 'Remove',
  },
  why: {
    choose: 'Choose a waiting task to see what it waits for, node by node.',
    open: 'Open the task',
  },
} as const;
