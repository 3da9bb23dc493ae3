// How each status looks and what it is called: an icon, a word and a colour of meaning, always all
// three, so that nothing depends on colour alone.
import type { Component } from 'svelte';
import Ban from '@lucide/svelte/icons/ban';
import CircleCheck from '@lucide/svelte/icons/circle-check';
import CircleDashed from '@lucide/svelte/icons/circle-dashed';
import CirclePause from '@lucide/svelte/icons/circle-pause';
import CirclePlay from '@lucide/svelte/icons/circle-play';
import CircleQuestionMark from '@lucide/svelte/icons/circle-question-mark';
import CircleSlash from '@lucide/svelte/icons/circle-slash';
import CircleStop from '@lucide/svelte/icons/circle-stop';
import CircleX from '@lucide/svelte/icons/circle-x';
import Hand from '@lucide/svelte/icons/hand';
import Hourglass from '@lucide/svelte/icons/hourglass';
import LoaderCircle from '@lucide/svelte/icons/loader-circle';
import MemoryStick from '@lucide/svelte/icons/memory-stick';
import Plug from '@lucide/svelte/icons/plug';
import Unplug from '@lucide/svelte/icons/unplug';
import type { NodeState, NodeView } from '../../src-main/contract/node.ts';
import { finalStatuses, type TaskStatus, type TaskView } from '../../src-main/contract/task.ts';

export type Tone = 'running' | 'waiting' | 'paused' | 'done' | 'failed' | 'lost' | 'foreign';

export interface Look {
  word: string;
  tone: Tone;
  icon: Component<{ class?: string; 'aria-hidden'?: 'true' }>;
}

export const taskLooks = {
  PENDING_APPROVAL: { word: 'To approve', tone: 'waiting', icon: Hand },
  PENDING: { word: 'Waiting', tone: 'waiting', icon: Hourglass },
  ASSIGNING: { word: 'Starting', tone: 'running', icon: LoaderCircle },
  RUNNING: { word: 'Running', tone: 'running', icon: CirclePlay },
  PAUSED: { word: 'Paused', tone: 'paused', icon: CirclePause },
  COMPLETED: { word: 'Completed', tone: 'done', icon: CircleCheck },
  FAILED: { word: 'Failed', tone: 'failed', icon: CircleX },
  KILLED: { word: 'Killed', tone: 'foreign', icon: CircleStop },
  KILLED_OOM: { word: 'Out of memory', tone: 'failed', icon: MemoryStick },
  REJECTED: { word: 'Rejected', tone: 'failed', icon: Ban },
  STOPPED: { word: 'Stopped', tone: 'foreign', icon: CircleStop },
  LOST: { word: 'Lost', tone: 'lost', icon: CircleQuestionMark },
} as const satisfies Record<TaskStatus, Look>;

export const nodeLooks = {
  online: { word: 'Online', tone: 'done', icon: Plug },
  connecting: { word: 'Connecting', tone: 'waiting', icon: LoaderCircle },
  offline: { word: 'Offline', tone: 'failed', icon: Unplug },
  disabled: { word: 'Disabled', tone: 'foreign', icon: CircleSlash },
} as const satisfies Record<NodeState, Look>;

/** How a task looks: held and dying ones say so. */
export function taskLook(task: Pick<TaskView, 'status' | 'held' | 'killRequested'>): Look {
  const look: Look = taskLooks[task.status];
  if (task.killRequested && !(finalStatuses as readonly string[]).includes(task.status)) {
    return { ...look, word: 'Ending' };
  }
  return task.held && task.status === 'PENDING' ? { ...look, word: 'On hold', icon: Hand } : look;
}

/** How a node looks: a drained one says so while it is online. */
export function nodeLook(node: Pick<NodeView, 'state' | 'drained'>): Look {
  if (node.drained && node.state === 'online') {
    return { word: 'Drained', tone: 'paused', icon: CircleDashed };
  }
  return nodeLooks[node.state];
}
