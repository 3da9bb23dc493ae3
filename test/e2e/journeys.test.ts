// What people do every day, in a real browser on a real core, on this computer alone.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { root } from '../support/built.ts';
import { hasChromium, openApp, type OpenApp } from './support/app.ts';
import { slowly } from './support/browser.ts';

/** Runs a command line as copied, in a shell that finds `kohakuriver`. */
async function runCopied(app: OpenApp, line: string): Promise<string> {
  const child = spawn('sh', ['-c', line], {
    env: {
      ...process.env,
      PATH: `${join(root, 'bin')}:${process.env['PATH'] ?? ''}`,
      KOHAKURIVER_DATA_DIR: app.dataDir,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const printed = await text(child.stdout);
  expect(await exited).toEqual([0, null]);
  return printed;
}

describe.skipIf(!hasChromium)('on this computer', () => {
  let app: OpenApp;
  let page: Page;
  let earlier: number;

  const open = async () => {
    app = await openApp();
    ({ page } = app);
  };
  beforeAll(open);
  afterAll(() => app?.[Symbol.asyncDispose]());
  beforeEach(async ({ task }) => {
    // What a failed try has left would be in the way of the next.
    if ((task.result?.retryCount ?? 0) > 0) {
      await app[Symbol.asyncDispose]();
      await open();
    }
    earlier = app.complaints.length;
  });

  /** What the page has complained about in this test. */
  const complaints = (): readonly string[] => app.complaints.slice(earlier);

  test('a task from the form: checked while typing, explained, submitted, ended, submitted again', async () => {
    await app.go('#/tasks/new');
    await page
      .getByRole('textbox', { name: 'Command' })
      .fill('sh -c "echo out; echo err >&2; exit 3"');
    await page.getByRole('radio', { name: 'Process' }).check();
    const memory = page.getByRole('textbox', { name: 'Memory', exact: true });
    await memory.fill('lots');
    await page.getByText('A size such as 512M, 8G or 1.5G.').waitFor();
    await memory.fill('64M');
    await page.getByText('= 67,108,864 bytes (64 MiB)').waitFor();
    await page.getByRole('textbox', { name: /^Name/ }).fill('from-the-form');
    await page.getByText('fits now').first().waitFor();
    const cores = page.getByRole('textbox', { name: 'Cores' });
    await cores.fill('4000');
    await page
      .getByText(/4000 cores wanted/)
      .first()
      .waitFor();
    await cores.fill('1');
    await page.getByText('fits now').first().waitFor();
    await page.getByRole('button', { name: 'Submit' }).click();
    await page.getByRole('heading', { name: 'from-the-form' }).waitFor();
    await page.getByText('exit code 3').first().waitFor();
    await page.getByText('Failed', { exact: true }).first().waitFor();
    await page.getByText('err', { exact: true }).first().waitFor();
    await page.getByRole('link', { name: 'Submit again' }).click();
    await expect
      .poll(() => page.getByRole('textbox', { name: 'Command' }).inputValue(), slowly)
      .toContain('exit 3');
    expect(complaints()).toEqual([]);
  });

  test('a sweep from the form, and a task that waits for the whole of it', async () => {
    await app.go('#/tasks/new');
    const { core } = app;
    await page.getByRole('textbox', { name: 'Command' }).fill('echo {WORD} {N}');
    await page.getByRole('radio', { name: 'Process' }).check();
    await page.getByRole('radio', { name: 'Sweep' }).check();
    await page.getByRole('textbox', { name: 'Parameter 1: name' }).fill('WORD');
    await page.getByRole('textbox', { name: 'Parameter 1: values' }).fill('left, right');
    await page.getByRole('button', { name: 'Add a parameter' }).click();
    await page.getByRole('textbox', { name: 'Parameter 2: name' }).fill('N');
    await page.getByRole('textbox', { name: 'Parameter 2: values' }).fill('1,2');
    await page.getByRole('textbox', { name: /^Name/ }).fill('words');
    const plan = page.getByRole('region', { name: 'What it submits' });
    await plan.getByText('echo right 2').waitFor();
    await page.getByRole('button', { name: 'Submit' }).click();
    await expect
      .poll(() => page.getByRole('gridcell', { name: 'Completed' }).count(), slowly)
      .toBe(4);
    const { rows } = await core.api.tasks.list({ filter: { text: 'words' } });
    expect(rows.map(({ work }) => work.kind === 'command' && work.argv.join(' ')).sort()).toEqual([
      'echo left 1',
      'echo left 2',
      'echo right 1',
      'echo right 2',
    ]);

    const first = await core.submit({
      name: 'first-of-two',
      hold: true,
      vessel: { kind: 'process' },
      work: { kind: 'command', argv: ['true'] },
    });
    await app.go('#/tasks/new');
    await page.getByRole('textbox', { name: 'Command' }).fill('echo second');
    await page.getByRole('radio', { name: 'Process' }).check();
    await page.getByRole('button', { name: 'Add a task to wait for' }).click();
    await page.getByRole('combobox', { name: 'After 1: task' }).fill('first-of-two');
    await page.getByText('Waits until first-of-two has completed.').waitFor();
    await page.getByRole('textbox', { name: /^Name/ }).fill('second-of-two');
    await page.getByRole('button', { name: 'Submit' }).click();
    await page.getByText(new RegExp(`It waits for task ${first} to end`)).waitFor();
    await app.go('#/tasks');
    await page.getByRole('gridcell', { name: /second-of-two It waits for task/ }).waitFor();
    await core.api.tasks.release({ tasks: [first] });
    await core.reaches((await core.api.tasks.get({ task: 'second-of-two' })).id);
    expect(complaints()).toEqual([]);
  });

  test('the command line beside the form does the same when it is copied and run', async () => {
    await app.go('#/tasks/new');
    const { core } = app;
    await page.getByRole('radio', { name: 'Script' }).check();
    const script = `for i in 1 2 3; do echo "it's $i of \\"three\\""; done\necho $FLAVOUR\nEND\n`;
    await page.getByRole('textbox', { name: 'Script' }).fill(script);
    await page.getByRole('radio', { name: 'Process' }).check();
    await page.getByRole('button', { name: 'Add a variable' }).click();
    await page.getByRole('textbox', { name: 'Variables 1: name' }).fill('FLAVOUR');
    await page
      .getByRole('textbox', { name: 'Variables 1: value' })
      .fill(`bitter $HOME 'n' "sweet"`);
    await page.getByRole('textbox', { name: /^Name/ }).fill('copied line');
    await page.getByRole('region', { name: 'Command line' }).getByText('copied line').waitFor();
    await page.getByRole('button', { name: 'Copy command line' }).click();
    const line = await page.evaluate(() => navigator.clipboard.readText());
    await runCopied(app, line);
    const [task] = (await core.api.tasks.list({ filter: { text: 'copied line' } })).rows;
    await core.reaches(task!.id);
    expect((await core.log(task!.id)).toString()).toBe(
      `it's 1 of "three"\nit's 2 of "three"\nit's 3 of "three"\nbitter $HOME 'n' "sweet"\n`,
    );
    expect(complaints()).toEqual([]);
  });

  test('what is held waits, and is killed in bulk', async () => {
    await app.go('#/tasks');
    const { core } = app;
    for (let i = 0; i < 3; i += 1) {
      await core.submit({
        name: `held-${i}`,
        hold: true,
        vessel: { kind: 'process' },
        work: { kind: 'command', argv: ['sleep', '60'] },
      });
    }
    await page.getByText('held-2').waitFor();
    await page.getByRole('searchbox', { name: /Filter/ }).fill('held-');
    await page.waitForURL(/text=held-/);
    await page.getByRole('checkbox', { name: 'Select those shown' }).check();
    await page
      .getByRole('toolbar', { name: '3 selected' })
      .getByRole('button', { name: 'Kill' })
      .click();
    await page.getByRole('dialog').getByRole('button', { name: 'Kill' }).click();
    await expect.poll(() => page.getByRole('gridcell', { name: 'Killed' }).count(), slowly).toBe(3);
    expect(complaints()).toEqual([]);
  });

  test('the node shows live measurements, and drains and takes tasks again', async () => {
    await app.go('#/nodes');
    await page.getByText('this computer').first().click();
    await page.getByRole('img', { name: /^CPU: used \d+ %/ }).waitFor();
    await page.getByRole('button', { name: 'Drain' }).click();
    await page.getByText('Drained', { exact: true }).first().waitFor();
    await page.getByRole('button', { name: 'Take tasks again' }).click();
    await page.getByText('Online', { exact: true }).first().waitFor();
    await page.getByRole('tab', { name: 'Processes' }).click();
    await page.getByRole('columnheader', { name: 'PID' }).waitFor();
    expect(complaints()).toEqual([]);
  });

  test('a setting is kept, and a wrong one is refused at its field', async () => {
    await app.go('#/settings');
    const { core } = app;
    const field = page.getByLabel('Grace before SIGKILL');
    await field.fill('99999');
    await field.press('Enter');
    await expect.poll(() => field.getAttribute('aria-invalid'), slowly).toBe('true');
    await field.fill('7');
    await field.press('Enter');
    await expect
      .poll(
        async () => (await core.api.config.get({ key: 'tasks.killGraceSeconds' })).value,
        slowly,
      )
      .toBe(7);
  });

  test('a page whose core starts again says so meanwhile, and goes on by itself', async () => {
    await app.go('#/tasks');
    const { core } = app;
    const script = 'for i in $(seq 1 600); do echo "line $i"; sleep 0.2; done';
    const id = await core.submit({
      name: 'goes on',
      vessel: { kind: 'process' },
      work: { kind: 'script', text: script },
    });
    await page.getByText('goes on').click();
    const output = page.getByRole('region', { name: 'Output of the task' });
    await expect.poll(() => lastLine(output), slowly).toBeGreaterThan(2);
    await app.killCore();
    await page.getByText('Reconnecting…').waitFor();
    await page.getByRole('alert').getByText('The core does not answer').waitFor();
    await page.getByRole('button', { name: 'Try now' }).waitFor();
    await page.getByRole('heading', { name: 'goes on' }).waitFor();
    await app.startCore();
    await page.getByText('Connected', { exact: true }).waitFor();
    await expect.poll(() => page.getByRole('alert').count(), slowly).toBe(0);
    const { stdoutBytes } = await app.core.api.tasks.get({ task: id });
    const known = (await app.core.log(id, 'stdout', false)).toString().trim().split('\n').length;
    await expect.poll(() => lastLine(output), slowly).toBeGreaterThan(known + 5);
    const bytesNow = async () => (await app.core.api.tasks.get({ task: id })).stdoutBytes;
    await expect.poll(bytesNow, slowly).toBeGreaterThan(stdoutBytes);
    await page.getByRole('button', { name: 'Kill' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Kill' }).click();
    await page.getByText('Killed', { exact: true }).first().waitFor();
    // Failed attempts to connect are logged by the browser itself.
    const away = /WebSocket connection|net::ERR_/;
    expect(complaints().filter((text) => !away.test(text))).toEqual([]);
  });

  test('an app that cannot be fetched whole says so in words, and is tried again where one was', async () => {
    await app.go('#/queue');
    await page.getByRole('heading', { level: 1, name: 'Queue' }).waitFor();
    const code = /\/assets\/start-[^/]*\.js$/;
    await page.route(code, (route) => route.abort());
    await page.reload();
    const words = page.getByRole('alert').getByText('KohakuRiver has not started.');
    await words.waitFor();
    await page.unroute(code);
    await page.getByRole('link', { name: 'Reload' }).click();
    await page.getByText('Connected', { exact: true }).waitFor();
    await page.getByRole('heading', { level: 1, name: 'Queue' }).waitFor();
    await expect.poll(() => words.count(), slowly).toBe(0);
  });

  test('a page of which nearly all is lost once, as when a network changes, is whole in a moment', async () => {
    const lost = new Set<string>();
    // What the first script cannot do without is not lost: nothing of ours would run.
    const needed = /\/(index|theme-choice|preload-helper|page-code)-[^/]*\.js$|\.woff2$/;
    await page.route('**/assets/**', async (route) => {
      const url = route.request().url();
      if (needed.test(url) || lost.has(url)) return route.continue();
      lost.add(url);
      return route.abort('internetdisconnected');
    });
    await page.reload();
    await page.getByText('Connected', { exact: true }).waitFor();
    await page.getByRole('heading', { level: 1, name: 'Queue' }).waitFor();
    expect([...lost].filter((url) => url.endsWith('.css')).length).toBeGreaterThan(1);
    const stylesheets = page.locator('link[rel="stylesheet"]');
    const missing = () =>
      stylesheets.evaluateAll(
        (links) => links.filter((link) => (link as HTMLLinkElement).sheet === null).length,
      );
    await expect.poll(missing, slowly).toBe(0);
    await page.unroute('**/assets/**');
  });

  test('by keys alone: the palette finds a task; a form is filled and sent', async () => {
    await app.go('#/');
    const { core } = app;
    await core.submit({
      name: 'needle-in-the-queue',
      hold: true,
      vessel: { kind: 'process' },
      work: { kind: 'command', argv: ['true'] },
    });
    const { keyboard } = page;
    await keyboard.press('Control+k');
    await keyboard.type('needle');
    await page.getByRole('option', { name: /needle-in-the-queue/ }).waitFor();
    await keyboard.press('Enter');
    await page.getByRole('heading', { name: 'needle-in-the-queue' }).waitFor();

    await keyboard.press('Control+k');
    await keyboard.type('new task');
    await page.getByRole('option', { name: 'New task' }).waitFor();
    await keyboard.press('Enter');
    const command = page.getByRole('textbox', { name: 'Command' });
    await command.waitFor();
    await tabTo(page, command);
    await keyboard.type('echo typed with keys');
    await tabTo(page, page.getByRole('textbox', { name: /^Name/ }));
    await keyboard.type('by-keys');
    await page.getByText('fits now').first().waitFor();
    await keyboard.press('Control+Enter');
    await page.getByRole('heading', { name: 'by-keys' }).waitFor();
    await page.getByText('Completed', { exact: true }).first().waitFor();
    expect(complaints()).toEqual([]);
  });

  test('a page whose session is gone says how to get a new one, instead of trying for ever', async () => {
    await app.go('#/');
    await page.context().clearCookies();
    await app.killCore();
    await page.getByText('Reconnecting…').waitFor();
    await app.startCore();
    await page.getByText(/it carries a token that signs this browser in/).waitFor();
  });
});

/**
 * The number of the last «line N» on the screen, which follows the log: on a busy machine any one line
 * may have gone past before anybody looks for it.
 */
async function lastLine(output: Locator): Promise<number> {
  const text = await output.innerText();
  const numbers = [...text.matchAll(/line (\d+)/g)].map((match) => Number(match[1]));
  return Math.max(0, ...numbers);
}

/** Presses Tab until the focus is there; a trap for the keyboard never gets there. */
async function tabTo(page: Page, wanted: Locator): Promise<void> {
  for (let presses = 0; presses < 120; presses += 1) {
    if (await wanted.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab does not get to ${wanted.toString()}`);
}
