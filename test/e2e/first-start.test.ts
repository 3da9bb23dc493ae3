// The first minutes: the command of the README, its link, and a first task, on this computer alone.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, test } from 'vitest';
import { temporaryDataDir } from '../support/core-process.ts';
import { ensureBuilt, root } from '../support/built.ts';
import { hasChromium, launchChromium, newPage, slowly } from './support/browser.ts';
import { seriousViolations } from './support/look.ts';

/** Runs the built command as a person would, and gives the link it prints. */
async function serve(dataDir: string): Promise<{ link: string } & AsyncDisposable> {
  const child = spawn(
    join(root, 'bin/kohakuriver'),
    ['--data-dir', dataDir, 'serve', '--port', '0'],
    { env: { ...process.env, HOME: dataDir }, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const exited = once(child, 'exit');
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await exited;
  };
  for await (const line of createInterface({ input: child.stdout })) {
    const link = /http:\/\/\S+/.exec(line)?.[0];
    if (link !== undefined) return { link, [Symbol.asyncDispose]: stop };
  }
  throw new Error('the command printed no link');
}

describe.skipIf(!hasChromium)('the first start', () => {
  test('a link signs in once; a first task runs by one click to its end, its output live', async () => {
    await ensureBuilt();
    await using dataDir = await temporaryDataDir();
    await using served = await serve(dataDir.path);
    await using browser = await launchChromium();
    const { page, complaints } = await newPage(browser);

    await page.goto(served.link);
    await page.getByText('Connected', { exact: true }).waitFor();
    expect(page.url()).not.toContain('token');
    await page.getByRole('heading', { name: 'Run your first task' }).waitFor();
    expect(await seriousViolations(page)).toEqual([]);

    await page.getByRole('button', { name: 'Run a first task here' }).click();
    await page.getByRole('heading', { name: 'first-task' }).waitFor();
    const output = page.getByRole('region', { name: 'Output of the task' });
    await output.getByText('I am task').first().waitFor();
    await output.getByText(/step\s+2 of 30/).waitFor();
    await page.getByText('Running', { exact: true }).first().waitFor();

    const stranger = await newPage(browser);
    const refused = await stranger.page.goto(served.link);
    expect(refused?.status()).toBe(401);
    await stranger.page.getByText('The token works once').waitFor();

    await page.reload();
    await page.getByText('Connected', { exact: true }).waitFor();
    await output.getByText(/step\s+30 of 30/).waitFor();
    await page.getByText('Completed', { exact: true }).first().waitFor();
    await page.getByText('exit code 0').first().waitFor();
    await page.getByRole('link', { name: 'Overview' }).click();
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    await expect
      .poll(() => page.getByRole('heading', { name: 'Run your first task' }).count(), slowly)
      .toBe(0);
    expect(complaints).toEqual([]);
  });
});
