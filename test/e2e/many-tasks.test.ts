// A long list: 10,000 stored tasks, of which the page only ever holds what is on the screen.
import { describe, expect, test } from 'vitest';
import { hasChromium, openApp, type OpenApp } from './support/app.ts';
import { slowly } from './support/browser.ts';

const count = 10_000;
const kinds = ['train', 'eval', 'export', 'render'] as const;

async function fill({ core }: OpenApp): Promise<void> {
  await core.api.tasks.submitMany({
    submissions: Array.from({ length: count }, (_, n) => ({
      name: `${kinds[n % 4]}-${String(n).padStart(5, '0')}`,
      hold: true,
      vessel: { kind: 'process' as const },
      work: { kind: 'command' as const, argv: ['sleep', String(n)] },
    })),
  });
}

describe.skipIf(!hasChromium)('10,000 tasks', () => {
  test('scroll, filter and are killed in bulk, with a bounded page and wire', async () => {
    await using app = await openApp('#/');
    const { page } = app;
    await fill(app);
    await app.go('#/tasks');
    const table = page.getByRole('grid', { name: 'Tasks' });
    const rows = table.getByRole('row');
    await expect.poll(() => table.getAttribute('aria-rowcount'), slowly).toBe(String(count + 1));
    await table.getByText('render-09999').waitFor();

    const before = app.receivedBytes();
    const scroller = table.getByRole('rowgroup');
    const middle = await timed(async () => {
      await scroller.evaluate((list) => (list.scrollTop = list.scrollHeight / 2));
      await table.getByText('train-05000').or(table.getByText('render-04999')).first().waitFor();
    });
    const end = await timed(async () => {
      await table.getByRole('row').nth(3).focus();
      await page.keyboard.press('End');
      await table.getByText('train-00000').waitFor();
    });
    const received = app.receivedBytes() - before;
    process.stdout.write(
      `10,000 tasks: to the middle ${middle} ms, to the end ${end} ms, ${received} bytes\n`,
    );
    expect(await rows.count()).toBeLessThan(80);
    // Windows of a few hundred rows, never the whole list.
    expect(received).toBeLessThan(2_000_000);

    await page.getByRole('searchbox', { name: /Filter/ }).fill('export-010');
    await expect.poll(() => table.getAttribute('aria-rowcount'), slowly).toBe('26');
    await page
      .getByRole('group', { name: 'Status' })
      .getByRole('button', { name: /^Ended/ })
      .click();
    await page.getByRole('heading', { name: 'No task matches' }).waitFor();
    await page
      .getByRole('group', { name: 'Status' })
      .getByRole('button', { name: /^Waiting/ })
      .click();
    await expect.poll(() => table.getAttribute('aria-rowcount'), slowly).toBe('26');

    await page.getByRole('searchbox', { name: /Filter/ }).fill('export-0');
    await expect.poll(() => table.getAttribute('aria-rowcount'), slowly).toBe('2501');
    await page.getByRole('checkbox', { name: 'Select those shown' }).check();
    await page.getByRole('button', { name: 'Select all 2,500' }).click();
    const bar = page.getByRole('toolbar', { name: '2500 selected' });
    await bar.getByRole('button', { name: 'Kill' }).click();
    const dialog = page.getByRole('dialog', { name: 'Kill 2500 tasks?' });
    await dialog.getByRole('button', { name: 'Kill' }).click();
    await page
      .getByRole('group', { name: 'Status' })
      .getByRole('button', { name: /^Ended\s*2,500/ })
      .waitFor();
    await page.getByRole('heading', { name: 'No task matches' }).waitFor();
    expect(await rows.count()).toBeLessThan(80);
    expect(app.complaints).toEqual([]);
  });
});

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return Math.round(performance.now() - start);
}
