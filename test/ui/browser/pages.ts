// Pages of the gallery in a real browser, what axe says of them, and what else can be told of a look.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Browser, Page } from 'playwright-core';
import { whatIsCut } from '../../e2e/support/look.ts';
import { launchChromium, serveGallery, type ServedGallery } from './gallery.ts';

interface AxeWindow {
  axe: {
    run(
      context: unknown,
      options: unknown,
    ): Promise<{
      violations: { id: string; nodes: { html: string; failureSummary: string }[] }[];
    }>;
  };
}

type Theme = 'light' | 'dark' | 'system';

export interface OpenWindow {
  readonly page: Page;
  /** What its console warns of, so far. */
  readonly complaints: string[];
}

const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
/** By far the slowest of axe's rules, and the only one a theme can break. */
const contrast = 'color-contrast';
const usual = { width: 1280, height: 800 };
/** The smallest window the app promises, and 1440 × 900 at 200 %. */
const narrow = [
  { width: 1024, height: 700 },
  { width: 720, height: 450 },
] as const;

/** A served gallery and a browser to look at it. */
export class Pages implements AsyncDisposable {
  readonly gallery: ServedGallery;
  readonly browser: Browser;
  readonly #axe: string;

  private constructor(gallery: ServedGallery, browser: Browser, axe: string) {
    this.gallery = gallery;
    this.browser = browser;
    this.#axe = axe;
  }

  static async start(): Promise<Pages> {
    const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
    const [gallery, browser] = await Promise.all([serveGallery(), launchChromium()]);
    return new Pages(gallery, browser, await readFile(axe, 'utf8'));
  }

  /** Opens a page in a window of its own. */
  async open(variant: string, theme: Theme, hash: string): Promise<OpenWindow> {
    const window = await this.newWindow();
    await window.page.goto(this.gallery.address(variant, theme, hash));
    await settled(window.page);
    return window;
  }

  /** An empty one. */
  async newWindow(): Promise<OpenWindow> {
    const context = await this.browser.newContext({ viewport: usual, reducedMotion: 'reduce' });
    // A machine that is busy is slow.
    context.setDefaultTimeout(90_000);
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning')
        complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    return { page, complaints };
  }

  /** Goes to another place of the app in the window that is open. */
  async goTo(page: Page, hash: string): Promise<void> {
    await page.evaluate((to) => {
      window.location.hash = to;
    }, hash);
    await settled(page);
  }

  /** What axe finds in all that is open, a line each. */
  violations(page: Page): Promise<string[]> {
    return this.#axeRun(page, 'html', { runOnly: { type: 'tag', values: tags } });
  }

  /**
   * What axe finds where the page's own content is: by every rule, and of contrast in both themes. What
   * is around it is the same on every page: one look at that is enough. So is one look at the colours of
   * what stands there by the hundred.
   */
  async violationsOfPage(page: Page, isCrowd = false): Promise<string[]> {
    const found = await this.#axeRun(page, 'html', {
      runOnly: { type: 'tag', values: tags },
      rules: { [contrast]: { enabled: false } },
    });
    return isCrowd ? found : [...found, ...(await this.#contrastOf(page, 'main'))];
  }

  /** Of the shell around the pages. */
  shellContrast(page: Page): Promise<string[]> {
    return this.#contrastOf(page, 'html');
  }

  async #contrastOf(page: Page, where: string): Promise<string[]> {
    const found: string[] = [];
    for (const theme of ['dark', 'light'] as const) {
      // As the system has it: the whole app follows, its canvases too.
      await page.emulateMedia({ colorScheme: theme });
      await drawn(page);
      const lines = await this.#axeRun(page, where, { runOnly: [contrast] });
      found.push(...lines.map((line) => `${theme} ${line}`));
    }
    return found;
  }

  async #axeRun(page: Page, where: string, options: object): Promise<string[]> {
    if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(this.#axe);
    return page.evaluate(
      async ([include, given]) => {
        const { axe } = window as unknown as AxeWindow;
        // Hundreds of cells cannot be 24 px each; every GPU can also be reached on its node's page, which
        // is the exception WCAG 2.5.8 makes.
        const exclude = ['.field.tiny .cell', '.field.small .cell'];
        const { violations } = await axe.run({ include, exclude }, given);
        return violations.flatMap(({ id, nodes }) =>
          nodes
            .slice(0, 3)
            .map(
              ({ html, failureSummary }) =>
                `${id}: ${html.slice(0, 160)} ${failureSummary.slice(0, 200)}`,
            ),
        );
      },
      [where, { ...options, resultTypes: ['violations'], preload: false }] as const,
    );
  }

  /** What does not fit in the smallest window, and at 200 %; a line each. */
  async cutWhereNarrow(page: Page): Promise<string[]> {
    const found: string[] = [];
    for (const size of narrow) {
      await page.setViewportSize(size);
      await drawn(page);
      found.push(...(await whatIsCut(page)).map((line) => `${String(size.width)}: ${line}`));
    }
    await page.setViewportSize(usual);
    await drawn(page);
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.browser.close();
    await this.gallery.close();
  }
}

/** Two frames: what was changed is laid out. */
async function drawn(page: Page): Promise<void> {
  await page.evaluate(
    () =>
      new Promise((resolve) =>
        requestAnimationFrame(() => requestAnimationFrame(() => resolve(0))),
      ),
  );
}

/** The page of the address is there, with what its fake core answers at once. */
async function settled(page: Page): Promise<void> {
  await page.locator('main').locator('h1, h2').first().waitFor();
  await page.waitForTimeout(250);
}

/** A window of the app that has the code of all its pages: going somewhere takes no time. */
export async function openWhole(pages: Pages, variant: string): Promise<OpenWindow> {
  const window = await pages.open(variant, 'system', '#/');
  await window.page.waitForFunction(() =>
    performance.getEntriesByType('resource').some(({ name }) => name.includes('SettingsPage')),
  );
  return window;
}

/** What moves although the person asked for less of it. */
export function moving(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    document
      .getAnimations()
      .filter(
        ({ playState, effect }) =>
          playState === 'running' && Number(effect?.getComputedTiming().duration) > 1,
      )
      .map((each) => ('animationName' in each ? String(each.animationName) : each.id)),
  );
}
