// A stranger's first five minutes, acted out on the real thing: a new core, two testbed machines with
// scripted GPUs, the page in a browser. Counts what the person does, and prints it as Markdown for
// docs/first-five-minutes.md. Run by hand: `node test/e2e/first-minutes.ts [folder for pictures]`.
import { globSync } from 'node:fs';
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { gpus, Testbed } from '../support/testbed.ts';
import { openApp, type OpenApp } from './support/app.ts';

/** Does what a person does, and counts it. */
class Stranger {
  readonly page: Page;
  #clicks = 0;
  #keys = 0;
  #fields = 0;
  #since = performance.now();

  constructor(page: Page) {
    this.page = page;
  }

  async click(what: Locator): Promise<void> {
    this.#clicks += 1;
    await what.click();
  }
  /** Into a field that has to be clicked first. */
  async type(where: Locator, text: string): Promise<void> {
    this.#clicks += 1;
    this.#fields += 1;
    await where.click();
    await where.fill(text);
  }
  async press(key: string): Promise<void> {
    this.#keys += 1;
    await this.page.keyboard.press(key);
  }
  /** One line of the table, and what comes next begins at nothing. */
  tell(step: string, sees: string): string {
    const seconds = ((performance.now() - this.#since) / 1000).toFixed(0);
    const line = `| ${step} | ${this.#clicks} | ${this.#fields} | ${this.#keys} | ${seconds} | ${sees} |`;
    this.#clicks = 0;
    this.#fields = 0;
    this.#keys = 0;
    this.#since = performance.now();
    return line;
  }
}

/** The key a person has in ~/.ssh, where the core looks without being told. */
async function giveKey(app: OpenApp, keyPath: string): Promise<void> {
  const [home = app.dataDir] = globSync(join(app.dataDir, 'home-*'));
  await mkdir(join(home, '.ssh'), { recursive: true, mode: 0o700 });
  await copyFile(keyPath, join(home, '.ssh/id_ed25519'));
}

const [pictures] = process.argv.slice(2);
await using bed = await Testbed.up({
  nodes: 2,
  registry: false,
  images: ['river/busybox'],
  gpus: { n1: { gpus: gpus(2, 'RTX4090') }, n2: { gpus: gpus(1, 'A100') } },
});
await using app = await openApp('#/');
await giveKey(app, bed.keyPath);
const { page } = app;
const stranger = new Stranger(page);
const lines: string[] = [];
let shown = 0;
async function look(): Promise<void> {
  shown += 1;
  if (pictures !== undefined)
    await page.screenshot({ path: join(pictures, `minutes-${String(shown)}.png`) });
}

/** From wherever a button says so, to the page of a node that is there. */
async function addNode(machine: string, name: string): Promise<void> {
  const dialog = page.getByRole('dialog', { name: 'Add a node' });
  await stranger.click(page.getByRole('button', { name: 'Add a node' }).first());
  // The field has the focus: nothing to click.
  await dialog.getByRole('textbox', { name: 'Host' }).fill(`ops@${bed.node(machine).address}`);
  await stranger.press('Enter');
  await dialog.getByText(bed.node(machine).hostKeySha256).waitFor();
  await look();
  await stranger.click(dialog.getByRole('button', { name: 'They are the same: connect' }));
  await stranger.type(dialog.getByRole('textbox', { name: 'Name' }), name);
  await look();
  await stranger.click(dialog.getByRole('button', { name: 'Add this node' }));
  await page.getByRole('heading', { name }).waitFor();
  await page.getByText('Online', { exact: true }).first().waitFor();
  await look();
}

await page.getByRole('heading', { name: 'Run your first task' }).waitFor();
await look();
lines.push(stranger.tell('start', 'the overview, with a first task to run and a node to add'));

await addNode('n1', 'alpha');
lines.push(stranger.tell('first node by SSH', 'its page, online, with two GPUs'));

await stranger.click(page.getByRole('link', { name: 'Overview' }));
await look();
await stranger.click(page.getByRole('button', { name: 'Run a first task here' }));
await page.getByRole('heading', { name: 'first-task' }).waitFor();
lines.push(stranger.tell('first task', 'its page'));

const output = page.getByRole('region', { name: 'Output of the task' });
await output.getByText('I am task').first().waitFor();
await look();
lines.push(stranger.tell('its log', 'the output, as it is printed'));

await stranger.click(page.getByRole('link', { name: /^Nodes/ }));
await addNode('n2', 'beta');
lines.push(stranger.tell('second node', 'its page, online, with one GPU'));

await page.keyboard.press('Escape');
await stranger.press('c');
await stranger.type(page.getByRole('textbox', { name: 'Command' }), 'sleep 600');
await stranger.type(page.getByRole('textbox', { name: 'GPUs', exact: true }), '2');
await page.getByText('fits now').first().waitFor();
await look();
await stranger.press('Control+Enter');
await page.getByText('Running', { exact: true }).first().waitFor();
lines.push(stranger.tell('a GPU task that runs', 'its page, running on alpha'));

await stranger.click(page.getByRole('link', { name: 'Submit again' }));
await page
  .getByText(/2 GPUs wanted/)
  .first()
  .waitFor();
await look();
await stranger.click(page.getByRole('button', { name: 'Submit' }));
await page.getByRole('heading', { name: 'Why it waits' }).waitFor();
await page
  .getByText(/It waits for alpha/)
  .first()
  .waitFor();
await look();
lines.push(stranger.tell('a GPU task that waits', 'its page, and the sentence why it waits'));

process.stdout.write(
  [
    '| step | clicks | fields | keys | seconds | what is there then |',
    '| --- | --: | --: | --: | --: | --- |',
    ...lines,
    '',
  ].join('\n'),
);
if (app.complaints.length > 0) throw new Error(app.complaints.join('\n'));
