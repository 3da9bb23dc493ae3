import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { pacedTurns } from '../../../src-main/store/paced.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'setImmediate'] }));
afterEach(() => void vi.useRealTimers());

test('the first commit comes at the end of its turn, and the next no sooner than a little later', () => {
  let now = 100;
  const done: string[] = [];
  const schedule = pacedTurns(() => now);
  schedule(() => done.push('first'));
  vi.advanceTimersByTime(0);
  expect(done).toEqual(['first']);
  now = 102;
  schedule(() => done.push('second'));
  vi.advanceTimersByTime(2);
  expect(done).toEqual(['first']);
  vi.advanceTimersByTime(1);
  expect(done).toEqual(['first', 'second']);
  now = 200;
  schedule(() => done.push('third'));
  vi.advanceTimersByTime(0);
  expect(done).toEqual(['first', 'second', 'third']);
});
