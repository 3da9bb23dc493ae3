// Every component in its states, as the gallery shows them, against pictures that somebody has looked
// at: test/ui/browser/pictures. After a change that is meant: `npm run gallery:accept`, look, commit.
import { mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import pixelmatch from 'pixelmatch';
import { PNG } from 'pngjs';
import { describe, expect, test } from 'vitest';
import { root } from '../../support/built.ts';
import type { Pages } from './pages.ts';

const folder = join(import.meta.dirname, 'pictures');
const isAccepting = process.env['ACCEPT_PICTURES'] === 'true';
const themes = ['light', 'dark'] as const;
const at = new Date('2026-06-01T10:00:00Z');

/** What opens over the page, and how. */
const opening: readonly [name: string, open: (page: Page) => Promise<void>, what: string][] = [
  ['dialog', (page) => press(page, 'Open a dialog'), '[role="dialog"]'],
  ['question', (page) => press(page, 'Ask'), '[role="dialog"], [role="alertdialog"]'],
  ['moment', (page) => press(page, 'Choose a moment'), '[role="dialog"]'],
  ['menu', (page) => press(page, 'More'), '[role="menu"]'],
  ['columns', (page) => press(page, 'Columns'), '[role="menu"]'],
  [
    'context-menu',
    (page) => page.getByText('Right-click here').click({ button: 'right' }),
    '[role="menu"]',
  ],
  ['choice', (page) => page.getByLabel(/^Choice/).click(), '[role="listbox"]'],
  ['hover', (page) => page.locator('.field .cell').first().hover(), '.card[aria-hidden]'],
];

function press(page: Page, name: string): Promise<void> {
  return page.getByRole('button', { name, exact: true }).click();
}

export function describeComponents(pages: () => Pages): void {
  describe('components', () => {
    test('are all in the gallery', async () => {
      const gallery = join(root, 'src-renderer/gallery');
      const sources = await Promise.all(
        (await readdir(gallery)).map((name) => readFile(join(gallery, name), 'utf8')),
      );
      const missing = (await readdir(join(root, 'src-renderer/components'))).filter(
        // The card is of the field.
        (name) => name !== 'GpuHover.svelte' && !sources.some((each) => each.includes(`/${name}'`)),
      );
      expect(missing).toEqual([]);
    });

    test.each(themes)(
      'look as they did, %s',
      async (theme) => {
        const { page } = await openGallery(pages(), theme);
        const album = await Album.open(pages(), theme);
        for (const panel of await page.locator('main > section > section').all()) {
          const name = (await panel.getAttribute('aria-label')) ?? '';
          await album.compare(name.toLowerCase().replaceAll(' ', '-'), panel);
        }
        for (const [name, open, what] of opening) {
          await open(page);
          await page.clock.runFor(1000);
          await album.compare(name, page.locator(what).first());
          await page.keyboard.press('Escape');
          await page.mouse.move(0, 0);
          await page.clock.runFor(1000);
        }
        await page.context().close();
        expect(await album.close()).toEqual([]);
      },
      120_000,
    );
  });
}

/** At one moment for ever, so that every time and every curve is the same. */
async function openGallery(pages: Pages, theme: string): Promise<{ page: Page }> {
  const context = await pages.browser.newContext({
    viewport: { width: 720, height: 1000 },
    reducedMotion: 'reduce',
    timezoneId: 'UTC',
    locale: 'en-GB',
  });
  const page = await context.newPage();
  await page.clock.install({ time: at });
  await page.clock.pauseAt(new Date(at.getTime() + 1000));
  await page.goto(`${pages.gallery.components}?theme=${theme}`);
  // What is fetched when it is first wanted comes in its own time; all else in the page's, of which the
  // same passes each time.
  await page.locator('.xterm-screen').nth(1).waitFor({ state: 'attached' });
  await page.locator('.cm-content').waitFor({ state: 'attached' });
  for (let step = 0; step < 30; step += 1) {
    await page.clock.runFor(100);
    await page.waitForTimeout(20);
  }
  await page.evaluate(() => document.fonts.ready);
  return { page };
}

/** The pictures of one theme, and where new ones go. */
class Album {
  readonly #theme: string;
  readonly #allowed: number;
  readonly #seen = new Set<string>();
  readonly #problems: string[] = [];
  #newOnes: string | undefined;

  private constructor(theme: string, allowed: number) {
    this.#theme = theme;
    this.#allowed = allowed;
  }

  static async open(pages: Pages, theme: string): Promise<Album> {
    await mkdir(folder, { recursive: true });
    const versionFile = join(folder, 'chromium.txt');
    const version = pages.browser.version().split('.')[0] ?? '';
    if (isAccepting) await writeFile(versionFile, `${version}\n`);
    const madeBy = (await readFile(versionFile, 'utf8')).trim();
    // Another Chromium draws the edges of letters a little differently.
    return new Album(theme, madeBy === version ? 0.003 : 0.03);
  }

  async compare(name: string, what: Locator): Promise<void> {
    const file = `${name}-${this.#theme}.png`;
    this.#seen.add(file);
    // How a moment is written is up to the browser's own language.
    const mask = [what.locator('input[type="datetime-local"]')];
    const taken = await what.screenshot({ animations: 'disabled', mask });
    if (isAccepting) {
      await writeFile(join(folder, file), taken);
      return;
    }
    const kept = await readFile(join(folder, file)).catch(() => undefined);
    const problem = kept === undefined ? 'has no picture' : difference(kept, taken, this.#allowed);
    if (problem === undefined) return;
    this.#newOnes ??= await mkdtemp(join(tmpdir(), 'kohakuriver-pictures-'));
    await writeFile(join(this.#newOnes, file), taken);
    this.#problems.push(`${file} ${problem}: see ${this.#newOnes}`);
  }

  /** What is not as it was, a line each. */
  async close(): Promise<readonly string[]> {
    const kept = (await readdir(folder)).filter((name) => name.endsWith(`-${this.#theme}.png`));
    const left = kept.filter((name) => !this.#seen.has(name));
    return [...this.#problems, ...left.map((name) => `${name} is of nothing that is there`)];
  }
}

function difference(kept: Buffer, taken: Buffer, allowed: number): string | undefined {
  const [before, after] = [PNG.sync.read(kept), PNG.sync.read(taken)];
  const { width, height } = before;
  if (width !== after.width || height !== after.height)
    return `was ${width}×${height}, is ${after.width}×${after.height}`;
  const share = pixelmatch(before.data, after.data, undefined, width, height) / (width * height);
  return share > allowed ? `differs in ${(share * 100).toFixed(1)} % of its pixels` : undefined;
}
