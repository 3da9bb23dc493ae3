import { z } from 'zod';

/**
 * The one schema of everything that can be set. The Settings page, `kohakuriver config`, the
 * environment (`KOHAKURIVER_` + the key in capitals, dots as `_`) and the README's reference are
 * made from it. Keys are flat and dotted; every value has a default.
 */
export interface SettingDefinition<S extends z.ZodType = z.ZodType> {
  schema: S;
  default: z.infer<S>;
  title: string;
  description: string;
  /** Group on the Settings page. */
  group:
    | 'Tasks'
    | 'Queue'
    | 'Nodes'
    | 'Files'
    | 'Terminals'
    | 'Logs'
    | 'Server'
    | 'Core'
    | 'Notices'
    | 'Appearance';
  unit?: string;
  /** Takes effect only when the core starts again. */
  needsRestart?: boolean;
}

function setting<S extends z.ZodType>(definition: SettingDefinition<S>): SettingDefinition<S> {
  return definition;
}

const bytes = (minimum: number) =>
  z
    .number()
    .int()
    .min(minimum)
    .max(2 ** 50);

export const settingDefinitions = {
  'tasks.defaultImage': setting({
    schema: z.string().max(512).nullable(),
    default: null,
    title: 'Default image',
    description: 'Image for tasks that name none. Empty: such tasks run as plain processes.',
    group: 'Tasks',
  }),
  'tasks.killGraceSeconds': setting({
    schema: z.number().int().min(0).max(3600),
    default: 10,
    title: 'Grace before SIGKILL',
    description: 'How long a killed task has to end by itself after SIGTERM.',
    group: 'Tasks',
    unit: 's',
  }),
  'tasks.allowPrivileged': setting({
    schema: z.boolean(),
    default: true,
    title: 'Allow privileged containers',
    description: 'Privileged containers own their node. Off: such tasks are refused.',
    group: 'Tasks',
  }),
  'tasks.useForeignGpus': setting({
    schema: z.boolean(),
    default: false,
    title: 'Use GPUs that others use',
    description: 'Let the scheduler choose GPUs on which processes run that are not ours.',
    group: 'Tasks',
  }),
  'queue.fairShare': setting({
    schema: z.boolean(),
    default: true,
    title: 'Fair share',
    description:
      'At equal priority, owners who used less come first. A single owner notices nothing of it.',
    group: 'Queue',
  }),
  'queue.halfLifeHours': setting({
    schema: z.number().min(0.1).max(8760),
    default: 24,
    title: 'Half-life of use',
    description: 'What was used this long ago counts half against its owner.',
    group: 'Queue',
    unit: 'h',
  }),
  'queue.gpuWeight': setting({
    schema: z.number().min(0).max(1000),
    default: 8,
    title: 'Weight of a GPU',
    description: 'How many core-seconds a second of one GPU counts as between owners.',
    group: 'Queue',
  }),
  'queue.agingHours': setting({
    // Without aging, a stream of tasks of higher priority would keep others waiting for ever.
    schema: z
      .number()
      .min(1, 'must be at least 1: a task gains priority as it waits, so that none waits for ever')
      .max(8760),
    default: 24,
    title: 'Aging',
    description:
      'Waiting this long counts as one step of priority, so that nothing waits for ever.',
    group: 'Queue',
    unit: 'h',
  }),
  'queue.waitMinutes': setting({
    schema: z
      .number()
      .min(0)
      .max(10_080, 'must be at most 10080 (a week): large tasks would hardly ever start'),
    default: 10,
    title: 'Others may overtake for',
    description:
      'Where time limits do not tell when the first task can start, smaller ones may overtake it for this long; then what it needs is kept for it as it frees up.',
    group: 'Queue',
    unit: 'min',
  }),
  'queue.maxRunningPerOwner': setting({
    schema: z.number().int().min(0).max(100_000),
    default: 0,
    title: 'Tasks per owner',
    description: 'At most so many tasks of one owner run at a time. 0: as many as fit.',
    group: 'Queue',
  }),
  'queue.maxGpusPerOwner': setting({
    schema: z.number().int().min(0).max(100_000),
    default: 0,
    title: 'GPUs per owner',
    description: 'At most so many GPUs are held by one owner at a time. 0: as many as there are.',
    group: 'Queue',
  }),
  'queue.labelCaps': setting({
    schema: z
      .string()
      .max(4096)
      .regex(
        /^\s*(?:[^=:,\s]+=[^=:,]*:[1-9]\d{0,5}\s*(?:,\s*|$))*$/,
        'must be caps of at least 1, such as team=vision:4, kind=eval:10',
      ),
    default: '',
    title: 'Tasks per label',
    description:
      'At most so many tasks with a label run at a time, as team=vision:4, kind=eval:10. Empty: no caps.',
    group: 'Queue',
  }),
  'queue.assumedRunMinutes': setting({
    schema: z.number().min(1).max(525_600),
    default: 240,
    title: 'Length of tasks without a limit',
    description:
      'So long before a reservation begins, nothing without a time limit starts on what is reserved for others.',
    group: 'Queue',
    unit: 'min',
  }),
  'tasks.keepEndedDays': setting({
    schema: z.number().int().min(1).max(3650),
    default: 90,
    title: 'Keep ended tasks',
    description: 'Ended tasks, their events and logs are removed after this time.',
    group: 'Tasks',
    unit: 'days',
  }),
  'logs.maxBytesPerTask': setting({
    schema: bytes(1_048_576),
    default: 10 * 2 ** 30,
    title: 'Log size per task',
    description: 'Past this the log of a task stops growing here and a gap marks what is missing.',
    group: 'Logs',
    unit: 'bytes',
  }),
  'logs.nodeBufferBytes': setting({
    schema: bytes(1_048_576),
    default: 1_073_741_824,
    title: 'Log kept on the node',
    description: 'How much output the node itself keeps for a container until it is collected.',
    group: 'Logs',
    unit: 'bytes',
  }),
  'logs.level': setting({
    schema: z.enum(['full', 'debug', 'info', 'warning']),
    default: 'info',
    title: 'Log level of the core',
    description: 'How much the core writes about itself.',
    group: 'Core',
  }),
  'nodes.metricsIntervalSeconds': setting({
    schema: z.number().int().min(1).max(60),
    default: 5,
    title: 'Metrics interval',
    description: 'How often a node reports its use; every second while somebody looks at it.',
    group: 'Nodes',
    unit: 's',
  }),
  'nodes.offlineAfterSeconds': setting({
    schema: z.number().int().min(5).max(600),
    default: 30,
    title: 'Offline after',
    description:
      'A node that answers nothing for this long is offline; its tasks are shown as LOST and go on.',
    group: 'Nodes',
    unit: 's',
  }),
  'nodes.connectTimeoutSeconds': setting({
    schema: z.number().int().min(1).max(120),
    default: 20,
    title: 'Connect timeout',
    description: 'How long one attempt to reach a node may take.',
    group: 'Nodes',
    unit: 's',
  }),
  'terminals.keeper': setting({
    schema: z.enum(['off', 'any', 'tmux', 'screen', 'abduco']),
    default: 'off',
    title: 'Keep terminals on the far side',
    description:
      'Open shells inside tmux, screen or abduco where it is there, so that they outlive a dropped connection. `any` takes the first one found.',
    group: 'Terminals',
  }),
  'terminals.scrollbackLines': setting({
    schema: z.number().int().min(100).max(100_000),
    default: 10_000,
    title: 'Lines kept of a terminal',
    description:
      'How far a new terminal scrolls back. 100,000 lines of 100 columns take 120 MB, in the core and in each window.',
    group: 'Terminals',
    unit: 'lines',
  }),
  'transfers.parallel': setting({
    schema: z.number().int().min(1).max(16),
    default: 3,
    title: 'Transfers at once',
    description: 'How many transfers of files run side by side; the others wait in the queue.',
    group: 'Files',
  }),
  'transfers.mostMibPerSecond': setting({
    schema: z
      .number()
      .min(0)
      .max(100_000)
      .refine((rate) => rate === 0 || rate >= 0.1, { message: 'must be 0 or at least 0.1' }),
    default: 0,
    title: 'Transfers’ speed at most',
    description:
      'So much all transfers together move in a second, so that others on the network have some of it. Taken up at once. While it is set, files do not go straight from node to node. 0: as much as goes.',
    group: 'Files',
    unit: 'MiB/s',
  }),
  'transfers.direct': setting({
    schema: z.boolean(),
    default: true,
    title: 'Straight from node to node',
    description:
      'Large files go from one node to another directly where they reach each other: the receiver listens on a port of its own for that one file and a key made for it. Otherwise they pass through this computer.',
    group: 'Files',
  }),
  'transfers.delta': setting({
    schema: z.boolean(),
    default: true,
    title: 'Only what differs',
    description:
      'Of large files that replace an older version, only what differs is moved, where both ends have rsync (3.0 or newer). Otherwise the whole file is.',
    group: 'Files',
  }),
  'server.host': setting({
    schema: z.string().min(1).max(255),
    default: '127.0.0.1',
    title: 'Address of the web interface',
    description: 'Where `kohakuriver serve` listens. Anything but loopback is reachable by others.',
    group: 'Server',
    needsRestart: true,
  }),
  'server.port': setting({
    schema: z.number().int().min(0).max(65535),
    default: 8000,
    title: 'Port of the web interface',
    description: '0 chooses any free port.',
    group: 'Server',
    needsRestart: true,
  }),
  'notices.tasks': setting({
    schema: z.enum(['all', 'failed', 'none']),
    default: 'all',
    title: 'Ended tasks',
    description:
      'Which ended tasks give a notice. What you end yourself gives none; a burst is told as one.',
    group: 'Notices',
  }),
  'notices.minRunSeconds': setting({
    schema: z.number().int().min(0).max(86_400),
    default: 10,
    title: 'Ran for at least',
    description:
      'A task that is done sooner than this gives no notice; one that fails always does.',
    group: 'Notices',
    unit: 's',
  }),
  'notices.longWaitMinutes': setting({
    schema: z.number().int().min(0).max(10_080),
    default: 60,
    title: 'Long wait',
    description: 'Tasks that wait longer than this give a notice once. 0: never.',
    group: 'Notices',
    unit: 'min',
  }),
  'notices.nodes': setting({
    schema: z.boolean(),
    default: true,
    title: 'Nodes that go and come',
    description: 'A notice when a node goes offline, and when it is back.',
    group: 'Notices',
  }),
  'ui.theme': setting({
    schema: z.enum(['system', 'light', 'dark']),
    default: 'system',
    title: 'Theme',
    description: 'Light, dark, or as the system has it.',
    group: 'Appearance',
  }),
} as const;

export type SettingKey = keyof typeof settingDefinitions;
export type Settings = {
  readonly [K in SettingKey]: z.infer<(typeof settingDefinitions)[K]['schema']>;
};
export const settingKeys = Object.keys(settingDefinitions) as readonly SettingKey[];

/** Where a value in force comes from; an earlier one wins over a later one. */
export const settingOrigin = z.enum(['flag', 'environment', 'file', 'default']);
export type SettingOrigin = z.infer<typeof settingOrigin>;

export const settingView = z.object({
  key: z.string(),
  value: z.unknown(),
  origin: settingOrigin,
  default: z.unknown(),
  title: z.string(),
  description: z.string(),
  group: z.string(),
  unit: z.string().nullable(),
  needsRestart: z.boolean(),
  /** JSON Schema of the value: the Settings page makes its field from it. */
  schema: z.unknown(),
});
export type SettingView = z.infer<typeof settingView>;
