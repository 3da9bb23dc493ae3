// What a person does first, in a real browser on a real core, on this computer alone.
import { describe, expect, test } from 'vitest';
import { hasChromium, openApp } from './support/app.ts';

describe.skipIf(!hasChromium)('on this computer', () => {
  test('the first task in one click: placed, started, its output live', async () => {
    await using app = await openApp();
    const { page } = app;
    await page.getByRole('button', { name: 'Run a first task here' }).click();
    await page.getByRole('heading', { name: 'first-task' }).waitFor();
    await page.getByText('Running', { exact: true }).first().waitFor();
    await page
      .getByText(/I am task \d+\./)
      .first()
      .waitFor();
    await page
      .getByText(/step\s+3/)
      .first()
      .waitFor();
    await page.getByRole('button', { name: 'Kill' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Kill' }).click();
    await page.getByText('Killed', { exact: true }).first().waitFor({ timeout: 30_000 });
    expect(app.complaints).toEqual([]);
  });

  test('a task from the form: checked while typing, explained, submitted, ended, submitted again', async () => {
    await using app = await openApp('#/tasks/new');
    const { page } = app;
    await page
      .getByRole('textbox', { name: 'Command' })
      .fill('sh -c "echo out; echo err >&2; exit 3"');
    await page.getByLabel('Memory', { exact: true }).fill('lots');
    await page.getByText('A size such as 512M, 8G or 1.5G.').waitFor();
    await page.getByLabel('Memory', { exact: true }).fill('64M');
    await page.getByText('= 67,108,864 bytes (64 MiB)').waitFor();
    await page.getByLabel(/^Name/).fill('from-the-form');
    await page.getByText('fits now').first().waitFor();
    await page.getByRole('button', { name: 'Submit' }).click();
    await page.getByRole('heading', { name: 'from-the-form' }).waitFor();
    await page.getByText('exit code 3').first().waitFor({ timeout: 30_000 });
    await page.getByText('Failed', { exact: true }).first().waitFor();
    await page.getByText('err', { exact: true }).first().waitFor();
    await page.getByRole('link', { name: 'Submit again' }).click();
    await expect
      .poll(() => page.getByRole('textbox', { name: 'Command' }).inputValue())
      .toContain('exit 3');
    expect(app.complaints).toEqual([]);
  });

  test('what cannot start waits, says why, and is released and killed in bulk', async () => {
    await using app = await openApp('#/tasks');
    const { page, core } = app;
    for (let i = 0; i < 3; i += 1) {
      await core.client.api.tasks.submit({
        name: `held-${i}`,
        hold: true,
        vessel: { kind: 'process' },
        work: { kind: 'command', argv: ['sleep', '60'] },
      });
    }
    await page.getByText('held-2').waitFor();
    await page
      .getByRole('textbox', { name: /Filter/ })
      .or(page.getByRole('searchbox', { name: /Filter/ }))
      .fill('held-');
    await page.waitForURL(/text=held-/);
    await page.getByRole('checkbox', { name: 'Select those shown' }).check();
    await page
      .getByRole('toolbar', { name: '3 selected' })
      .getByRole('button', { name: 'Kill' })
      .click();
    await page.getByRole('dialog').getByRole('button', { name: 'Kill' }).click();
    await expect.poll(() => page.getByRole('gridcell', { name: 'Killed' }).count()).toBe(3);
    expect(app.complaints).toEqual([]);
  });

  test('the node shows live measurements, and drains and takes tasks again', async () => {
    await using app = await openApp('#/nodes');
    const { page } = app;
    await page.getByText('this computer').first().click();
    await page.getByRole('img', { name: /^CPU: used \d+ %/ }).waitFor();
    await page.getByRole('button', { name: 'Drain' }).click();
    await page.getByText('Drained', { exact: true }).first().waitFor();
    await page.getByRole('button', { name: 'Take tasks again' }).click();
    await page.getByText('Online', { exact: true }).first().waitFor();
    await page.getByRole('tab', { name: 'Processes' }).click();
    await page.getByRole('columnheader', { name: 'PID' }).waitFor();
    expect(app.complaints).toEqual([]);
  });

  test('a setting is kept, and a wrong one is refused at its field', async () => {
    await using app = await openApp('#/settings');
    const { page, core } = app;
    const field = page.getByLabel('Grace before SIGKILL');
    await field.fill('99999');
    await field.press('Enter');
    await expect.poll(() => field.getAttribute('aria-invalid')).toBe('true');
    await field.fill('7');
    await field.press('Enter');
    await expect
      .poll(async () => (await core.client.api.config.get({ key: 'tasks.killGraceSeconds' })).value)
      .toBe(7);
  });

  test('a page that loses its core says so and keeps what it shows', async () => {
    await using app = await openApp('#/nodes');
    const { page, core } = app;
    await page.getByText('this computer').first().waitFor();
    await core.kill();
    await page.getByText('Reconnecting…').waitFor();
    await page.getByRole('button', { name: 'Try now' }).waitFor();
    expect(await page.getByText('this computer').count()).toBeGreaterThan(0);
  });
});
