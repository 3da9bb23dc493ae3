// Terminals: sessions that belong to the core, looked at through a byte stream of small frames
// (terminal-frames.ts) by as many viewers as like to.
import { oc } from '@orpc/contract';
import { z } from 'zod';
import { feedOf } from './feed.ts';
import { filePath } from './files.ts';
import { instant } from './ids.ts';

/** Identifies a terminal for as long as its core runs. */
export const terminalId = z
  .string()
  .regex(/^t[0-9a-z]{1,16}$/, 'a terminal ID')
  .brand('TerminalId');
export type TerminalId = z.infer<typeof terminalId>;

/** A terminal as people write it: its ID. */
const terminalRef = z.string().min(1).max(32);

/** Where a terminal's shell runs. Nodes and tasks as people write them. */
export const terminalTarget = z.discriminatedUnion('kind', [
  /** The login shell of a node; this computer is one. */
  z.strictObject({ kind: z.literal('node'), node: z.string().min(1).max(64) }),
  /** A shell in the container of a task or a VPS. */
  z.strictObject({ kind: z.literal('task'), task: z.string().min(1).max(128) }),
  /** A shell in another container that is ours, as where an environment is built. */
  z.strictObject({
    kind: z.literal('container'),
    node: z.string().min(1).max(64),
    container: z.string().regex(/^kohakuriver-[a-z0-9][\w.-]{0,120}$/i, 'a container of ours'),
  }),
]);
export type TerminalTarget = z.infer<typeof terminalTarget>;

/** Cells. Larger ones are never seen and cost memory. */
export const terminalSize = z.object({
  columns: z.number().int().min(2).max(1000),
  rows: z.number().int().min(1).max(500),
});
export type TerminalSize = z.infer<typeof terminalSize>;

export const terminalState = z.enum([
  'starting',
  'open',
  /** The link dropped; it comes back by itself, because the far side keeps it. */
  'detached',
  /** The program ended, or could not be kept over a lost link: `reason` says which. */
  'ended',
]);

export const terminalView = z.object({
  id: terminalId,
  /** What the person called it; null: the title of the program, or the place. */
  name: z.string().nullable(),
  /** As the program set it: cleaned, and still the far side's word. */
  title: z.string(),
  target: terminalTarget,
  /** The place in words, as `alpha` or `web (task 123)`. */
  place: z.string(),
  state: terminalState,
  /** Why it ended or is detached, as a sentence; null while open and after a plain end. */
  reason: z.string().nullable(),
  exitCode: z.number().int().nullable(),
  signal: z.string().nullable(),
  size: terminalSize,
  /** Lines above the screen that are kept of it. */
  scrollbackLines: z.number().int(),
  viewers: z.number().int(),
  /** What keeps it on the far side when the link drops; null: nothing does. */
  keeper: z.enum(['tmux', 'screen', 'abduco']).nullable(),
  openedAt: instant,
});
export type TerminalView = z.infer<typeof terminalView>;

const one = z.object({ terminal: terminalRef });
const change = z.union([z.object({ upsert: terminalView }), z.object({ removed: terminalId })]);
export type TerminalChange = z.infer<typeof change>;

export const terminals = {
  list: oc.output(z.array(terminalView)),
  watch: oc.output(feedOf(z.array(terminalView), change)),
  /** Resolves when the shell is there. */
  open: oc
    .input(
      z.object({
        target: terminalTarget,
        size: terminalSize.default({ columns: 80, rows: 24 }),
        name: z.string().max(80).nullable().default(null),
        /** Where the shell begins; null, or one that cannot be entered: where a login does. */
        folder: filePath.nullable().default(null),
      }),
    )
    .output(terminalView),
  rename: oc.input(one.extend({ name: z.string().max(80).nullable() })).output(terminalView),
  /** The last one asked for holds, whoever asks. */
  resize: oc.input(one.extend({ size: terminalSize })).output(terminalView),
  /** Ends the program (hang-up) and forgets the terminal. */
  close: oc.input(one).output(z.object({ id: terminalId })),
};

/** A viewer of a terminal; frames go both ways. */
export const attachInput = z.strictObject({
  terminal: terminalRef,
  /** Resize to this first. */
  size: terminalSize.optional(),
  /**
   * The viewer is a terminal that answers the program's questions (where the cursor is, what it
   * can do) by itself; the core then does not.
   */
  answers: z.boolean().default(false),
});

/** Runs one program to its end, without a session; frames go both ways. */
export const execInput = z.strictObject({
  target: terminalTarget,
  command: z
    .array(z.string().max(128 * 1024))
    .min(1)
    .max(4096),
  /** On a terminal of this size; absent: plain pipes. */
  size: terminalSize.optional(),
  /** Takes what the client sends as its input; otherwise the input is empty. */
  stdin: z.boolean().default(false),
});
export type ExecInput = z.infer<typeof execInput>;

export const terminalStreams = {
  'terminals.attach': { input: attachInput, direction: 'both' },
  'terminals.exec': { input: execInput, direction: 'both' },
} as const;
