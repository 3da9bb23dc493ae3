// Every page in each of its states: accessible in both themes, whole in a small window and at 200 %,
// still where nothing shall move, and not to be broken by what nodes say of themselves.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { nodeIdOf } from '../../../src-renderer/lib/fake/fake-nodes.ts';
import { moving, openWhole, type OpenWindow, type Pages } from './pages.ts';
import { places } from './places.ts';

export function describeLooks(pages: () => Pages): void {
  let opened: { variant: string; window: Promise<OpenWindow> } | undefined;

  /**
   * One window for each sample core: to start the app anew for every place would take most of the time.
   * Of one at a time: each goes on drawing what its core tells.
   */
  async function windowOf(variant: string): Promise<OpenWindow> {
    if (opened?.variant !== variant) {
      await close();
      opened = { variant, window: openWhole(pages(), variant) };
    }
    return opened.window;
  }
  async function close(): Promise<void> {
    const window = opened?.window;
    opened = undefined;
    await (await window?.catch(() => undefined))?.page.context().close();
  }
  beforeEach(async ({ task }) => {
    // What went wrong while it opened would be wrong again.
    if ((task.result?.retryCount ?? 0) > 0) await close();
  });
  afterAll(close);

  describe('every page', () => {
    test.each(placesByCore)(
      '%s is accessible, whole where it is narrow, and still',
      async (_name, variant, hash) => {
        const { page, complaints } = await windowOf(variant);
        await pages().goTo(page, hash);
        expect(complaints).toEqual([]);
        expect(await pages().violationsOfPage(page, variant === 'big')).toEqual([]);
        expect(await pages().cutWhereNarrow(page)).toEqual([]);
        expect(await moving(page)).toEqual([]);
        expect(complaints).toEqual([]);
      },
    );

    test('has a shell around it that can be read in both themes', async () => {
      const { page } = await windowOf('rich');
      expect(await pages().shellContrast(page)).toEqual([]);
    });
  });

  describe('while values change', () => {
    let live: OpenWindow;
    beforeAll(async () => {
      live = await pages().newWindow();
      await live.page.clock.install();
      await live.page.addInitScript(watchShifts);
      await live.page.goto(pages().gallery.address('rich', 'light', '#/'));
      await live.page.locator('main h1').waitFor();
    });
    /** Goes there, and gives what is to be read there once it has settled. */
    async function goTo(hash: string): Promise<string> {
      const { page } = live;
      await page.evaluate((to) => (window.location.hash = to), hash);
      await passSeconds(live, 3);
      return page.locator('main').innerText();
    }

    test.each(['#/', '#/nodes', '#/gpus', '#/nodes/alpha', '#/vps/anna-dev', '#/diagnostics'])(
      'nothing on «%s» moves',
      async (hash) => {
        const before = await goTo(hash);
        await takeShifts(live);
        await passSeconds(live, 5);
        expect(await takeShifts(live)).toEqual([]);
        // What was looked at did change.
        expect(await live.page.locator('main').innerText()).not.toBe(before);
      },
    );

    test('a clock that jumps stops nothing, and no time is before it began', async () => {
      const { page } = live;
      await goTo('#/nodes');
      for (const hours of [-30, 60]) {
        const now = await page.evaluate(() => Date.now());
        await page.clock.setSystemTime(now + hours * 3_600_000);
        const before = await goTo('#/tasks');
        expect(before).not.toMatch(/NaN|undefined|(^|\s)-\d/m);
        const nodes = await goTo('#/nodes');
        await passSeconds(live, 5);
        expect(await page.locator('main').innerText()).not.toBe(nodes);
      }
      expect(live.complaints).toEqual([]);
    });
  });

  describe('evil in every text that others control', () => {
    test.each(evilPlaces)('is only text on «%s»', async (hash) => {
      const { page, complaints } = await windowOf('hostile');
      await pages().goTo(page, hash);
      await expect.poll(() => page.locator('body').textContent()).toContain('data-hostile');
      expect(await page.locator('[data-hostile], [onerror]').count()).toBe(0);
      // The page is there, not the word about one that broke.
      expect(await page.locator('.fault').count()).toBe(0);
      expect(complaints).toEqual([]);
    });

    test('is only text where one task is shown', async () => {
      const { page, complaints } = await windowOf('hostile');
      await pages().goTo(page, '#/tasks');
      await page.locator('[data-row="0"] .name').click();
      await page.getByRole('heading', { level: 1, name: /data-hostile/ }).waitFor();
      expect(await page.locator('[data-hostile], [onerror], .fault').count()).toBe(0);
      expect(complaints).toEqual([]);
    });
  });
}

const placesByCore = places.toSorted(([, one], [, other]) => one.localeCompare(other));
const node = `#/nodes/${nodeIdOf(0)}`;
const evilPlaces = [
  ...['#/', '#/gpus', '#/gpus?view=map', '#/nodes', '#/nodes?view=table'],
  ...[node, `${node}/gpus`, `${node}/tasks`, `${node}/facts`, `${node}/findings`],
  ...['#/tasks', '#/queue', '#/files', '#/diagnostics'],
];

/** Lets the page's own clock run, with real frames in between. */
async function passSeconds({ page }: OpenWindow, seconds: number): Promise<void> {
  for (let passed = 0; passed < seconds; passed += 1) {
    await page.clock.runFor(1000);
    await page.waitForTimeout(60);
  }
}

interface Shift extends PerformanceEntry {
  readonly value: number;
  readonly sources: readonly { readonly node: Node | null }[];
}
declare const window: Window & { shifts: string[] };

/** In the page: keeps what moved by itself, by how much, a line each. */
function watchShifts(): void {
  window.shifts = [];
  const observer = new PerformanceObserver((list) => {
    for (const { value, sources } of list.getEntries() as Shift[]) {
      // A figure that stands at its right edge begins elsewhere when it has a digit more.
      if (value < 0.0005) continue;
      for (const { node: moved } of sources) {
        const what = moved instanceof Element ? moved.outerHTML : String(moved?.textContent);
        window.shifts.push(`${value.toFixed(4)} ${what.slice(0, 160)}`);
      }
    }
  });
  observer.observe({ type: 'layout-shift' });
}

function takeShifts({ page }: OpenWindow): Promise<string[]> {
  return page.evaluate(() => window.shifts.splice(0));
}
