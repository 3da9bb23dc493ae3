// A day with two GPU machines, one of them behind the other: added, used, cut off, back again.
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gpus, requirements, Testbed, type Gpu } from '../support/testbed.ts';
import { hasChromium, openApp, type OpenApp } from './support/app.ts';
import { slowly } from './support/browser.ts';
import { seriousViolations, whatIsCut } from './support/look.ts';

const can = await requirements();
const image = 'river/busybox:1';
const training = [
  'i=0',
  'while [ $i -lt 600 ]; do',
  String.raw`  printf '\033[32mepoch %d\033[0m plain %d\n' $i $i`,
  '  i=$((i+1)); sleep 0.3',
  'done',
].join('\n');

/** Measurements that a person could tell from those before. */
function busy(all: readonly Gpu[], percent: number): Gpu[] {
  return all.map((gpu) => ({
    ...gpu,
    fields: {
      ...gpu.fields,
      'utilization.gpu': percent,
      'memory.used': 9000,
      'temperature.gpu': 71,
    },
  }));
}

describe.skipIf(!hasChromium || !can.isMet)('two GPU machines', () => {
  const two = gpus(2, 'RTX4090');
  const one = gpus(1, 'A100');
  let bed: Testbed;
  let app: OpenApp;
  let page: Page;
  let dialog: Locator;

  beforeAll(async () => {
    bed = await Testbed.up({
      nodes: 2,
      jumpOnly: 'n2',
      registry: false,
      images: ['river/busybox'],
      gpus: { n1: { gpus: two }, n2: { gpus: one } },
    });
    app = await openApp('#/nodes');
    ({ page } = app);
    dialog = page.getByRole('dialog', { name: 'Add a node' });
  });
  afterAll(async () => {
    await app?.[Symbol.asyncDispose]();
    await bed?.[Symbol.asyncDispose]();
  });

  /** Fills the first step of the wizard and goes on to the host keys. */
  async function connect(host: string, fields: Readonly<Record<string, string>>): Promise<void> {
    await dialog.getByRole('textbox', { name: 'Host' }).fill(host);
    if (!(await dialog.getByText('Keys, password and jump hosts').evaluate(isOpen)))
      await dialog.getByText('Keys, password and jump hosts').click();
    await dialog.getByRole('checkbox', { name: /^Use ~\/\.ssh\/config/ }).uncheck();
    for (const [name, value] of Object.entries(fields)) await dialog.getByLabel(name).fill(value);
    await dialog.getByRole('button', { name: 'Connect' }).click();
  }
  async function confirmKeys(...hosts: string[]): Promise<void> {
    for (const host of hosts) await dialog.getByText(bed.node(host).hostKeySha256).waitFor();
    await dialog.getByRole('button', { name: 'They are the same: connect' }).click();
  }

  test('a fingerprint is confirmed first; a wrong password is answered with what to do', async () => {
    const [n1] = bed.nodes;
    await page.getByRole('button', { name: 'Add a node' }).click();
    await connect(`pw@${n1!.address}`, { Password: 'wrong' });
    await confirmKeys('n1');
    const problem = dialog.getByRole('alert');
    await problem.waitFor();
    expect(await problem.textContent()).toMatch(/password/i);
    expect(await seriousViolations(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
  });

  test('a node whose key is known by now is added, and a second one through it', async () => {
    const [n1, n2] = bed.nodes;
    await page.getByRole('button', { name: 'Add a node' }).click();
    await connect(`ops@${n1!.address}`, { 'Identity file': bed.keyPath });
    await dialog.getByText('2 × RTX 4090').waitFor();
    await dialog.getByRole('textbox', { name: 'Name' }).fill('alpha');
    await dialog.getByRole('button', { name: 'Add this node' }).click();
    await page.getByRole('heading', { name: 'alpha' }).waitFor();
    await page.getByText('Online', { exact: true }).first().waitFor();

    await app.go('#/nodes');
    await page.getByRole('button', { name: 'Add a node' }).click();
    await connect(`ops@${n2!.address}`, {
      'Identity file': bed.keyPath,
      'Jump hosts': `ops@${n1!.address}`,
    });
    await confirmKeys('n2');
    await dialog.getByRole('textbox', { name: 'Name' }).fill('beta');
    await dialog.getByRole('button', { name: 'Add this node' }).click();
    await page.getByRole('heading', { name: 'beta' }).waitFor();
    await page.getByText(`through ops@${n1!.address}`).waitFor();
  });

  test('its GPUs are seen, who uses them, and how their measurements move', async () => {
    await app.go('#/nodes/alpha/gpus');
    const table = page.getByRole('region', { name: 'Table of GPUs' });
    await expect.poll(() => table.getByText(/RTX 4090/).count(), slowly).toBe(2);
    await bed.setGpus('n1', { gpus: busy(two, 87) });
    await table.getByText('87 %').first().waitFor();
    const pid = await bed.occupyGpu('n1', { user: 'plain', gpu: 1, memoryMiB: 4000 });
    await table
      .getByText(`Used by plain (/usr/bin/python3, PID ${pid}), outside of the queue`)
      .waitFor();
    await bed.sh('n1', `kill -9 ${pid}`);
    await expect.poll(() => table.getByText('Free', { exact: true }).count(), slowly).toBe(2);
    await page.getByRole('tab', { name: 'Use' }).click();
    await page.getByRole('img', { name: /^CPU: used \d+ %/ }).waitFor();
    await bed.setGpus('n1', { gpus: two });
  });

  test('a task for two GPUs runs; the next one waits, says why, and starts by itself', async () => {
    await app.go('#/tasks/new');
    await page.getByRole('radio', { name: 'Script' }).check();
    await page.getByRole('textbox', { name: 'Script' }).fill(training);
    await page.getByRole('radio', { name: 'Image' }).check();
    await page.getByRole('textbox', { name: 'Image' }).fill(image);
    await page.getByRole('textbox', { name: 'GPUs', exact: true }).fill('2');
    await page.getByRole('textbox', { name: /^Name/ }).fill('both-gpus');
    await page
      .getByText(/fits now/)
      .first()
      .waitFor();
    await page.getByRole('button', { name: 'Submit' }).click();
    await page.getByRole('heading', { name: 'both-gpus' }).waitFor();
    await page.getByText('Running', { exact: true }).first().waitFor();

    await page.getByRole('link', { name: 'Submit again' }).click();
    // The form fills itself with the task first.
    const name = page.getByRole('textbox', { name: /^Name/ });
    await expect.poll(() => name.inputValue(), slowly).toBe('both-gpus');
    await name.fill('next-in-line');
    await page.getByText(/waits for alpha/).waitFor();
    await page.getByRole('button', { name: 'Submit' }).click();
    await page.getByRole('heading', { name: 'next-in-line' }).waitFor();
    const why = page.getByRole('region', { name: 'Why it waits' });
    await why
      .getByText(/2 GPUs wanted/)
      .first()
      .waitFor();
    await why.getByText('first in the queue').waitFor();

    await app.go('#/');
    await page.getByRole('button', { name: /^alpha GPU 0: Held by both-gpus/ }).click();
    await page.getByRole('heading', { name: 'both-gpus' }).waitFor();
    const output = page.getByRole('region', { name: 'Output of the task' });
    const colored = output.getByText(/^epoch \d+$/).last();
    await colored.waitFor();
    const colorOf = (element: Element): string => getComputedStyle(element).color;
    expect(await colored.evaluate(colorOf)).not.toBe(
      await output
        .getByText(/^ *plain \d+ *$/)
        .last()
        .evaluate(colorOf),
    );
    const epoch = async (): Promise<number> =>
      Number(/\d+/.exec((await colored.textContent()) ?? '')?.[0]);
    const seen = await epoch();
    await expect.poll(epoch, slowly).toBeGreaterThan(seen + 5);

    await page.getByRole('button', { name: 'Kill' }).click();
    await page
      .getByRole('dialog', { name: 'Kill this task?' })
      .getByRole('button', { name: 'Kill' })
      .click();
    await page.getByText('Killed', { exact: true }).first().waitFor();
    await app.go('#/tasks?status=active');
    await page
      .getByRole('row', { name: /next-in-line/ })
      .getByText('Running')
      .waitFor();
  });

  test('every page is accessible in both themes, and whole in a small window', async () => {
    const [running] = (await app.core.api.tasks.list({ filter: { text: 'next-in-line' } })).rows;
    const places = ['#/', '#/nodes', '#/nodes/alpha', '#/nodes/alpha/gpus', '#/nodes/beta/facts'];
    places.push('#/tasks', `#/tasks/${running!.id}`, '#/tasks/new', '#/settings');
    const found: string[] = [];
    for (const place of places) {
      await page.setViewportSize({ width: 1024, height: 700 });
      await app.go(place);
      await page.getByRole('heading', { level: 1 }).waitFor();
      for (const theme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
        // Another theme is other colors, and nothing else.
        const violations = await seriousViolations(
          page,
          theme === 'light' ? undefined : ['color-contrast'],
        );
        found.push(...violations.map((violation) => `${place} ${theme}: ${violation}`));
      }
      found.push(...(await whatIsCut(page)).map((cut) => `${place}: ${cut}`));
    }
    await page.setViewportSize({ width: 1440, height: 900 });
    expect(found).toEqual([]);
  });

  const dockerOfBeta = async () =>
    (await app.core.api.nodes.list()).find(({ name }) => name === 'beta')?.facts?.docker ?? null;

  async function connectNow(): Promise<'online' | 'not yet'> {
    if (await page.getByText('Online', { exact: true }).first().isVisible()) return 'online';
    const button = page.getByRole('button', { name: 'Connect now' });
    await button.click({ timeout: 2000 }).catch(() => undefined);
    return 'not yet';
  }

  test('a power cut is told in words, and what is true is found after the boot', async () => {
    // After a try before this one the node may have booted a moment ago.
    await expect.poll(dockerOfBeta, { timeout: 90_000, interval: 500 }).not.toBeNull();
    const id = await app.core.submit({
      name: 'on-beta',
      targets: ['beta'],
      vessel: { kind: 'image', reference: image },
      work: { kind: 'script', text: training },
    });
    await app.core.reaches(id, ['RUNNING']);
    await app.go(`#/tasks/${id}`);
    await page.getByRole('heading', { name: 'on-beta' }).waitFor();
    await bed.powerCut('n2');
    await page.getByText('Lost', { exact: true }).first().waitFor({ timeout: 90_000 });
    expect(await page.getByRole('main').getByRole('note').first().textContent()).toMatch(
      /\w+ \w+ \w+.*\./,
    );
    await app.go('#/nodes/beta');
    await page.getByText('Offline', { exact: true }).first().waitFor();
    expect(await page.getByRole('alert').textContent()).toMatch(/\w+ \w+ \w+.*\./);
    await bed.boot('n2');
    // The core also tries by itself: whoever is first takes the button away.
    await expect.poll(connectNow, { timeout: 90_000, interval: 500 }).toBe('online');
    await app.go(`#/tasks/${id}`);
    const healed = await app.core.reaches(
      id,
      ['FAILED', 'RUNNING', 'COMPLETED', 'STOPPED', 'KILLED'],
      90_000,
    );
    await expect.poll(() => page.getByText('Lost', { exact: true }).count(), slowly).toBe(0);
    if (healed.reason !== null) await page.getByText(healed.reason).first().waitFor();
    expect(app.complaints).toEqual([]);
  });
});

function isOpen(summary: Element): boolean {
  return summary.parentElement instanceof HTMLDetailsElement && summary.parentElement.open;
}
