// The queue, its batches and the core itself, as one looks after them in the app.
import { expect, test } from 'vitest';
import { hasChromium, openApp } from './support/app.ts';
import { slowly } from './support/browser.ts';
import { seriousViolations, whatIsCut } from './support/look.ts';

test.skipIf(!hasChromium)(
  'tasks are put in another order, a batch is killed, and the core tells what it did',
  async () => {
    await using app = await openApp('#/');
    const { page, core } = app;
    const held = (name: string) => ({
      name,
      hold: true,
      vessel: { kind: 'process' as const },
      work: { kind: 'command' as const, argv: ['sleep', '60'] },
    });
    for (const name of ['first', 'second', 'third']) await core.submit(held(name));
    await core.api.tasks.submit({ ...held('sweep'), array: { indices: [0, 1, 2, 3] } });

    await app.go('#/queue');
    const rows = page.getByRole('grid', { name: 'Waiting' }).locator('[data-row]');
    await expect.poll(() => rows.count(), slowly).toBe(7);
    await rows.filter({ hasText: 'third' }).click();
    await page.getByRole('heading', { name: 'third' }).waitFor();
    await page.keyboard.press('Alt+ArrowUp');
    await page.getByText('third has priority 1 now').waitFor();
    await expect.poll(() => rows.first().textContent(), slowly).toContain('third');
    expect(await seriousViolations(page)).toEqual([]);
    expect(await whatIsCut(page)).toEqual([]);

    await app.go('#/batches');
    await page.getByText('0 of 4 ended').waitFor();
    await page.getByRole('button', { name: 'More for this batch' }).click();
    await page.getByRole('menuitem', { name: 'Kill all…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Kill all of sweep?' });
    await dialog.getByRole('button', { name: 'Kill all' }).click();
    await page.getByRole('heading', { name: 'All batches have ended' }).waitFor();

    await app.go('#/diagnostics');
    await page.getByText('the core has started').waitFor();
    await page.getByRole('region', { name: 'Links' }).getByText('Online').waitFor();
    expect(await seriousViolations(page)).toEqual([]);
    expect(await whatIsCut(page)).toEqual([]);
    expect(app.complaints).toEqual([]);
  },
);
