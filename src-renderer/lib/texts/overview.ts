/** Words of the overview. */
export const overview = {
  title: 'Overview',
  newTask: 'New task',
  gpus: 'GPUs',
  allGpus: 'All GPUs',
  noGpus: {
    title: 'No GPUs yet',
    text: 'Tasks run on the processors of your nodes. Add a machine that has GPUs, and each of them shows here.',
    add: 'Add a node',
  },
  noNodes: {
    title: 'Add your first node',
    text: 'Any machine you can reach by SSH can be one. Nothing is installed there.',
  },
  nodes: 'Nodes',
  allNodes: 'All nodes',
  queue: 'Queue',
  startsNext: 'Starts next',
  wholeQueue: 'Whole queue',
  queueEmpty: 'Nothing waits. A task you submit starts as soon as it fits.',
  running: 'Running',
  allRunning: 'All running',
  noneRunning: 'Nothing runs.',
  failures: 'Last failures',
  allFailures: 'All failures',
  noFailures: 'Nothing has failed.',
  first: {
    title: 'Run your first task',
    text: 'This computer is a node already. A small task shows the whole way: it is placed, started, and its output appears live.',
    run: 'Run a first task here',
    own: 'Write your own',
  },
} as const;

/** Words of what needs a person. */
export const alerts = {
  title: 'Needs attention',
  all: 'All nodes',
  error: 'Problem',
  warning: 'Warning',
  and: ' and ',
  more: (count: number) => `${count} more`,
  others: (count: number) => `and ${count} more`,
  offline: (names: string, count: number) =>
    count === 1 ? `${names} is offline` : `${names} are offline`,
  offlineMany: 'Each says on its page why, and what to do. They are tried again by themselves.',
  lost: (count: string) => `${count} lost`,
  lostDetail: 'Their nodes are out of reach. They may still be running, and keep what they hold.',
  vault: {
    locked: 'The vault of secrets is locked',
    unavailable: 'Secrets cannot be kept on this computer',
  },
  vaultDetail: 'Passwords and secret variables cannot be used until it opens.',
} as const;

/** Words for putting a waiting task on a GPU. */
export const placement = {
  hint: 'Drag a waiting task onto a GPU to ask for that place.',
  done: (task: string, target: string) => `${task} asks for ${target} now`,
  undo: 'Undo',
  tooFew: (node: string) => `${node} has fewer GPUs than this task asks for.`,
  refused: 'It does not wait any more.',
} as const;
