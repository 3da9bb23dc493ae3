import { styleText } from 'node:util';
import type { NodeState } from '../../../contract/node.ts';
import type { TaskStatus } from '../../../contract/task.ts';

type Tone = Parameters<typeof styleText>[0];

/** Colours a text, or leaves it as it is. */
export type Paint = (tone: Tone, text: string) => string;

/** Colour only on a terminal that has it, and never where NO_COLOR is set (no-color.org). */
export function paintFor(
  sink: { readonly isTerminal: boolean },
  env: Readonly<Record<string, string | undefined>>,
): Paint {
  const noColor = env['NO_COLOR'];
  const isPlain =
    !sink.isTerminal || (noColor !== undefined && noColor !== '') || env['TERM'] === 'dumb';
  if (isPlain) return (_tone, text) => text;
  return (tone, text) => styleText(tone, text, { validateStream: false });
}

/** The colours of the app's states, as near as a terminal has them. */
export const taskTones: Readonly<Record<TaskStatus, Tone>> = {
  PENDING_APPROVAL: 'blue',
  PENDING: 'blue',
  ASSIGNING: 'cyan',
  RUNNING: 'cyan',
  PAUSED: 'magenta',
  COMPLETED: 'green',
  FAILED: 'red',
  KILLED: 'gray',
  KILLED_OOM: 'red',
  REJECTED: 'red',
  STOPPED: 'gray',
  LOST: 'yellow',
};

export const nodeTones: Readonly<Record<NodeState, Tone>> = {
  online: 'green',
  connecting: 'blue',
  offline: 'red',
  disabled: 'gray',
};
