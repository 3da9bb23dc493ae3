// How environments and their deliveries look.
import Archive from '@lucide/svelte/icons/archive';
import CircleCheck from '@lucide/svelte/icons/circle-check';
import CircleDashed from '@lucide/svelte/icons/circle-dashed';
import CirclePlay from '@lucide/svelte/icons/circle-play';
import CircleStop from '@lucide/svelte/icons/circle-stop';
import CircleX from '@lucide/svelte/icons/circle-x';
import Hourglass from '@lucide/svelte/icons/hourglass';
import LoaderCircle from '@lucide/svelte/icons/loader-circle';
import type { Delivery, EnvironmentView } from '../../src-main/contract/environments.ts';
import type { Look } from './status.ts';
import { environments as words } from './texts/environments.ts';

const buildLooks = {
  preparing: { word: words.states.preparing, tone: 'running', icon: LoaderCircle },
  running: { word: words.states.running, tone: 'running', icon: CirclePlay },
  stopped: { word: words.states.stopped, tone: 'foreign', icon: CircleStop },
  built: { word: words.states.built, tone: 'done', icon: CircleCheck },
  failed: { word: words.states.failed, tone: 'failed', icon: CircleX },
} as const satisfies Record<NonNullable<EnvironmentView['build']>['state'], Look>;

export function environmentLook({ build, versions }: EnvironmentView): Look {
  if (build !== null) return buildLooks[build.state];
  return versions.length === 0
    ? { word: words.states.empty, tone: 'foreign', icon: CircleDashed }
    : { word: words.states.none, tone: 'done', icon: Archive };
}

export const deliveryLooks = {
  waiting: { word: words.deliveries.states.waiting, tone: 'waiting', icon: Hourglass },
  moving: { word: words.deliveries.states.moving, tone: 'running', icon: LoaderCircle },
  done: { word: words.deliveries.states.done, tone: 'done', icon: CircleCheck },
  failed: { word: words.deliveries.states.failed, tone: 'failed', icon: CircleX },
  cancelled: { word: words.deliveries.states.cancelled, tone: 'foreign', icon: CircleStop },
} as const satisfies Record<Delivery['state'], Look>;

export function isUnderWay({ state }: Delivery): boolean {
  return state === 'waiting' || state === 'moving';
}
