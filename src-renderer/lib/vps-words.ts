// How a VPS looks and what is said of it.
import RotateCcw from '@lucide/svelte/icons/rotate-ccw';
import type { VpsView } from '../../src-main/contract/vps.ts';
import { formatBytes, plural } from './format.ts';
import { taskLooks, type Look } from './status.ts';
import { vps as words } from './texts/vps.ts';

export function vpsLook({ status, wish, health }: VpsView): Look {
  const look: Look = taskLooks[status];
  if (wish !== null) return { ...look, word: words.wishes[wish] };
  if (health?.isCrashLooping === true) {
    return { word: 'Crashing', tone: 'failed', icon: RotateCcw };
  }
  return look;
}

/** `4 cores, 16 GB, 1 GPU`. */
export function limitsLine({ cores, memoryBytes, gpus, gpuRequest }: VpsView): string {
  const count = gpus.length > 0 ? gpus.length : (gpuRequest?.count ?? 0);
  return [
    cores === 0 ? 'all cores' : plural(cores, 'core'),
    memoryBytes === null ? 'memory without limit' : formatBytes(memoryBytes),
    ...(count === 0 ? [] : [plural(count, 'GPU')]),
  ].join(', ');
}
