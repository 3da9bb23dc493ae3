import { describe, expect, test } from 'vitest';
import { feedFrom } from '../../../src-main/api/feed.ts';
import { Emitter } from '../../../src-main/domain/emitter.ts';

interface Reading {
  gauge: string;
  value: number;
}

function readings(options: { maxQueued?: number; signal?: AbortSignal } = {}) {
  const changed = new Emitter<Reading>();
  let state = 0;
  const feed = feedFrom<number, Reading>({
    snapshot: () => state,
    onDidChange: changed.event,
    coalesce: ({ gauge }) => (gauge === 'event' ? undefined : gauge),
    ...options,
  });
  return { changed, feed, set: (value: number) => (state = value) };
}

describe('a feed', () => {
  test('begins with a snapshot and numbers its changes', async () => {
    const { changed, feed, set } = readings();
    set(5);
    expect(await feed.next()).toEqual({ done: false, value: { kind: 'snapshot', value: 5 } });
    changed.emit({ gauge: 'event', value: 1 });
    changed.emit({ gauge: 'event', value: 2 });
    expect((await feed.next()).value).toMatchObject({
      kind: 'change',
      seq: 1,
      value: { value: 1 },
    });
    expect((await feed.next()).value).toMatchObject({
      kind: 'change',
      seq: 2,
      value: { value: 2 },
    });
  });

  test('keeps only the newest of a gauge that waits, and every event', async () => {
    const { changed, feed } = readings();
    await feed.next();
    for (let value = 1; value <= 1000; value += 1) changed.emit({ gauge: 'cpu', value });
    changed.emit({ gauge: 'event', value: 1 });
    changed.emit({ gauge: 'cpu', value: 1001 });
    changed.emit({ gauge: 'event', value: 2 });
    expect((await feed.next()).value).toMatchObject({
      seq: 1,
      value: { gauge: 'cpu', value: 1001 },
    });
    expect((await feed.next()).value).toMatchObject({
      seq: 2,
      value: { gauge: 'event', value: 1 },
    });
    expect((await feed.next()).value).toMatchObject({
      seq: 3,
      value: { gauge: 'event', value: 2 },
    });
    changed.emit({ gauge: 'cpu', value: 1002 });
    expect((await feed.next()).value).toMatchObject({ seq: 4, value: { value: 1002 } });
  });

  test('sends a new snapshot instead of more waiting changes than allowed, and counts from 1 again', async () => {
    const { changed, feed, set } = readings({ maxQueued: 3 });
    await feed.next();
    for (let value = 1; value <= 10; value += 1) changed.emit({ gauge: 'event', value });
    set(10);
    expect((await feed.next()).value).toEqual({ kind: 'snapshot', value: 10 });
    changed.emit({ gauge: 'event', value: 11 });
    expect((await feed.next()).value).toMatchObject({
      kind: 'change',
      seq: 1,
      value: { value: 11 },
    });
  });

  test('loses nothing that changes while a slow snapshot is made', async () => {
    const changed = new Emitter<number>();
    let finish: (value: string) => void = () => undefined;
    const feed = feedFrom<string, number>({
      snapshot: () => new Promise((resolve) => (finish = resolve)),
      onDidChange: changed.event,
    });
    const first = feed.next();
    changed.emit(1);
    finish('all');
    expect((await first).value).toEqual({ kind: 'snapshot', value: 'all' });
    expect((await feed.next()).value).toEqual({ kind: 'change', seq: 1, value: 1 });
  });

  test('stops listening at once when it is left, also while it waits', async () => {
    const { changed, feed } = readings();
    await feed.next();
    const waiting = feed.next();
    await feed.return?.();
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(changed.listenerCount).toBe(0);
  });

  test('ends with its signal, before and while it is read', async () => {
    const abort = new AbortController();
    const { changed, feed } = readings({ signal: abort.signal });
    await feed.next();
    const waiting = feed.next();
    abort.abort();
    expect((await waiting).done).toBe(true);
    expect(changed.listenerCount).toBe(0);
    const never = readings({ signal: AbortSignal.abort() });
    expect((await never.feed.next()).done).toBe(true);
    expect(never.changed.listenerCount).toBe(0);
  });

  test('stops listening when its snapshot fails', async () => {
    const changed = new Emitter<number>();
    const feed = feedFrom<number, number>({
      snapshot: () => Promise.reject(new Error('the store is gone')),
      onDidChange: changed.event,
    });
    await expect(feed.next()).rejects.toThrow('the store is gone');
    expect(changed.listenerCount).toBe(0);
  });
});
