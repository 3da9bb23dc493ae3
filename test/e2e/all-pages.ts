// Pictures of every page and dialog, in both themes and two sizes, for docs/screenshots: the app on the
// fake core of the gallery, so that every state is there at once. The pages come from the app's own
// table of routes: one that has no example here stops it. Run by hand: `npm run screenshots`, or
// `npm run screenshots -- tasks queue` for those whose names contain a word.
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { format } from 'oxfmt';
import { launchChromium, serveGallery, type ServedGallery } from '../ui/browser/gallery.ts';

const folder = join(import.meta.dirname, '../../docs/screenshots');
const sizes = [
  { width: 1440, height: 900 },
  { width: 1024, height: 700 },
] as const;
const themes = ['light', 'dark'] as const;

interface Shown {
  readonly name: string;
  readonly says: string;
  readonly hash: string;
  /** What the fake core has; `rich` where not said. */
  readonly variant?: string;
  /** Opens a dialog, fills a form. */
  readonly act?: (page: Page) => Promise<void>;
}

const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name }).first();

function workspaceOf(file: string): string {
  return `#/files/workspace?${String(new URLSearchParams({ path: '/home/mio', file: `/home/mio/${file}` }))}`;
}

/** By the address of the route, as the app's table has it. */
const examples: Readonly<Record<string, readonly Shown[]>> = {
  '': [
    {
      name: 'overview',
      says: 'the overview: GPUs by owner, alerts, what runs, the queue',
      hash: '#/',
    },
    { name: 'overview-first', says: 'the first start', hash: '#/', variant: 'first' },
    { name: 'overview-800', says: '800 GPUs', hash: '#/', variant: 'big' },
  ],
  nodes: [
    { name: 'nodes', says: 'nodes as cards', hash: '#/nodes' },
    { name: 'nodes-none', says: 'no nodes yet', hash: '#/nodes', variant: 'empty' },
    {
      name: 'node-add',
      says: 'dialog: a node is added, and its host key confirmed',
      hash: '#/nodes',
      act: async (page) => {
        await button(page, 'Add a node').click();
        await page.getByLabel('Host', { exact: true }).fill('river@new.lab');
        await page.getByRole('button', { name: 'Connect', exact: true }).click();
        await page.getByRole('button', { name: /They are the same/ }).waitFor();
      },
    },
  ],
  'nodes/:ref/*': [
    { name: 'node', says: 'a node in use, live', hash: '#/nodes/alpha' },
    { name: 'node-gpus', says: 'its GPUs', hash: '#/nodes/alpha/gpus' },
    { name: 'node-tasks', says: 'its tasks', hash: '#/nodes/alpha/tasks' },
    {
      name: 'node-images',
      says: 'its images, and what uses them',
      hash: '#/nodes/alpha/images',
    },
    {
      name: 'node-images-prune',
      says: 'dialog: what nothing uses is removed',
      hash: '#/nodes/alpha/images',
      act: async (page) => {
        await button(page, 'Prune…').click();
        await page.getByRole('button', { name: /^Remove 1/ }).waitFor();
      },
    },
    { name: 'node-processes', says: 'its processes', hash: '#/nodes/alpha/processes' },
    { name: 'node-facts', says: 'its facts and topology', hash: '#/nodes/alpha/facts' },
    { name: 'node-findings', says: 'what the doctor found', hash: '#/nodes/desk/findings' },
    {
      name: 'node-remove',
      says: 'dialog: a node with work on it is removed',
      hash: '#/nodes/alpha',
      act: async (page) => {
        await button(page, 'More for this node').click();
        await page.getByRole('menuitem', { name: /^Remove/ }).click();
        await page.getByRole('dialog').waitFor();
      },
    },
  ],
  gpus: [{ name: 'gpus', says: 'all GPUs', hash: '#/gpus' }],
  'gpus/:uuid': [
    { name: 'gpu', says: 'one GPU and its history', hash: '#/gpus/GPU-beta-0000-4000-8000-0000' },
  ],
  tasks: [
    { name: 'tasks', says: 'tasks, with why those that wait do', hash: '#/tasks' },
    { name: 'tasks-none', says: 'no tasks yet', hash: '#/tasks', variant: 'first' },
    {
      name: 'tasks-columns',
      says: 'columns to choose, rows selected',
      hash: '#/tasks',
      act: async (page) => {
        await page.locator('[data-row="1"] input').click();
        await page.locator('[data-row="3"] input').click();
        await button(page, 'Columns').click();
      },
    },
    {
      name: 'tasks-kill',
      says: 'dialog: tasks are killed',
      hash: '#/tasks',
      act: async (page) => {
        await page.locator('[data-row="3"] input').click();
        await page.getByRole('toolbar').getByRole('button', { name: 'Kill' }).click();
        await page.getByRole('dialog').waitFor();
      },
    },
    {
      name: 'palette',
      says: 'the command palette',
      hash: '#/tasks',
      act: async (page) => {
        await page.keyboard.press('Control+k');
        await page.getByPlaceholder(/Go to a page/).fill('a');
        await page.getByRole('option').first().waitFor();
      },
    },
    {
      name: 'shortcuts',
      says: 'dialog: the shortcuts',
      hash: '#/tasks',
      act: async (page) => {
        await page.keyboard.press('?');
        await page.getByRole('dialog').waitFor();
      },
    },
  ],
  'tasks/new': [
    { name: 'submit', says: 'a new task', hash: '#/tasks/new' },
    {
      name: 'submit-sweep',
      says: 'a sweep, and what it submits',
      hash: '#/tasks/new',
      act: fillSweep,
    },
    {
      name: 'submit-gang',
      says: 'tasks that start together',
      hash: '#/tasks/new',
      act: fillGang,
    },
    {
      name: 'submit-places',
      says: 'places to choose, showing what is free',
      hash: '#/tasks/new',
      act: async (page) => {
        await page.getByRole('textbox', { name: 'Command' }).fill('python train.py');
        const chosen = page.getByRole('radio', { name: 'Chosen places' });
        await chosen.check({ force: true });
        await page.getByRole('button', { name: /^beta GPU 1/ }).click();
      },
    },
  ],
  'tasks/:ref/*': [
    { name: 'task', says: 'a task that runs, and its output', hash: '#/tasks/llama-finetune-r3' },
    {
      name: 'task-use',
      says: 'the use of its GPUs and its node',
      hash: '#/tasks/llama-finetune-r3/use',
    },
    { name: 'task-waits', says: 'a task that waits, and why', hash: '#/tasks/whisper-batch' },
    { name: 'task-failed', says: 'a task that failed', hash: '#/tasks/benchmark-007' },
  ],
  queue: [{ name: 'queue', says: 'the queue', hash: '#/queue' }],
  batches: [{ name: 'batches', says: 'batches', hash: '#/batches?show=all' }],
  files: [{ name: 'files', says: 'files, two places side by side', hash: '#/files' }],
  'files/workspace': [
    {
      name: 'workspace',
      says: 'a workspace: files, an editor',
      hash: workspaceOf('train.py'),
      act: async (page) => {
        await page.getByRole('textbox', { name: 'Content of train.py' }).waitFor();
      },
    },
    {
      name: 'workspace-find',
      says: 'lines found in the files of a workspace',
      hash: workspaceOf('train.py'),
      act: async (page) => {
        await page.getByRole('radio', { name: 'Find in files' }).check({ force: true });
        await page.getByRole('textbox', { name: 'Text to find' }).fill('kohaku');
        await page.keyboard.press('Enter');
        await page.getByRole('treeitem', { name: /train\.py/ }).waitFor();
      },
    },
    {
      name: 'workspace-table',
      says: 'a CSV file as a table',
      hash: workspaceOf('sweep results (final).csv'),
      act: async (page) => {
        await page.getByRole('columnheader', { name: 'learning_rate' }).waitFor();
      },
    },
    {
      name: 'workspace-part',
      says: 'a part of a file too large to read whole',
      hash: workspaceOf('data/train.log'),
      act: async (page) => {
        await page.getByText(/^Bytes 0 to/).waitFor();
      },
    },
  ],
  vps: [
    { name: 'vps', says: 'VPSes as cards, and what they use', hash: '#/vps' },
    {
      name: 'vps-create',
      says: 'dialog: a new VPS',
      hash: '#/vps',
      act: async (page) => {
        await button(page, 'New VPS').click();
        await page.getByLabel('Name').fill('anna-lab');
        await page.getByLabel('Image', { exact: true }).fill('kohakuriver/torch-lab:base');
      },
    },
    {
      name: 'vps-import',
      says: 'dialog: a VPS from a file',
      hash: '#/vps',
      act: async (page) => {
        await button(page, 'Import…').click();
        await page.getByRole('dialog').waitFor();
      },
    },
    { name: 'vps-none', says: 'no VPSes yet', hash: '#/vps', variant: 'empty' },
  ],
  'vps/:ref/*': [
    { name: 'vps-one', says: 'a VPS', hash: '#/vps/anna-dev' },
    {
      name: 'vps-work',
      says: 'a VPS at work: two terminals side by side, its forwards above',
      hash: '#/vps/anna-dev',
      act: async (page) => {
        await button(page, 'Open terminal').click();
        await button(page, 'Split: another one beside it').click();
        await page.locator('.xterm').nth(1).waitFor();
        await page
          .getByRole('region', { name: 'Forwards' })
          .first()
          .evaluate((element) => element.scrollIntoView({ block: 'start' }));
      },
    },
    { name: 'vps-crashes', says: 'a VPS that crashes', hash: '#/vps/ben-eval' },
  ],
  environments: [
    { name: 'environments', says: 'environments', hash: '#/environments' },
    {
      name: 'environments-none',
      says: 'no environments yet',
      hash: '#/environments',
      variant: 'empty',
    },
  ],
  'environments/:name': [
    {
      name: 'environment',
      says: 'an environment that is worked on, its versions and where they are',
      hash: '#/environments/torch-lab',
    },
    { name: 'environment-failed', says: 'one that failed', hash: '#/environments/whisper' },
  ],
  diagnostics: [
    { name: 'diagnostics', says: 'how the core feels, its links, its log', hash: '#/diagnostics' },
  ],
  'settings/*': [
    { name: 'settings', says: 'settings', hash: '#/settings' },
    {
      name: 'settings-registry',
      says: 'dialog: an account at a registry',
      hash: '#/settings',
      act: async (page) => {
        const add = button(page, 'Add an account');
        await add.scrollIntoViewIfNeeded();
        await add.click();
        await page.getByLabel('Registry', { exact: true }).fill('registry.lab.example:5000');
        await page.getByLabel('Name', { exact: true }).fill('mio');
      },
    },
  ],
};

async function fillSweep(page: Page): Promise<void> {
  const command = page.getByRole('textbox', { name: 'Command' });
  await command.fill('python train.py --lr {LR} --seed {SEED}');
  await page.getByRole('radio', { name: 'Sweep' }).check({ force: true });
  await page.getByLabel('Parameter 1: name').fill('LR');
  await page.getByLabel('Parameter 1: values').fill('1e-3, 3e-4, 1e-4');
  await button(page, 'Add a parameter').click();
  await page.getByLabel('Parameter 2: name').fill('SEED');
  await page.getByLabel('Parameter 2: values').fill('1, 2, 3');
  await page.getByLabel('At most at a time').fill('4');
  await page.getByLabel('Time limit').fill('2h');
  await command.evaluate((element) => element.scrollIntoView({ block: 'center' }));
  await page.getByText('Would').first().waitFor();
}

async function fillGang(page: Page): Promise<void> {
  const command = page.getByRole('textbox', { name: 'Command' });
  await command.fill('torchrun --nnodes 4 train.py');
  await page.getByRole('radio', { name: 'Array' }).check({ force: true });
  await page.getByLabel('Numbers').fill('4');
  await page.getByLabel('All start together, or none').check();
  await page.getByLabel('GPUs', { exact: true }).fill('2');
  await command.evaluate((element) => element.scrollIntoView({ block: 'center' }));
  await page.getByText('Would').first().waitFor();
}

/** WebP: half the bytes of a PNG of the same look. */
async function picture(page: Page, path: string): Promise<void> {
  const cdp = await page.context().newCDPSession(page);
  const { data } = await cdp.send('Page.captureScreenshot', { format: 'webp', quality: 72 });
  await writeFile(path, Buffer.from(data, 'base64'));
}

async function routesOf(browser: Browser, gallery: ServedGallery): Promise<readonly string[]> {
  const page = await browser.newPage();
  await page.goto(gallery.address('rich', 'light', '#/'));
  const routes = await page.waitForFunction(() =>
    'galleryRoutes' in window ? (window.galleryRoutes as string[]) : undefined,
  );
  const found = (await routes.jsonValue()) ?? [];
  await page.close();
  return found;
}

interface Look {
  readonly theme: (typeof themes)[number];
  readonly size: (typeof sizes)[number];
}

/** Loads it anew: the fake core begins as it was. */
async function show(page: Page, address: string, shown: Shown, look: Look): Promise<void> {
  const { theme, size } = look;
  await page.goto('about:blank');
  await page.goto(address);
  await page.locator('main h1, main h2').first().waitFor();
  await page.evaluate(() => document.fonts.ready);
  await shown.act?.(page);
  // Charts and terminals draw a moment after their data came.
  await page.waitForTimeout(700);
  await picture(page, join(folder, `${shown.name}-${theme}-${String(size.width)}.webp`));
}

function readme(all: readonly Shown[]): string {
  const rows = all.map(({ name, says }) => {
    const links = themes.flatMap((theme) =>
      sizes.map(({ width }) => `[${theme} ${width}](${name}-${theme}-${width}.webp)`),
    );
    return `| ${name} | ${says} | ${links.join(' · ')} |`;
  });
  return `# Pictures of the app

Every page and the dialogs, in both themes, at 1440×900 and 1024×700. They are taken by
\`npm run screenshots\` of the real page on the gallery's fake core, which has every state at once; the
pictures in \`docs/images\`, which the README shows, are of a real core and real machines
(\`npm run screenshots:real\`). The list of pages comes from the app's own table of routes.

| name | what it shows | pictures |
| --- | --- | --- |
${rows.join('\n')}
`;
}

const gallery = await serveGallery();
const browser = await launchChromium();
try {
  const words = process.argv.slice(2);
  await mkdir(folder, { recursive: true });
  // Folders beside them have pictures of something else.
  if (words.length === 0)
    for (const name of await readdir(folder))
      if (name.endsWith('.webp')) await rm(join(folder, name));
  const routes = await routesOf(browser, gallery);
  const missing = routes.filter((route) => !Object.hasOwn(examples, route));
  if (missing.length > 0)
    throw new Error(`No example of these pages: ${missing.join(', ')}. Add them to examples.`);
  const all = routes.flatMap((route) => examples[route] ?? []);
  const { code } = await format('README.md', readme(all));
  await writeFile(join(folder, 'README.md'), code);
  const wanted = all.filter(
    ({ name }) => words.length === 0 || words.some((word) => name.includes(word)),
  );
  const failed: string[] = [];
  // One after the other: a browser draws the pages behind its front one seldom.
  for (const theme of themes) {
    for (const size of sizes) {
      const context = await browser.newContext({ viewport: size, reducedMotion: 'reduce' });
      const page = await context.newPage();
      page.setDefaultTimeout(15_000);
      for (const shown of wanted) {
        const address = gallery.address(shown.variant ?? 'rich', theme, shown.hash);
        await show(page, address, shown, { theme, size }).catch((error: unknown) =>
          failed.push(`${shown.name}: ${String(error)}`),
        );
      }
      await context.close();
      process.stdout.write(`${theme} ${String(size.width)}: ${String(wanted.length)} pictures\n`);
    }
  }
  if (failed.length > 0) throw new Error(failed.join('\n'));
} finally {
  await browser.close();
  await gallery.close();
}
