// Pages of the gallery in a real browser, and what axe says of them.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Browser, Page } from 'playwright-core';
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

const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** A served gallery and a browser to look at it. */
export class Pages implements AsyncDisposable {
  readonly #gallery: ServedGallery;
  readonly #browser: Browser;
  readonly #axe: string;

  private constructor(gallery: ServedGallery, browser: Browser, axe: string) {
    this.#gallery = gallery;
    this.#browser = browser;
    this.#axe = axe;
  }

  static async start(): Promise<Pages> {
    const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
    const [gallery, browser] = await Promise.all([serveGallery(), launchChromium()]);
    return new Pages(gallery, browser, await readFile(axe, 'utf8'));
  }

  /** Opens a page in a window of its own; `complaints` grows by what its console warns of. */
  async open(
    variant: string,
    theme: 'light' | 'dark',
    hash: string,
  ): Promise<{ page: Page; complaints: string[] }> {
    const context = await this.#browser.newContext({
      viewport: { width: 1280, height: 800 },
      reducedMotion: 'reduce',
    });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning')
        complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(this.#gallery.address(variant, theme, hash));
    await page.locator('main').waitFor();
    await page.waitForTimeout(500);
    return { page, complaints };
  }

  /** Goes to another place of the app in the window that is open. */
  async goTo(page: Page, hash: string): Promise<void> {
    await page.evaluate((to) => {
      window.location.hash = to;
    }, hash);
    await page.waitForTimeout(500);
  }

  /** What axe finds, a line each: by all rules of AA, or by some. */
  async violations(page: Page, rules?: readonly string[]): Promise<string[]> {
    if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(this.#axe);
    const runOnly =
      rules === undefined ? { type: 'tag', values: tags } : { type: 'rule', values: rules };
    return page.evaluate(
      async (options) => {
        const { axe } = window as unknown as AxeWindow;
        // Hundreds of cells cannot be 24 px each; every GPU can also be reached on its node's page, which
        // is the exception WCAG 2.5.8 makes.
        const context = { exclude: ['.field.tiny .cell', '.field.small .cell'] };
        const { violations } = await axe.run(context, options);
        return violations.flatMap(({ id, nodes }) =>
          nodes
            .slice(0, 3)
            .map(
              ({ html, failureSummary }) =>
                `${id}: ${html.slice(0, 160)} ${failureSummary.slice(0, 200)}`,
            ),
        );
      },
      { runOnly, resultTypes: ['violations'], preload: false },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
    await this.#gallery.close();
  }
}
