// @vitest-environment node
// Every page in a real browser: no violation axe knows, nothing the content policy stops, and a
// list of 100,000 tasks that scrolls.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  hasChromium,
  launchChromium,
  serveGallery,
  type ServedGallery,
} from './support/gallery.ts';

const places: readonly [name: string, variant: string, hash: string][] = [
  ['overview', 'rich', '#/'],
  ['overview of 800 GPUs', 'big', '#/'],
  ['first start', 'first', '#/'],
  ['GPUs', 'rich', '#/gpus'],
  ['heat map of 800 GPUs', 'big', '#/gpus?view=map'],
  ['one GPU', 'rich', '#/gpus/GPU-beta-0000-4000-8000-0000'],
  ['nodes', 'rich', '#/nodes'],
  ['no nodes', 'empty', '#/nodes'],
  ['node in use', 'rich', '#/nodes/alpha'],
  ['GPUs of a node', 'rich', '#/nodes/beta/gpus'],
  ['findings of a node', 'rich', '#/nodes/desk/findings'],
  ['processes of a node', 'rich', '#/nodes/alpha/processes'],
  ['node that is offline', 'rich', '#/nodes/old-faithful/facts'],
  ['tasks', 'rich', '#/tasks'],
  ['no tasks', 'first', '#/tasks'],
  ['task that runs', 'rich', '#/tasks/llama-finetune-r3'],
  ['task that waits', 'rich', '#/tasks/whisper-batch'],
  ['task that failed', 'rich', '#/tasks/benchmark-007'],
  ['submit form', 'rich', '#/tasks/new'],
  ['topology of a node', 'rich', '#/nodes/alpha/facts'],
  ['queue', 'rich', '#/queue'],
  ['empty queue', 'first', '#/queue'],
  ['batches', 'rich', '#/batches?show=all'],
  ['VPSes', 'rich', '#/vps'],
  ['no VPSes', 'empty', '#/vps'],
  ['VPS that runs', 'rich', '#/vps/anna-dev'],
  ['VPS that crashes', 'rich', '#/vps/ben-eval'],
  ['diagnostics', 'rich', '#/diagnostics'],
  ['settings', 'rich', '#/settings'],
  ['unknown page', 'rich', '#/nowhere'],
];

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

describe.skipIf(!hasChromium)('pages in a browser', () => {
  let gallery: ServedGallery;
  let browser: Browser;
  let axe: string;

  beforeAll(async () => {
    axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    [gallery, browser] = await Promise.all([serveGallery(), launchChromium()]);
  }, 180_000);
  afterAll(async () => {
    await browser.close();
    await gallery.close();
  });

  async function open(
    variant: string,
    theme: 'light' | 'dark',
    hash: string,
  ): Promise<{ page: Page; complaints: string[] }> {
    const context = await browser.newContext({
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
    await page.goto(gallery.address(variant, theme, hash));
    await page.locator('main').waitFor();
    await page.waitForTimeout(500);
    return { page, complaints };
  }

  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

  /** What axe finds, a line each: by all rules of AA, or by some. */
  async function violations(page: Page, rules?: readonly string[]): Promise<string[]> {
    await page.evaluate(axe);
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
      { runOnly },
    );
  }

  test.each(places)(
    '%s is accessible in both themes, and nothing of it is forbidden',
    async (_name, variant, hash) => {
      const { page, complaints } = await open(variant, 'light', hash);
      expect(await violations(page)).toEqual([]);
      await page.getByRole('button', { name: /^Theme: Light/ }).click();
      expect(await violations(page, ['color-contrast'])).toEqual([]);
      expect(complaints).toEqual([]);
      await page.context().close();
    },
    60_000,
  );

  test('dialogs, menus and the palette are accessible', async () => {
    const { page } = await open('rich', 'dark', '#/nodes');
    await page.getByRole('button', { name: 'Add a node' }).click();
    await page.getByLabel('Host', { exact: true }).fill('river@new.lab');
    expect(await violations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Connect', exact: true }).click();
    await page.getByRole('button', { name: /They are the same/ }).click();
    await page.getByRole('button', { name: 'Add this node' }).waitFor();
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+k');
    await page.getByPlaceholder(/Go to a page/).fill('alpha');
    await page.getByRole('option', { name: /alpha/ }).first().waitFor();
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'alpha' }).waitFor();
    const more = page.getByRole('button', { name: 'More for this node' });
    await more.focus();
    await page.keyboard.press('Control+k');
    await page.getByPlaceholder(/Go to a page/).waitFor();
    await page.keyboard.press('Escape');
    await page.getByPlaceholder(/Go to a page/).waitFor({ state: 'detached' });
    expect(await more.evaluate((element) => element === document.activeElement)).toBe(true);
    await page.getByRole('button', { name: 'More for this node' }).click();
    await page.getByRole('menuitem', { name: 'Rename…' }).waitFor();
    // A menu floats outside of every landmark, as it should.
    expect((await violations(page)).filter((line) => !line.startsWith('region:'))).toEqual([]);
    await page.context().close();
  }, 60_000);

  test('100,000 tasks scroll without long frames, and only what is visible is in the page', async () => {
    const { page } = await open('many', 'dark', '#/tasks');
    await page.locator('[data-row="3"]').waitFor();
    const frames = await page.evaluate(async () => {
      const list = document.querySelector('.viewport');
      if (list === null) throw new Error('no list');
      const gaps: number[] = [];
      let last = performance.now();
      for (let i = 0; i < 90; i += 1) {
        list.scrollTop += i < 60 ? 700 : 40_000;
        await new Promise((resolve) => requestAnimationFrame(resolve));
        gaps.push(performance.now() - last);
        last = performance.now();
      }
      gaps.sort((a, b) => a - b);
      return {
        median: gaps[45] ?? 0,
        p90: gaps[81] ?? 0,
        worst: gaps.at(-1) ?? 0,
        rows: document.querySelectorAll('[data-row]').length,
      };
    });
    // The rows of where it came to rest arrive.
    await expect.poll(() => page.locator('[data-row][aria-busy="true"]').count()).toBe(0);
    expect(frames.rows).toBeLessThan(80);
    expect(frames.median).toBeLessThan(34);
    process.stdout.write(`scroll 100,000 rows: ${JSON.stringify(frames)}\n`);
    await page.context().close();
  }, 60_000);

  test('a task can be submitted with the keyboard alone', async () => {
    const { page } = await open('rich', 'light', '#/tasks');
    await page.keyboard.press('c');
    await page.getByRole('textbox', { name: 'Command' }).focus();
    await page.keyboard.type('python train.py');
    await page.getByText('Would start now on').waitFor();
    await page.keyboard.press('Control+Enter');
    await page.getByRole('heading', { name: 'python train.py' }).waitFor();
    await page.context().close();
  }, 60_000);

  test('rows are reached, selected and opened by keys', async () => {
    const { page } = await open('rich', 'light', '#/tasks');
    await page.locator('[data-row="0"]').focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press(' ');
    await page.keyboard.press('Shift+ArrowDown');
    await page.getByText('2 selected').waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('Enter');
    await page.waitForURL(/#\/tasks\/\d+/);
    await page.context().close();
  }, 60_000);

  test('a waiting task is moved by keys, and dropped on a GPU it then asks for', async () => {
    const { page } = await open('rich', 'light', '#/queue');
    const rows = page.getByRole('grid', { name: 'Waiting' }).locator('[data-row]');
    await rows.filter({ hasText: 'whisper-batch' }).click();
    await page.getByRole('heading', { name: 'whisper-batch' }).waitFor();
    await page.keyboard.press('Alt+ArrowUp');
    await page.getByText('whisper-batch has priority 6 now').waitFor();
    expect(await rows.first().textContent()).toContain('whisper-batch');
    await page.getByRole('link', { name: 'Overview' }).click();
    const line = page.getByRole('link', { name: /whisper-batch/ });
    await line.dragTo(page.getByRole('button', { name: /^beta GPU 3:/ }));
    await page.getByText('whisper-batch asks for beta::1,3 now').waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByRole('link', { name: /whisper-batch/ }).click();
    await page.getByText('beta::0,1').first().waitFor();
    await page.context().close();
  }, 60_000);

  test('the log shows colours and both streams, and finds text', async () => {
    const { page } = await open('rich', 'dark', '#/tasks/llama-finetune-r3');
    await page
      .getByText(/checkpoint saved to/)
      .first()
      .waitFor();
    await page.getByRole('radio', { name: 'stderr' }).check({ force: true });
    await page
      .getByText(/UserWarning: worker/)
      .first()
      .waitFor();
    await page.getByRole('searchbox', { name: 'Search the output' }).fill('worker 3');
    await page
      .locator('.xterm-decoration, .xterm-find-result-decoration')
      .first()
      .waitFor({ state: 'attached' });
    await page.context().close();
  }, 60_000);
});
