import { flushSync } from 'svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import './support/jsdom.ts';
import { LongList } from '../../src-renderer/state/long-list.svelte.ts';

let element: HTMLDivElement;
beforeEach(() => {
  element = document.createElement('div');
  vi.spyOn(element, 'offsetHeight', 'get').mockReturnValue(100);
});
afterEach(() => vi.restoreAllMocks());

/** A list of `count` rows of 10 pixels in a viewport of 100. */
function attached(count: number): LongList {
  const list = new LongList({ rowHeight: 10, spare: 2, count: () => count });
  list.viewport(element);
  return list;
}
function scrollTo(top: number): void {
  element.scrollTop = top;
  element.dispatchEvent(new Event('scroll'));
  flushSync();
}

test('draws what is in sight and some more, at any place of the list', () => {
  const list = attached(100_000);
  expect(list.height).toBe(1_000_000);
  expect([list.first, list.last]).toEqual([0, 14]);
  scrollTo(500_000);
  expect([list.first, list.last]).toEqual([49_998, 50_012]);
  expect(list.shown).toHaveLength(15);
  expect(list.topOf(list.first)).toBe(499_980);
  scrollTo(999_900);
  expect([list.first, list.last]).toEqual([99_985, 99_999]);
});

test('a list that fits is drawn whole; an empty one and one without a place, not at all', () => {
  expect(attached(3).shown).toEqual([0, 1, 2]);
  expect(attached(0)).toMatchObject({ shown: [], last: -1, height: 0 });
  const unattached = new LongList({ rowHeight: 10, spare: 2, count: () => 5 });
  expect(unattached.shown).toEqual([]);
});

test('a row keeps its slot while it is drawn, and what comes takes the slot of what left', () => {
  const list = attached(1000);
  const before = list.slots;
  scrollTo(60);
  const after = list.slots;
  expect([...after].sort((a, b) => a - b)).toEqual(list.shown);
  const moved = before.filter((at, slot) => after[slot] !== at);
  expect(moved).toEqual([0, 1, 2, 3]);
});

test('scrolls only as far as is needed', () => {
  const list = attached(1000);
  list.scrollTo(5);
  expect(element.scrollTop).toBe(0);
  list.scrollTo(20);
  expect(element.scrollTop).toBe(110);
  list.scrollTo(15);
  expect(element.scrollTop).toBe(110);
  list.scrollTo(3);
  expect(element.scrollTop).toBe(30);
  expect(list.page).toBe(9);
});
