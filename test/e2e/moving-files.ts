// Files as people move them, acted out on the real thing: a core, two testbed machines, the page in a
// browser. A file and a folder come in from the desktop, a folder is dragged from one machine to
// another, files onto a terminal; a queue runs with a failure in it; a folder is worked in. Takes the
// pictures of docs/moving-files.md. Run by hand: `npm run moving-files`.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import type { FilePlace } from '../../src-main/contract/files.ts';
import { until } from '../support/core-client.ts';
import { root } from '../support/built.ts';
import { Testbed } from '../support/testbed.ts';
import { openApp, type OpenApp } from './support/app.ts';
import { picture, themes } from './support/pictures.ts';

const pictures = join(root, 'docs/screenshots/moving-files');
const machines = { alpha: 'n1', beta: 'n2' } as const;
const home = '/home/ops';
const MiB = 2 ** 20;

/** What lies on alpha. As `ops`, who may not read the one that is root's. */
const onAlpha = `
cd ${home} && mkdir -p project/src project/data runs/r3 results
cat > project/src/train.py
printf 'run: r4\\nmodel: 7b\\ngpus: 6\\n' > project/config.yaml
printf '# A project\\n' > project/README.md
for n in 1 2 3 4 5 6 7 8; do head -c 40M /dev/urandom > project/data/shard-0$n.bin; done
for n in 1 2 3; do head -c 2M /dev/urandom > runs/r3/step-\${n}000.pt; done
printf 'step,loss\\n1,2.31\\n2,2.02\\n' | tee runs/r3/loss.csv > results/loss.csv
printf 'secret' > runs/r3/wandb.key
chown -R ops: ${home}; chown root: runs/r3/wandb.key; chmod 600 runs/r3/wandb.key`;

const train = `"""Trains the model."""
import argparse
import torch

from model import River


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", default="config.yaml")
    args = parser.parse_args()

    model = River.from_config(args.config).cuda()
    for step, batch in enumerate(model.batches()):
        loss = model.step(batch)
        if step % 100 == 0:
            print(f"step {step} loss {loss.item():.4f}")


if __name__ == "__main__":
    main()
`;

async function prepare({ core }: OpenApp, bed: Testbed): Promise<void> {
  for (const [name, machine] of Object.entries(machines)) {
    await core.api.nodes.add({
      name,
      destination: { host: bed.node(machine).address, user: 'ops' },
      identityFile: bed.keyPath,
      useSshConfig: false,
      jumps: [],
      consent: 'any-new',
    });
  }
  const [here] = (await core.api.nodes.list()).filter(({ local }) => local);
  await core.api.nodes.rename({ node: here!.id, name: 'desk' });
  await bed.exec('n1', ['sh', '-c', onAlpha], { input: train });
  await bed.sh(bed.node('n2'), `cd ${home} && mkdir -p projects results && chown -R ops: .`);
}

/** A folder of a desktop, and what is dragged out of it. */
function desktopFolder(stack: AsyncDisposableStack): { file: string; folder: string } {
  const at = mkdtempSync(join(tmpdir(), 'kohakuriver-desktop-'));
  stack.defer(() => rmSync(at, { recursive: true, force: true }));
  const [file, folder] = [join(at, 'notes.md'), join(at, 'figures')];
  mkdirSync(folder);
  writeFileSync(file, '# Notes\n');
  for (const name of ['loss', 'accuracy', 'throughput']) {
    writeFileSync(join(folder, `${name}.svg`), '<svg xmlns="http://www.w3.org/2000/svg"/>\n');
  }
  return { file, folder };
}

await using stack = new AsyncDisposableStack();
const desktop = desktopFolder(stack);
await mkdir(pictures, { recursive: true });
const bed = stack.use(await Testbed.up({ nodes: 2, registry: false, docker: false }));
const app = stack.use(await openApp('#/'));
const { page, core } = app;
// What is moved here is hashed twice, on a machine that may have other things to do.
page.setDefaultTimeout(120_000);
await prepare(app, bed);
const left = page.getByRole('region', { name: 'Left pane' });
const right = page.getByRole('region', { name: 'Right pane' });
const panel = page.getByRole('list', { name: 'Transfers' });

async function look(name: string): Promise<void> {
  for (const theme of themes) {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
    await page.evaluate(() => document.fonts.ready);
    // Terminals and editors draw a moment after their colours changed.
    await page.waitForTimeout(400);
    await picture(page, join(pictures, `${name}-${theme}.webp`));
  }
  process.stdout.write(`${name}\n`);
}

function row(pane: Locator, name: string): Locator {
  return pane.getByRole('row').filter({ has: page.getByText(name, { exact: true }) });
}

async function middleOf(what: Locator): Promise<{ x: number; y: number }> {
  const box = await what.boundingBox();
  if (box === null) throw new Error('it is not on the page');
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}

/** As the desktop does it; a picture is taken before it is let go. */
async function fromDesktop(target: Locator, paths: readonly string[], name: string) {
  const devtools = await page.context().newCDPSession(page);
  const at = await middleOf(target);
  const data = { items: [], files: [...paths], dragOperationsMask: 1 };
  const send = (type: 'dragEnter' | 'dragOver' | 'drop') =>
    devtools.send('Input.dispatchDragEvent', { type, ...at, data });
  await send('dragEnter');
  await send('dragOver');
  await look(name);
  await send('dragOver');
  await send('drop');
  await devtools.detach();
}

/** By the mouse; a picture is taken before it is let go. */
async function drag(what: Locator, target: Locator, name: string): Promise<void> {
  const [from, to] = [await middleOf(what), await middleOf(target)];
  await page.mouse.move(from.x, from.y);
  await page.mouse.down();
  await page.mouse.move(from.x + 12, from.y + 6);
  await page.mouse.move(to.x, to.y, { steps: 4 });
  await page.mouse.move(to.x + 2, to.y);
  await look(name);
  await page.mouse.move(to.x + 1, to.y);
  await page.mouse.up();
}

async function openIn(pane: Locator, place: string, folders: readonly string[] = []) {
  await pane.getByRole('combobox', { name: /^Place/ }).click();
  const named = { has: page.getByText(place, { exact: true }) };
  await page.getByRole('option').filter(named).click();
  for (const folder of folders) await row(pane, folder).dblclick();
}

async function drops(): Promise<void> {
  await app.go('#/files');
  await openIn(right, 'alpha');
  await row(right, 'results').waitFor();
  await openIn(left, 'alpha');
  await row(left, 'project').waitFor();
  await openIn(right, 'beta');
  await row(right, 'projects').waitFor();
  await fromDesktop(left.getByRole('grid'), [desktop.file, desktop.folder], '1-from-the-desktop');
  await row(left, 'figures').waitFor();
  await drag(row(left, 'project'), row(right, 'projects'), '2-between-panes');
  await panel.getByText('compared by hash').waitFor();
  await look('3-between-panes-done');
}

async function ontoTerminal(): Promise<void> {
  await left.getByRole('button', { name: /^More/ }).click();
  await page.getByRole('menuitem', { name: 'Terminal here' }).click();
  const terminal = page.locator('.xterm-screen');
  await terminal.waitFor();
  const isOpen = async () => (await core.api.terminals.list())[0]?.state === 'open';
  await until(isOpen, 'the terminal is open');
  await page.getByRole('textbox', { name: /^Terminal/ }).focus();
  await page.keyboard.type('wc -c ');
  await drag(row(left, 'notes.md'), terminal, '4-onto-a-terminal');
  await page.keyboard.press('Enter');
  await page.keyboard.type('cat ');
  await fromDesktop(terminal, [desktop.file], '5-onto-a-terminal-from-the-desktop');
  await page.getByRole('textbox', { name: 'Into the folder' }).fill(`${home}/results`);
  await look('6-copied-there-first');
  await page.getByRole('button', { name: 'Copy and insert the path' }).click();
  await page.getByRole('button', { name: 'Copy and insert the path' }).waitFor({ state: 'hidden' });
}

/** One that runs, slowly enough to be looked at; one that fails in part, one that asks, one that waits. */
async function queue(): Promise<void> {
  await core.api.transfers.clear({});
  // So that some are seen to wait.
  await core.api.config.set({ key: 'transfers.parallel', value: 1 });
  const [alpha, beta] = ['alpha', 'beta'].map((node): FilePlace => ({ kind: 'node', node }));
  const start = (path: string, into: string, rateLimit: number | null) =>
    core.api.transfers.start({
      from: { place: alpha!, paths: [`${home}/${path}`] },
      to: { place: beta!, path: `${home}/${into}`, as: 'into' },
      rateLimit,
    });
  const failing = await start('runs', 'results', null);
  const ended = async () => (await core.api.transfers.get(failing)).status === 'FAILED';
  await until(ended, 'it failed');
  await start('project/README.md', 'projects/project', null);
  await start('project/data', 'results', 20 * MiB);
  await start('project/config.yaml', 'results', null);
  await start('results', 'results/again', null);
  await page.getByRole('tab', { name: /^Transfers/ }).click();
  await page.getByRole('button', { name: 'Give the panel the window' }).click();
  await panel.getByRole('button', { name: /^Show the/ }).click();
  await panel.getByText(/MiB\/s/).waitFor();
  // What was announced meanwhile lies over the list for a while.
  await page.locator('.toast').first().waitFor({ state: 'hidden' });
  await look('7-a-queue-with-a-failure');
  await page.getByRole('button', { name: 'Back to its own height' }).click();
}

async function workspace(): Promise<void> {
  const nodes = await core.api.nodes.list();
  const node = nodes.find(({ name }) => name === 'alpha')!.id;
  const query = { node, path: `${home}/project`, file: `${home}/project/src/train.py` };
  await app.go(`#/files/workspace?${String(new URLSearchParams(query))}`);
  await page.getByRole('textbox', { name: 'Content of train.py' }).waitFor();
  await page.getByRole('treeitem', { name: /^train.py/ }).waitFor();
  await page.getByRole('button', { name: 'Terminal here' }).click();
  // The other one lies in the closed panel.
  const terminal = page.getByRole('textbox', { name: /^Terminal/ }).filter({ visible: true });
  await terminal.focus();
  await page.keyboard.type('ls -l data | head -4; cat config.yaml\n');
  await page.waitForTimeout(1500);
  await look('8-a-workspace');
}

await drops();
await ontoTerminal();
await queue();
await workspace();
if (app.complaints.length > 0) throw new Error(app.complaints.join('\n'));
