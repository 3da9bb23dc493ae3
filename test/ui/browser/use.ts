// What a person does on pages in a real browser, and a list of 100,000 tasks that scrolls.
import type { Locator } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import type { Pages } from './pages.ts';

export function describeUse(pages: () => Pages): void {
  describe('pages in use', () => {
    test('dialogs, menus and the palette are accessible', async () => {
      const { page } = await pages().open('rich', 'dark', '#/nodes');
      await page.getByRole('button', { name: 'Add a node' }).click();
      await page.getByLabel('Host', { exact: true }).fill('river@new.lab');
      expect(await pages().violations(page)).toEqual([]);
      await page.getByRole('button', { name: 'Connect', exact: true }).click();
      await page.getByRole('button', { name: /They are the same/ }).click();
      await page.getByRole('button', { name: 'Add this node' }).waitFor();
      expect(await pages().violations(page)).toEqual([]);
      await page.keyboard.press('Escape');
      await page.keyboard.press('Control+k');
      await page.getByPlaceholder(/Go to a page/).fill('alpha');
      await page.getByRole('option', { name: /alpha/ }).first().waitFor();
      expect(await pages().violations(page)).toEqual([]);
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
      expect(
        (await pages().violations(page)).filter((line) => !line.startsWith('region:')),
      ).toEqual([]);
      await page.context().close();
    }, 60_000);

    test('what opens over the page leaves mouse and focus as they were when it closes', async () => {
      const { page } = await pages().open('rich', 'light', '#/tasks');
      const { keyboard } = page;
      const views = page.getByRole('button', { name: 'Views' });
      const hasFocus = (what: Locator) => what.evaluate((each) => each === document.activeElement);
      // Longer than any animation or delay of what closes: what is wrong then stays wrong.
      const isFree = async () => {
        await page.waitForTimeout(400);
        return page.evaluate(() => getComputedStyle(document.body).pointerEvents);
      };
      for (const key of ['Escape', 'Escape', 'Tab']) {
        await views.click();
        await page.getByRole('menuitem', { name: 'Save as…' }).waitFor();
        await keyboard.press(key);
        await page.getByRole('menu').waitFor({ state: 'detached' });
        expect(await isFree()).toBe('auto');
      }

      await views.click();
      await page.getByRole('menuitem', { name: 'Save as…' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('textbox', { name: 'Name' }).fill('mine');
      await keyboard.press('Escape');
      await dialog.waitFor({ state: 'detached' });
      expect(await isFree()).toBe('auto');
      expect(await hasFocus(views)).toBe(true);

      const node = page.getByLabel(/^Node:/);
      await node.click();
      await page.getByRole('option', { name: 'alpha' }).waitFor();
      await keyboard.press('Escape');
      expect(await isFree()).toBe('auto');
      expect(await hasFocus(node)).toBe(true);

      const search = page.getByRole('searchbox', { name: /^Filter/ });
      await search.focus();
      await keyboard.press('Control+k');
      await page.getByPlaceholder(/Go to a page/).waitFor();
      await keyboard.press('Escape');
      await page.getByPlaceholder(/Go to a page/).waitFor({ state: 'detached' });
      expect(await isFree()).toBe('auto');
      expect(await hasFocus(search)).toBe(true);
      await page.context().close();
    }, 60_000);

    test('a folder that is kept in one pane is opened in the other', async () => {
      const { page } = await pages().open('rich', 'light', '#/files');
      await page.setViewportSize({ width: 1024, height: 700 });
      const left = page.getByRole('region', { name: 'Left pane' });
      const right = page.getByRole('region', { name: 'Right pane' });
      await left.getByText('data', { exact: true }).dblclick();
      await left.getByText('tokens.bin').waitFor();
      await left.getByRole('button', { name: 'Bookmarks, Left pane' }).click();
      await page.getByRole('menuitem', { name: 'Save as…' }).click();
      const dialog = page.getByRole('dialog', { name: 'Save in bookmarks' });
      const name = dialog.getByRole('textbox', { name: 'Name' });
      expect(await name.inputValue()).toBe('data on desk');
      expect(await pages().violations(page)).toEqual([]);
      await dialog.getByRole('button', { name: 'Save' }).click();
      await dialog.waitFor({ state: 'detached' });
      await right.getByRole('button', { name: 'Bookmarks, Right pane' }).click();
      await page.getByRole('menuitem', { name: 'data on desk' }).click();
      await right.getByText('tokens.bin').waitFor();
      await page.context().close();
    }, 60_000);

    test('100,000 tasks scroll in a screen of rows that serve again and again', async () => {
      const { page } = await pages().open('many', 'dark', '#/tasks');
      await page.locator('[data-row="3"] .name').click({ modifiers: ['Control'] });
      await page.locator('[data-row="3"]').focus();
      const made = await page.evaluate(async () => {
        const list = document.querySelector('.viewport');
        if (list === null) throw new Error('There is no list.');
        const rows = new Set<Node>();
        const observer = new MutationObserver((records) => {
          for (const { addedNodes } of records)
            for (const node of addedNodes)
              if (node instanceof Element && node.matches('[data-row]')) rows.add(node);
        });
        observer.observe(list, { childList: true, subtree: true });
        for (let i = 0; i < 90; i += 1) {
          list.scrollTop += i < 60 ? 700 : 40_000;
          await new Promise((resolve) => requestAnimationFrame(resolve));
        }
        observer.disconnect();
        return rows.size;
      });
      // A person who scrolls by 60 screens and 30 leaps sees thousands of tasks.
      expect(made).toBeLessThan(160);
      expect(await page.locator('[data-row]').count()).toBeLessThan(80);
      // The rows of where it came to rest arrive; what was true of the task before is not said of them.
      await expect.poll(() => page.locator('[data-row][aria-busy="true"]').count()).toBe(0);
      expect(await page.locator('[data-row][aria-selected="true"]').count()).toBe(0);
      expect(await page.evaluate(() => document.activeElement?.hasAttribute('data-row'))).toBe(
        false,
      );
      await page.context().close();
    }, 60_000);

    test('a task can be submitted with the keyboard alone', async () => {
      const { page } = await pages().open('rich', 'light', '#/tasks');
      await page.keyboard.press('c');
      await page.getByRole('textbox', { name: 'Command' }).focus();
      await page.keyboard.type('python train.py');
      await page.getByText('Would start now on').waitFor();
      await page.keyboard.press('Control+Enter');
      await page.getByRole('heading', { name: 'python train.py' }).waitFor();
      await page.context().close();
    }, 60_000);

    test('rows are reached, selected and opened by keys', async () => {
      const { page } = await pages().open('rich', 'light', '#/tasks');
      await page.locator('[data-row="2"][aria-busy="false"]').waitFor();
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

    test('keys that come faster than frames reach the rows they are meant for', async () => {
      const { page } = await pages().open('rich', 'light', '#/tasks');
      await page.locator('[data-row="4"][aria-busy="false"]').waitFor();
      const input = await page.context().newCDPSession(page);
      await input.send('Emulation.setCPUThrottlingRate', { rate: 10 });
      await page.locator('[data-row="0"]').focus();
      const down = { key: 'ArrowDown', code: 'ArrowDown', windowsVirtualKeyCode: 40 };
      const space = { key: ' ', code: 'Space', windowsVirtualKeyCode: 32, text: ' ' };
      const keys = [down, space, down, down, space, down, space];
      // None of them waits for what the one before it does.
      await Promise.all(
        keys.flatMap((key) => [
          input.send('Input.dispatchKeyEvent', { type: 'keyDown', ...key }),
          input.send('Input.dispatchKeyEvent', { type: 'keyUp', ...key }),
        ]),
      );
      await page.getByText('3 selected').waitFor();
      const selected = page.locator('[data-row][aria-selected="true"]');
      const places = await selected.evaluateAll((rows) =>
        rows.map((row) => row.getAttribute('data-row')).sort(),
      );
      expect(places).toEqual(['1', '3', '4']);
      await page.context().close();
    }, 60_000);

    test('a waiting task is moved by keys, and dropped on a GPU it then asks for', async () => {
      const { page } = await pages().open('rich', 'light', '#/queue');
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
      const { page } = await pages().open('rich', 'dark', '#/tasks/llama-finetune-r3');
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
}
