import type { Instant } from '../contract/ids.ts';
import type { Task } from './task.ts';
import { counted } from './words.ts';

/** What keeps a waiting task from starting before room is even looked for: sentences without capital and full stop. */
export function notReady({ state }: Task, now: Instant): string[] {
  if (state.status !== 'PENDING') return [];
  const { held, blockedBy, notBefore, reason } = state;
  const found: string[] = [];
  if (held) found.push('it is on hold until somebody releases it');
  const [first] = blockedBy;
  if (first !== undefined) {
    const more = blockedBy.length - 1;
    const others = more === 0 ? '' : ` and ${counted(more, 'other task')}`;
    found.push(`it waits for task ${first}${others} to end`);
  }
  if (notBefore !== null && notBefore > now) {
    const time = `${new Date(notBefore).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
    found.push(`it is not to start before ${time}${reason === null ? '' : ` (${reason})`}`);
  }
  return found;
}
