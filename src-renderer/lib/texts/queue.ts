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
  noGpu: 'no GPU',
  idle: 'Nothing runs.',
  idleText: 'What starts next starts as soon as it fits.',
  waiting: 'Waiting',
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
    'Order: priority, then who came first. Drag a row, or press Alt with an arrow, to move a task: its priority changes.',
  cannotBetween: {
    title: 'No priority puts it there',
    text: 'Priorities go from −100 to 100, and those around it are at the end of that.',
  },
  moved: (name: string, priority: number) => `${name} has priority ${priority} now`,
  why: {
    choose: 'Choose a waiting task to see what it waits for, node by node.',
    open: 'Open the task',
  },
} as const;
