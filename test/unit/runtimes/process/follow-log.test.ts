import { beforeEach, expect, test } from 'vitest';
import { followLog, type Followed } from '../../../../src-main/runtimes/process/follow-log.ts';
import { LogPosition } from '../../../../src-main/runtimes/process/log-position.ts';
import type { News } from '../../../../src-main/runtimes/process/next-notice.ts';

/** What is told, one after the other, and what was done meanwhile. */
let told: (News & { readonly hasEnded?: true; readonly silently?: true })[];
let done: string[];

beforeEach(() => {
  done = [];
});

async function follow(mayBeSilent: boolean): Promise<string[]> {
  let current: (typeof told)[number] | undefined;
  const followed: Followed = {
    hasEnded: false,
    mayBeSilent,
    next: () => ({
      take: () => {
        current = told.shift();
        if (current === undefined) throw new Error('nothing more is told');
        return Promise.resolve(current);
      },
      [Symbol.dispose]: () => undefined,
    }),
    hasEndedNow: () => {
      done.push('look');
      return Promise.resolve(current?.hasEnded === true);
    },
    endedSilently: () => current?.silently === true,
    open: () => {
      done.push('open');
      return Promise.resolve({
        async *read() {
          done.push('read');
          yield await Promise.resolve({ stream: 'stdout' as const, bytes: Buffer.from('x') });
        },
        [Symbol.asyncDispose]: () => {
          done.push('close');
          return Promise.resolve();
        },
      });
    },
  };
  const never = new AbortController().signal;
  for await (const _part of followLog(followed, LogPosition.parse(null), never)) done.push('part');
  return done;
}

const grown: News = { mustLook: false, hasGrown: true };
const quiet: News = { mustLook: false, hasGrown: false };
const look: News = { mustLook: true, hasGrown: false };

test('what ends without a word is never opened', async () => {
  told = [quiet, look, { ...look, hasEnded: true, silently: true }];
  expect(await follow(true)).toEqual(['look', 'look']);
});

test('what is quiet for long is not held open, and opened again when it grows', async () => {
  told = [grown, grown, quiet, quiet, grown, { ...look, hasEnded: true }];
  const read = ['read', 'part'];
  expect(await follow(true)).toEqual(
    ['open', read, read, read, 'close', 'open', read, 'look', read, 'close'].flat(),
  );
});

test('what was found running is looked at and read at once', async () => {
  told = [{ ...look, hasEnded: true }];
  expect(await follow(false)).toEqual(
    ['look', 'open', 'read', 'part', 'look', 'read', 'part', 'close'].flat(),
  );
});

test('what fails on the way leaves nothing open', async () => {
  told = [grown];
  await expect(follow(true)).rejects.toThrow('nothing more');
  expect(done.at(-1)).toBe('close');
});
