// Real programs in a terminal of the page, in a real browser: on this computer, with nothing between
// but the core.
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TerminalViewer } from '../support/terminal-viewer.ts';
import { hasChromium, openApp, type OpenApp } from './support/app.ts';
import { slowly } from './support/browser.ts';

const MiB = 2 ** 20;
const mark = 'BEGINS-HERE';
const has = (program: string) => existsSync(`/usr/bin/${program}`);

describe.skipIf(!hasChromium)('a terminal in the page', () => {
  let app: OpenApp;

  beforeAll(async () => {
    // Without WebGL the letters are elements, which can be read.
    app = await openApp('#/', ['--disable-3d-apis']);
    await openTerminal();
    await run('PS1="> "; cd "$HOME"; clear');
  });
  afterAll(async () => {
    expect(app?.complaints ?? []).toEqual([]);
    await app?.[Symbol.asyncDispose]();
  });

  async function openTerminal(): Promise<void> {
    const { page } = app;
    await page.keyboard.press('Control+k');
    await page.getByPlaceholder(/Go to a page/).fill('terminal on this computer');
    await page.getByRole('option', { name: /Terminal on this computer/ }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('textbox', { name: /^Terminal: / }).focus();
  }
  const run = (line: string) => type(`${line}\n`);
  const type = (text: string) => app.page.keyboard.type(text);
  /** What is to be seen, a line each; wide letters without the cells they cover. */
  const screen = async () =>
    (await app.page.locator('.xterm-rows > div').allInnerTexts())
      .map((line) => line.replaceAll('\u00a0', ' ').trimEnd())
      .join('\n');
  const sees = (pattern: RegExp) => expect.poll(screen, slowly).toMatch(pattern);
  /** Looks for the line that only the oldest part of the scrollback has. */
  async function findsTheFirst(): Promise<void> {
    await app.page.getByRole('textbox', { name: /^Terminal: / }).focus();
    await app.page.keyboard.press('Control+Shift+F');
    await app.page.getByRole('searchbox').fill('the-first');
    await sees(/^the-first\n1\n2\n3$/m);
  }
  const terminal = async () => (await app.core.api.terminals.list())[0]!;

  test('emoji and wide letters stand in the right cells', async () => {
    await run(`printf '漢字🚀|\\n123456|\\ne\\314\\201|\\n'`);
    await sees(/漢字\s*🚀\s*\|\n123456\|\ne\u0301\|/);
    const edges = await app.page.evaluate(() =>
      [...document.querySelectorAll('.xterm-rows > div')].flatMap((row) => {
        const bar = [...row.querySelectorAll('span')].findLast((span) =>
          (span.textContent ?? '').trimEnd().endsWith('|'),
        );
        const isOurs = /^(漢字|123456)/.test(row.textContent ?? '');
        return bar === undefined || !isOurs ? [] : [bar.getBoundingClientRect().right];
      }),
    );
    expect(edges).toHaveLength(2);
    expect(Math.abs(edges[0]! - edges[1]!)).toBeLessThan(3);
    await run('clear');
  });

  test.skipIf(!has('vim'))(
    'vim: the page is reloaded in the middle of it, and it goes on',
    async () => {
      const file = join(app.dataDir, 'poem.txt');
      await run(`vim -u NONE --noplugin '${file}'`);
      await sees(/poem\.txt"? \[New/);
      await type('ifirst 漢字 🚀');
      await sees(/first 漢字 ?🚀/);
      await app.page.reload();
      await app.page.getByText('Connected', { exact: true }).waitFor();
      await app.page.keyboard.press('Control+j');
      await sees(/first 漢字 ?🚀/);
      await app.page.getByRole('textbox', { name: /^Terminal: / }).focus();
      await type('\nsecond');
      await app.page.keyboard.press('Escape');
      await run(':wq');
      await expect
        .poll(() => readFile(file, 'utf8').catch(() => ''), slowly)
        .toBe('first 漢字 🚀\nsecond\n');
      await run('clear; echo ba""ck');
      await sees(/^back/m);
    },
  );

  test.skipIf(!has('htop'))('htop draws, and leaves the screen as it was', async () => {
    await run('htop');
    await sees(/Load average/);
    await sees(/F10\s*Quit/);
    await app.page.keyboard.press('q');
    await sees(/^back/m);
  });

  test.skipIf(!has('tmux'))('tmux splits the screen and takes keys', async () => {
    const socket = `kohakuriver-e2e-${String(process.pid)}`;
    await run(`tmux -L ${socket} -f /dev/null new-session -s inner 'PS1="in> " exec sh'`);
    await sees(/\[inner\]/);
    await app.page.keyboard.press('Control+b');
    await type('%');
    await sees(/│/);
    await run('tm""ux kill-server');
    await sees(/\[(server )?exited\]|^back/m);
    await run('clear');
  });

  test('a storm of sizes ends with the program and the page of one mind', async () => {
    for (let at = 0; at < 15; at += 1) {
      await app.page.setViewportSize({ width: 1000 + ((at * 137) % 440), height: 700 + at * 10 });
    }
    await app.page.setViewportSize({ width: 1300, height: 880 });
    // The letters fill the pane up to less than a cell, and the ruler beside them.
    const fills = () =>
      app.page.evaluate(() => {
        const width = (selector: string) =>
          document.querySelector(selector)?.getBoundingClientRect().width ?? 0;
        return width('.xterm') - width('.xterm-screen') < 30 && width('.xterm-screen') > 0;
      });
    await expect.poll(fills, slowly).toBe(true);
    const isOfOneMind = async () => {
      await run('clear; stty size');
      const { rows, columns } = (await terminal()).size;
      const shown = await app.page.locator('.xterm-rows > div').count();
      return shown === rows && (await screen()).includes(`${String(rows)} ${String(columns)}`);
    };
    await expect.poll(isOfOneMind, slowly).toBe(true);
  });

  test('a large file goes by whole, byte for byte, in bounded memory; the end of it can be scrolled', async () => {
    const file = join(app.dataDir, 'large.txt');
    const line = (at: number) => `${String(at).padStart(9, '0')} ${'x'.repeat(69)}\n`;
    await writeFile(file, Array.from({ length: 100_000 }, (_, at) => line(at)).join(''));
    const { size: bytes } = await stat(file);
    expect(bytes).toBeGreaterThan(7 * MiB);
    const before = (await app.core.api.core.status()).rssBytes;
    const hash = createHash('sha256');
    let text: Buffer | undefined = Buffer.alloc(0);
    let count = 0;
    // Another viewer counts what the page draws; each takes it at its own pace.
    await using viewer = new TerminalViewer(app.core.client, (await terminal()).id, {
      draws: false,
      onData: (chunk) => {
        if (text === undefined) {
          count += chunk.length;
          hash.update(chunk);
          return;
        }
        text = Buffer.concat([text, chunk]);
        const begin = text.indexOf(mark);
        if (begin < 0) return;
        const first = text.subarray(begin + mark.length);
        text = undefined;
        count = first.length;
        hash.update(first);
      },
    });
    await expect.poll(() => viewer.snapshots, slowly).toBe(1);
    await run('stty -onlcr -echo; PS1=; clear');
    await expect.poll(async () => (await screen()).trim(), slowly).toBe('');
    await run(`printf '${mark.slice(0, 4)}%s' ${mark.slice(4)}; cat '${file}'; exec sleep 1000`);
    await expect.poll(() => count >= bytes, { timeout: 100_000 }).toBe(true);
    expect(count).toBe(bytes);
    await sees(/000099999 x/);
    const after = (await app.core.api.core.status()).rssBytes;
    expect(after - before).toBeLessThan(150 * MiB);
    const heap = await app.page.evaluate(
      () =>
        (performance as unknown as { memory: { usedJSHeapSize: number } }).memory.usedJSHeapSize,
    );
    expect(heap).toBeLessThan(150 * MiB);
    const whole = createHash('sha256');
    for await (const chunk of createReadStream(file)) whole.update(chunk as Buffer);
    expect(hash.digest('hex')).toBe(whole.digest('hex'));
  }, 180_000);

  test('100,000 lines can be scrolled back, also by a window that comes later', async () => {
    const { api } = app.core;
    await api.terminals.close({ terminal: (await terminal()).id });
    await api.config.set({ key: 'terminals.scrollbackLines', value: 100_000 });
    const before = (await api.core.status()).rssBytes;
    await openTerminal();
    await run(`PS1="> "; clear; echo the-''first; seq 1 99970; echo the-''last`);
    await sees(/^the-last\n>$/m);
    await findsTheFirst();
    await app.page.reload();
    await app.page.getByText('Connected', { exact: true }).waitFor();
    await app.page.keyboard.press('Control+j');
    await sees(/^the-last\n>$/m);
    await findsTheFirst();
    expect((await api.core.status()).rssBytes - before).toBeLessThan(400 * MiB);
  });
});
