import { expect, test } from 'vitest';
import type { TransferId, TransferRequest } from '../../../src-main/contract/transfers.ts';
import {
  TransferBook,
  type TransferRecords,
} from '../../../src-main/services/transfers/transfer-book.ts';
import type { Root } from '../../../src-main/services/files/places.ts';
import { FakeTime } from '../../support/fake-time.ts';

const id = 'transfer-1' as TransferId;
const request = {
  from: { place: { kind: 'here' }, paths: ['/a'] },
  to: { place: { kind: 'here' }, path: '/b', as: 'into' },
} as unknown as TransferRequest;
const end = { place: { kind: 'here' }, label: 'here' } as unknown as Root;
const records: TransferRecords = {
  all: () => [],
  put: () => undefined,
  delete: () => undefined,
  problems: () => [],
  setProblems: () => undefined,
};

function bookAt(time: FakeTime) {
  const book = new TransferBook({
    records,
    write: (change) => change(),
    clock: time,
    timers: time,
  });
  const told: string[] = [];
  book.onDidChange((change) => {
    if (!('upsert' in change)) return;
    const { status, progress } = change.upsert;
    told.push(`${status} ${progress.bytesDone}`);
  });
  return { book, told };
}

test('what becomes of a transfer is told at once, how far it is a few times a second', () => {
  const time = new FakeTime();
  const { book, told } = bookAt(time);
  book.add(id, { request, purpose: null }, { from: end, to: end });
  time.advance(0);
  book.apply(id, 'started');
  time.advance(0);
  expect(told).toEqual(['QUEUED 0', 'RUNNING 0']);
  for (let bytesDone = 1; bytesDone <= 100; bytesDone += 1) {
    book.progress(id, { bytesDone });
    time.advance(10);
  }
  expect(told.length).toBeGreaterThan(4);
  expect(told.length).toBeLessThan(9);
  told.length = 0;
  book.progress(id, { bytesDone: 200 });
  book.apply(id, 'finished');
  time.advance(1);
  expect(told).toEqual(['DONE 200']);
  time.advance(1000);
  expect(told).toEqual(['DONE 200']);
});
