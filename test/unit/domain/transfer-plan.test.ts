import { describe, expect, test } from 'vitest';
import { transferStatus } from '../../../src-main/contract/transfers.ts';
import { bytesOfText } from '../../../src-main/domain/files/path-text.ts';
import { hasEnded, nextStatus } from '../../../src-main/domain/transfers/machine.ts';
import { decide, freeName, type Item } from '../../../src-main/domain/transfers/plan.ts';

const file: Item = { path: 'a', kind: 'file', size: 5, mode: 0o644, modifiedAt: 100 };
const there = { kind: 'file', size: 9, modifiedAt: 100 } as const;
const kindOf = (policy: 'ask' | 'skip' | 'overwrite' | 'newer' | 'rename', item = file) =>
  decide(item, there, { policy, isAgain: false }).kind;

describe('what happens to a file', () => {
  test('by policy, when something is there', () => {
    expect(decide(file, undefined, { policy: 'ask', isAgain: false })).toEqual({ kind: 'move' });
    expect(
      ['ask', 'skip', 'overwrite', 'newer', 'rename'].map((each) => kindOf(each as 'ask')),
    ).toEqual(['ask', 'skip', 'move', 'skip', 'rename']);
    expect(kindOf('newer', { ...file, modifiedAt: 101 })).toBe('move');
  });

  test('a link or file in the place of a folder leads nowhere', () => {
    const folder: Item = { ...file, kind: 'directory' };
    for (const kind of ['link', 'file', 'other'] as const) {
      const found = decide(folder, { ...there, kind }, { policy: 'overwrite', isAgain: false });
      expect(found.kind).toBe('fail');
    }
    const inPlaceOfFile = { ...there, kind: 'directory' } as const;
    expect(decide(file, inPlaceOfFile, { policy: 'overwrite', isAgain: false }).kind).toBe('fail');
  });

  test('what an earlier run has put there is done, whatever the policy', () => {
    const same = { kind: 'file', size: 5, modifiedAt: 100 } as const;
    expect(decide(file, same, { policy: 'ask', isAgain: true }).kind).toBe('done');
    expect(decide(file, same, { policy: 'ask', isAgain: false }).kind).toBe('ask');
  });

  test('a free name keeps its ending and its length', () => {
    const taken = new Set(['a.txt', 'a (2).txt', '.bashrc']);
    expect(freeName('a.txt', (name) => taken.has(name))).toBe('a (3).txt');
    expect(freeName('.bashrc', (name) => taken.has(name))).toBe('.bashrc (2)');
    const long = freeName(`${'鯉'.repeat(83)}.bin`, () => false);
    expect(bytesOfText(long).length).toBeLessThanOrEqual(255);
    expect(long.endsWith(' (2).bin')).toBe(true);
  });
});

test('the whole table of statuses: what ended stays, unless it is run again', () => {
  const events = [
    'started',
    'asked',
    'place-lost',
    'finished',
    'failed',
    'interrupted',
    'place-back',
    'answer',
    'pause',
    'resume',
    'cancel',
    'retry',
  ] as const;
  const legal = transferStatus.options.flatMap((from) =>
    events.flatMap((event) => {
      const to = nextStatus(from, event);
      return to === undefined ? [] : [`${from} ${event} ${to}`];
    }),
  );
  expect(legal.filter((each) => each.startsWith('DONE'))).toEqual([]);
  for (const from of transferStatus.options.filter(hasEnded)) {
    for (const event of events.filter((each) => each !== 'retry' && each !== 'cancel')) {
      expect(nextStatus(from, event)).toBeUndefined();
    }
  }
  expect(legal).toHaveLength(22);
});
