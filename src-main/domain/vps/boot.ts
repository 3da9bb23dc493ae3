// What the container of a VPS runs: something that stays, and starts what was set up inside. It runs
// at each start of the container, also when the Engine does that by itself after a reboot.
import type { Work } from '../../contract/task.ts';

/** Where our files inside a VPS lie. */
export const insideDir = '/etc/kohakuriver';

/** POSIX sh, for any image that has one. */
const bootScript = `trap 'exit 0' TERM INT
[ -r ${insideDir}/boot.sh ] && . ${insideDir}/boot.sh
while :; do sleep 2147483 & wait $!; done`;

/** What a VPS runs unless it is told otherwise. */
export const vpsWork: Work = { kind: 'script', text: bootScript };

/** Whether a VPS runs our script, which needs a shell in the image. */
export function hasOwnBoot(work: Work): boolean {
  return work.kind === 'script' && work.text === bootScript;
}
