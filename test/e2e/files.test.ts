// Files as people move them: dropped from the desktop, dragged between panes and onto a terminal,
// renamed, edited, downloaded, in a real browser on a real core.
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import type { Locator, Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { hasChromium, openApp, type OpenApp } from './support/app.ts';
import { slowly } from './support/browser.ts';

/** The files page, its left pane and its right pane in folders of their own. */
async function openFiles(stack: AsyncDisposableStack) {
  const app = stack.use(await openApp('#/'));
  const { path: home } = await app.core.api.files.home({ place: { kind: 'here' } });
  for (const folder of ['left', 'right']) mkdirSync(join(home, folder));
  const desktop = mkdtempSync(join(tmpdir(), 'kohakuriver-desktop-'));
  stack.defer(() => rmSync(desktop, { recursive: true, force: true }));
  await app.go('#/files');
  const left = app.page.getByRole('region', { name: 'Left pane' });
  const right = app.page.getByRole('region', { name: 'Right pane' });
  for (const [pane, folder] of [
    [left, 'left'],
    [right, 'right'],
  ] as const) {
    await row(pane, 'left').waitFor();
    await row(pane, folder).dblclick();
    await pane.getByText('This folder is empty').waitFor();
  }
  const panel = app.page.getByRole('list', { name: 'Transfers' });
  return { app, page: app.page, home, desktop, left, right, panel };
}

function row(pane: Locator, name: string | RegExp): Locator {
  return pane.getByRole('row').filter({ has: pane.page().getByText(name, { exact: true }) });
}

/** Drops files and folders of the disk on something, as the desktop does. */
async function dropFromDesktop(page: Page, target: Locator, paths: readonly string[]) {
  const box = await target.boundingBox();
  if (box === null) throw new Error('there is nothing to drop on');
  const devtools = await page.context().newCDPSession(page);
  const at = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  const data = { items: [], files: [...paths], dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    await devtools.send('Input.dispatchDragEvent', { type, ...at, data });
  }
  await devtools.detach();
}

/** What a browser's console tells of a page that waits for its core is not counted. */
function complaintsOf(app: OpenApp): readonly string[] {
  return app.complaints;
}

describe.skipIf(!hasChromium)('files', () => {
  test('dropped from the desktop, dragged between panes; what is in the way is asked about', async () => {
    await using stack = new AsyncDisposableStack();
    const { app, page, home, desktop, left, right, panel } = await openFiles(stack);
    writeFileSync(join(desktop, 'hello.txt'), 'hello river\n');
    mkdirSync(join(desktop, 'photos/2026/nothing in it'), { recursive: true });
    writeFileSync(join(desktop, 'photos/2026/a "b".txt'), 'picture');
    writeFileSync(join(desktop, 'photos/large.bin'), Buffer.alloc(3_000_001, 'kohaku'));

    await dropFromDesktop(page, left.getByRole('grid'), [
      join(desktop, 'hello.txt'),
      join(desktop, 'photos'),
    ]);
    await row(left, 'hello.txt').waitFor();
    await row(left, 'photos').waitFor();
    await panel.getByText('Done', { exact: true }).waitFor();
    execFileSync('diff', ['-r', desktop, join(home, 'left')]);

    await row(left, 'photos').dragTo(right.getByRole('grid'));
    await row(right, 'photos').waitFor();
    await expect.poll(() => panel.getByText('Done', { exact: true }).count(), slowly).toBe(2);
    await panel.getByText('compared by hash').waitFor();
    execFileSync('diff', ['-r', join(desktop, 'photos'), join(home, 'right/photos')]);

    // The same again, from the desktop and from the other pane.
    writeFileSync(join(desktop, 'hello.txt'), 'hello again\n');
    await dropFromDesktop(page, left.getByRole('grid'), [join(desktop, 'hello.txt')]);
    await panel
      .getByRole('group', { name: /file of this name/ })
      .getByRole('button', { name: 'Keep both' })
      .click();
    await row(left, 'hello (2).txt').waitFor();
    expect(readFileSync(join(home, 'left/hello.txt'), 'utf8')).toBe('hello river\n');
    expect(readFileSync(join(home, 'left/hello (2).txt'), 'utf8')).toBe('hello again\n');

    writeFileSync(join(home, 'left/photos/large.bin'), 'not large any more');
    await row(left, 'photos').click();
    await left.getByRole('button', { name: 'Copy to the other pane' }).click();
    await panel
      .getByRole('group', { name: /there already/ })
      .getByRole('button', { name: 'Replace', exact: true })
      .click();
    await expect
      .poll(() => readFileSync(join(home, 'right/photos/large.bin'), 'utf8').slice(0, 18), slowly)
      .toBe('not large any more');

    // Into a folder of the pane, not beside it.
    await row(right, 'photos').waitFor();
    await row(left, 'hello.txt').dragTo(row(right, 'photos'));
    await expect.poll(() => readdirSync(join(home, 'right/photos')), slowly).toContain('hello.txt');
    expect(readdirSync(join(home, 'right'))).toEqual(['photos']);

    // In step again, after a look at what that does.
    writeFileSync(join(home, 'left/photos/new.txt'), 'new');
    writeFileSync(join(home, 'left/photos/.gitignore'), '*.tmp');
    writeFileSync(join(home, 'left/photos/scratch.tmp'), 'not to be moved');
    await row(left, 'photos').click();
    await left.getByRole('button', { name: /^More/ }).click();
    await page.getByRole('menuitem', { name: 'Sync to the other pane…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Sync photos' });
    await dialog.getByText('2 new').waitFor();
    await dialog.getByRole('checkbox', { name: 'Remove what is not in the source' }).check();
    await dialog.getByText('1 removed').waitFor();
    const steps = dialog.getByRole('list', { name: 'What will be done' }).getByRole('listitem');
    expect(await steps.count()).toBe(3);
    await dialog.getByRole('button', { name: 'Sync', exact: true }).click();
    await expect
      .poll(() => readdirSync(join(home, 'right/photos')).sort(), slowly)
      .toEqual(['.gitignore', '2026', 'large.bin', 'new.txt'].sort());
    expect(complaintsOf(app)).toEqual([]);
  }, 120_000);

  test('made, renamed, edited, downloaded and deleted by keys; names are only names', async () => {
    await using stack = new AsyncDisposableStack();
    const { app, page, home, left } = await openFiles(stack);
    const { keyboard } = page;
    const at = (name: string) => join(home, 'left', name);
    const hostile = '<img src=x onerror=alert(1)>\n\u202egpj.sh';
    writeFileSync(at(hostile), 'only a name');
    writeFileSync(at('.hidden'), '');
    await left.getByRole('button', { name: 'Read again' }).click();
    const shown = '<img src=x onerror=alert(1)>\\n\\u{202e}gpj.sh';
    await row(left, shown).waitFor();
    expect(await page.locator('main img').count()).toBe(0);
    expect(await row(left, '.hidden').count()).toBe(0);
    await left.getByRole('button', { name: 'Hidden files' }).click();
    await row(left, '.hidden').waitFor();

    await left.getByRole('button', { name: 'New folder' }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill('a/b');
    await page.getByText('A name cannot hold “/”.').waitFor();
    await page.getByRole('textbox', { name: 'Name' }).fill('notes');
    await keyboard.press('Enter');
    await row(left, 'notes').waitFor();
    await row(left, 'notes').focus();
    await keyboard.press('F2');
    await page.getByRole('textbox', { name: 'Name' }).fill('remarks');
    await keyboard.press('Enter');
    await row(left, 'remarks').waitFor();
    await keyboard.press('Escape');

    writeFileSync(at('remarks/run.sh'), '#!/bin/sh\r\necho river\r\n', { mode: 0o755 });
    await row(left, 'remarks').dblclick();
    await row(left, 'run.sh').waitFor();
    await row(left, 'run.sh').focus();
    await keyboard.press('Enter');
    const editor = page.getByRole('textbox', { name: 'Content of run.sh' });
    await editor.getByText('echo river').waitFor();
    await editor.press('Control+End');
    await keyboard.type('exit 0');
    await page.getByText('Not saved').waitFor();
    writeFileSync(at('remarks/run.sh'), 'somebody else was here\n', { mode: 0o755 });
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('This file was changed on the machine').waitFor();
    await page.getByRole('button', { name: 'Save mine over it' }).click();
    await expect
      .poll(() => readFileSync(at('remarks/run.sh'), 'utf8'), slowly)
      .toBe('#!/bin/sh\r\necho river\r\nexit 0');
    await page
      .getByRole('dialog', { name: 'run.sh' })
      .getByRole('button', { name: 'Close' })
      .click();

    await row(left, 'run.sh').click();
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      left.getByRole('button', { name: 'Download' }).click(),
    ]);
    expect(file.suggestedFilename()).toBe('run.sh');
    expect(readFileSync(await file.path(), 'utf8')).toContain('exit 0');
    await left.getByRole('button', { name: 'Up', exact: true }).click();
    await row(left, 'remarks').click();
    const [archive] = await Promise.all([
      page.waitForEvent('download'),
      left.getByRole('button', { name: 'Download' }).click(),
    ]);
    expect(archive.suggestedFilename()).toBe('remarks.tar');
    const listed = execFileSync('tar', ['-tvf', await archive.path()], { encoding: 'utf8' });
    expect(listed).toMatch(/drwx.*remarks\/\n-rwxr-xr-x.*remarks\/run\.sh/);

    await row(left, 'remarks').focus();
    await keyboard.press('Delete');
    await page.getByRole('dialog').getByText('remarks will be deleted').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await expect.poll(() => row(left, 'remarks').count(), slowly).toBe(0);
    expect(readdirSync(join(home, 'left')).sort()).toEqual(['.hidden', hostile].sort());
    expect(complaintsOf(app)).toEqual([]);
  }, 120_000);

  test('dropped onto a terminal: the path is inserted; what is not there yet is copied first', async () => {
    await using stack = new AsyncDisposableStack();
    const { app, page, home, desktop, left } = await openFiles(stack);
    writeFileSync(join(home, 'left/it is here.txt'), 'river');
    await left.getByRole('button', { name: 'Read again' }).click();
    await left.getByRole('button', { name: /^More/ }).click();
    await page.getByRole('menuitem', { name: 'Terminal here' }).click();
    const terminal = page.locator('.xterm-screen');
    await terminal.waitFor();
    await expect
      .poll(async () => (await app.core.api.terminals.list())[0]?.state, slowly)
      .toBe('open');
    await page.getByRole('textbox', { name: /^Terminal/ }).focus();
    await page.keyboard.type('cat ');
    await row(left, 'it is here.txt').dragTo(terminal);
    await page.keyboard.type('> copied-by-shell; pwd > where-it-is\n');
    const inPane = (name: string) => join(home, 'left', name);
    await expect.poll(() => readdirSync(inPane('')).includes('where-it-is'), slowly).toBe(true);
    expect(readFileSync(inPane('copied-by-shell'), 'utf8')).toBe('river');

    writeFileSync(join(desktop, 'script one.sh'), 'echo from the desktop > ran\n');
    await page.keyboard.type('sh ');
    await dropFromDesktop(page, terminal, [join(desktop, 'script one.sh')]);
    await page.getByRole('textbox', { name: 'Into the folder' }).fill(join(home, 'right'));
    await page.getByRole('button', { name: 'Copy and insert the path' }).click();
    await expect.poll(() => readdirSync(join(home, 'right')), slowly).toEqual(['script one.sh']);
    await page.getByRole('tab', { name: /^Terminals/ }).click();
    await page.getByRole('textbox', { name: /^Terminal/ }).focus();
    await page.keyboard.press('Enter');
    await expect.poll(() => readdirSync(inPane('')), slowly).toContain('ran');
    expect(complaintsOf(app)).toEqual([]);
  }, 120_000);

  test('worked in as a workspace: edited, found, looked at; what changes there is seen, and never lost', async () => {
    await using stack = new AsyncDisposableStack();
    const { app, page, home, left } = await openFiles(stack);
    const { keyboard } = page;
    const at = (name: string) => join(home, 'left', name);
    const pixel =
      'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
    mkdirSync(at('src'));
    writeFileSync(at('src/run.sh'), '#!/bin/sh\r\necho river\r\n', { mode: 0o750 });
    writeFileSync(at('table.csv'), 'name,flow\n"Rhine, lower",2300\nElbe,870\n');
    writeFileSync(at('dot.png'), Buffer.from(pixel, 'base64'));
    writeFileSync(at('raw.bin'), Buffer.from([0, 1, 2, 0x72, 0x69, 0x76]));
    writeFileSync(
      at('large.log'),
      Array.from({ length: 90_000 }, (_, n) => `line ${n} of a long log`).join('\n'),
    );
    writeFileSync(at('<b>river'), 'the river\n');

    await left.getByRole('button', { name: /^More/ }).click();
    await page.getByRole('menuitem', { name: 'Open workspace' }).click();
    const tree = page.getByRole('tree', { name: 'Files of the workspace' });
    const item = (name: string) => tree.getByRole('treeitem', { name: new RegExp(`^${name}`) });
    const tab = (name: string) => page.getByRole('tab', { name: new RegExp(`^${name}`) });
    await item('src').focus();
    await keyboard.press('ArrowRight');
    await item('run.sh').waitFor();
    await keyboard.press('ArrowRight');
    await keyboard.press('Enter');
    const editor = page.getByRole('textbox', { name: 'Content of run.sh' });
    await editor.getByText('echo river').waitFor();
    await editor.press('Control+End');
    await keyboard.type('exit 0');
    await page.getByText('Not saved', { exact: true }).waitFor();
    await keyboard.press('Control+s');
    await page.getByText('Saved', { exact: true }).waitFor();
    expect(readFileSync(at('src/run.sh'), 'utf8')).toBe('#!/bin/sh\r\necho river\r\nexit 0');
    expect(statSync(at('src/run.sh')).mode & 0o777).toBe(0o750);

    // Changed there: followed while nothing is unsaved here, asked about when something is.
    await page.getByText(/^Changes are seen/).waitFor();
    writeFileSync(at('src/run.sh'), 'echo from there\n');
    await editor.getByText('echo from there').waitFor();
    await editor.press('Control+End');
    await keyboard.type('echo mine');
    writeFileSync(at('src/run.sh'), 'echo theirs\n');
    await page.getByText('This file was changed on the machine').waitFor();
    await keyboard.press('Control+s');
    await page.getByRole('button', { name: 'Compare' }).click();
    const compared = page.getByRole('dialog', { name: 'run.sh: theirs and mine' });
    await compared.getByText('echo theirs').waitFor();
    await compared.getByText('echo mine').waitFor();
    expect(readFileSync(at('src/run.sh'), 'utf8')).toBe('echo theirs\n');
    await compared.getByRole('button', { name: 'Save mine over it' }).click();
    await expect
      .poll(() => readFileSync(at('src/run.sh'), 'utf8'), slowly)
      .toBe('echo from there\necho mine');

    // Found on the machine, in files of any name, and opened at the line.
    await keyboard.press('Control+Shift+F');
    await page.getByRole('textbox', { name: 'Text to find' }).fill('RIVER');
    await keyboard.press('Enter');
    await page.getByText('1 line in 1 file').waitFor();
    const found = page.getByRole('tree', { name: 'Found lines' });
    await found.getByText('the river', { exact: false }).click();
    await page.getByRole('textbox', { name: 'Content of <b>river' }).waitFor();
    await page.getByRole('radio', { name: 'Files', exact: true }).check({ force: true });

    // Looked at as what they are.
    await item('table.csv').click();
    await page.getByRole('cell', { name: 'Rhine, lower' }).waitFor();
    await item('dot.png').click();
    await page.getByText('1 × 1').waitFor();
    await item('raw.bin').click();
    await page
      .getByRole('region', { name: 'raw.bin' })
      .getByText(/00 01 02 72/)
      .waitFor();
    await item('large.log').click();
    await page.getByText('line 0 of a long log').waitFor();
    await page.getByRole('button', { name: 'Last part' }).click();
    await page
      .getByText('line 89999 of a long log')
      .or(page.getByText(/^Bytes [1-9]/))
      .first()
      .waitFor();

    // What appears there appears here, and what was open is open again after a reload.
    writeFileSync(at('appeared.txt'), '');
    await item('appeared.txt').waitFor();
    await tab('table.csv').click();
    await page.reload();
    await page.getByRole('cell', { name: 'Elbe' }).waitFor();
    expect(await page.getByRole('tablist', { name: 'Open files' }).getByRole('tab').count()).toBe(
      6,
    );
    await tab('run.sh').click();
    await page.getByRole('textbox', { name: 'Content of run.sh' }).press('Control+End');
    await keyboard.type('\nlost?');
    await tab('run.sh').click({ button: 'middle' });
    await page.getByRole('button', { name: 'Save and close' }).click();
    await expect.poll(() => readFileSync(at('src/run.sh'), 'utf8'), slowly).toContain('lost?');
    await expect.poll(() => tab('run.sh').count(), slowly).toBe(0);

    await page.getByRole('button', { name: 'Terminal here' }).click();
    await page.locator('.xterm-screen').waitFor();
    await page.getByRole('textbox', { name: /^Terminal/ }).focus();
    await keyboard.type('touch made-by-shell\n');
    await item('made-by-shell').waitFor();
    expect(complaintsOf(app)).toEqual([]);
  }, 180_000);
});
