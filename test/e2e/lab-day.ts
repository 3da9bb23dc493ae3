// A day in a small lab, acted out on the real thing: a core, three testbed machines with scripted GPUs,
// three people at the command line, a second core with work of its own on one of the machines, and a
// program on a GPU that no queue knows of. Prints what they type, and takes the pictures of Queue and
// Why in docs/screenshots/lab-day; docs/lab-day.md tells the same day. Run by hand: `npm run lab-day`.
import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { QueueOutlook } from '../../src-main/contract/queue.ts';
import type { TaskView } from '../../src-main/contract/task.ts';
import { startCoreProcess, temporaryDataDir, type CoreProcess } from '../support/core-process.ts';
import { until } from '../support/core-client.ts';
import { gpus, Testbed, type GpuModel } from '../support/testbed.ts';
import { ensureBuilt, root } from '../support/built.ts';
import { openApp, type OpenApp } from './support/app.ts';

const pictures = join(root, 'docs/screenshots/lab-day');
const machines = { alpha: 'n1', beta: 'n2', gamma: 'n3' } as const;
type Name = keyof typeof machines;
const models: Readonly<Record<Name, readonly [number, GpuModel]>> = {
  alpha: [8, 'H100'],
  beta: [4, 'A100'],
  gamma: [4, 'RTX4090'],
};

/** What they type, in this order. What runs does nothing for as long as it may. */
const lines = {
  rules: ['config', 'set', 'queue.waitMinutes', '1'],
  demo: words('reservation add beta --from 40m --for 4h --owner chloe --note demo'),
  finetune: words('--owner anna --name llama-finetune --gpus 4 --gpu-model h100 --time-limit 50m'),
  eval: words('--owner anna --name eval --array 8%3 --gpus 1 --time-limit 25m'),
  sweep: words('--owner ben --name lr-sweep --sweep LR=1e-3,3e-4 --sweep SEED=1,2,3 --gpus 1'),
  gang: words('--owner chloe --name ddp -t beta -t gamma --gpus 2 --gang --time-limit 30m'),
  whole: words('--owner ben --name finetune-70b --gpus 8 --gpu-model h100 --time-limit 12h'),
  check: words('--owner anna --name quick-check --gpus 1 --time-limit 10m'),
} as const;

function words(line: string): readonly string[] {
  return line.split(' ');
}

/** A line at a shell. Gives what the command answered. */
async function says(dataDir: string, line: readonly string[]): Promise<string> {
  process.stdout.write(`$ kohakuriver ${line.join(' ')}\n`);
  const argv = ['--data-dir', dataDir, ...line];
  const { stdout } = await promisify(execFile)(join(root, 'bin/kohakuriver'), argv);
  return stdout.trim();
}

/** Submits, and gives the IDs. */
async function submits({ dataDir }: OpenApp, line: readonly string[]): Promise<string[]> {
  const whole = ['task', 'submit', '--image', 'river/busybox:1', ...line, '--', 'sleep', '6h'];
  return (await says(dataDir, whole)).split('\n');
}

async function addNode({ api }: CoreProcess, bed: Testbed, name: Name): Promise<void> {
  await api.nodes.add({
    name,
    destination: { host: bed.node(machines[name]).address, user: 'ops' },
    identityFile: bed.keyPath,
    useSshConfig: false,
    jumps: [],
    consent: 'any-new',
  });
}

/** Eve has an app of her own, which knows nothing of this one: only the machine knows both. */
async function rendersElsewhere(core: CoreProcess, bed: Testbed): Promise<void> {
  await addNode(core, bed, 'gamma');
  const render = await core.submit({
    name: 'render-scene-4',
    targets: ['gamma'],
    gpus: { count: 2 },
    vessel: { kind: 'image', reference: 'river/busybox:1' },
    work: { kind: 'command', argv: ['sleep', '6h'] },
  });
  await core.reaches(render, ['RUNNING']);
}

async function outlookOf({ core }: OpenApp): Promise<QueueOutlook> {
  const signal = AbortSignal.timeout(20_000);
  for await (const { value } of await core.api.queue.watch(undefined, { signal })) return value;
  throw new Error('the queue says nothing');
}

async function named({ core }: OpenApp, name: string): Promise<TaskView[]> {
  return (await core.api.tasks.list({ filter: { nameGlob: `${name}*` } })).rows;
}

async function runs(app: OpenApp, name: string, count: number): Promise<void> {
  await until(
    async () => {
      const running = (await named(app, name)).filter(({ status }) => status === 'RUNNING');
      return running.length === count;
    },
    `${String(count)} of ${name} run`,
    120_000,
  );
}

/** Until everything is in its place. Gives the task that waits for all of alpha. */
async function day(app: OpenApp): Promise<string> {
  await says(app.dataDir, lines.rules);
  await says(app.dataDir, lines.demo);
  await submits(app, lines.finetune);
  await runs(app, 'llama-finetune', 1);
  await submits(app, lines.eval);
  await runs(app, 'eval', 3);
  const sweep = await submits(app, [...lines.sweep, '--time-limit', '30m']);
  await runs(app, 'lr-sweep', 6);
  const gang = await submits(app, lines.gang);
  const [whole = ''] = await submits(app, lines.whole);
  // The gang has its room kept once it has waited a minute, by the next pass of the planner.
  const asked = Date.now();
  await until(() => Date.now() - asked > 65_000, 'a minute is over', 90_000);
  // Ben ends one that diverges: a GPU of alpha is free, which nobody who waits can use alone.
  const onAlpha = (await named(app, 'lr-sweep')).find(({ node }) => node === 'alpha');
  await says(app.dataDir, ['task', 'kill', onAlpha?.id ?? sweep[0] ?? '']);
  await until(
    async () => (await named(app, 'lr-sweep')).some(({ status }) => status === 'KILLED'),
    'one of the sweep is over',
  );
  await submits(app, lines.check);
  await runs(app, 'quick-check', 1);
  await until(
    async () => {
      const kept = new Set((await outlookOf(app)).kept.map(({ taskId }) => String(taskId)));
      return [...gang, whole].every((id) => kept.has(id));
    },
    'room is kept for those that wait',
    180_000,
  );
  return whole;
}

async function take(app: OpenApp, whole: string): Promise<void> {
  const { page } = app;
  const places: Readonly<Record<string, () => Promise<void>>> = {
    queue: async () => {
      await app.go('#/queue');
      await page.getByRole('grid', { name: 'Waiting' }).getByText('finetune-70b').click();
      await page.getByRole('heading', { name: 'finetune-70b' }).waitFor();
    },
    why: async () => {
      await app.go(`#/tasks/${whole}`);
      await page.getByRole('heading', { name: 'Why it waits' }).waitFor();
    },
  };
  for (const [name, show] of Object.entries(places)) {
    for (const theme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
      await show();
      await page.evaluate(() => document.fonts.ready);
      // What the page asked for has come, and is drawn.
      await page.waitForTimeout(1500);
      await page.mouse.move(720, 2);
      await page.screenshot({ path: join(pictures, `${name}-${theme}.png`) });
    }
  }
}

await mkdir(pictures, { recursive: true });
await ensureBuilt();
await using bed = await Testbed.up({
  nodes: 3,
  registry: false,
  images: ['river/busybox'],
  gpus: Object.fromEntries(
    Object.entries(models).map(([name, [count, model]]) => [
      machines[name as Name],
      { gpus: gpus(count, model) },
    ]),
  ),
});
for (const machine of Object.values(machines)) await bed.claimProcessors(machine, 32);
await bed.occupyGpu('n2', { user: 'plain', gpu: 3, memoryMiB: 21_300, name: '/usr/bin/jupyter' });
await using elsewhere = await temporaryDataDir();
const other = await startCoreProcess(elsewhere.path);
await using app = await openApp('#/');
try {
  await rendersElsewhere(other, bed);
  for (const name of Object.keys(machines) as Name[]) await addNode(app.core, bed, name);
  const [here] = (await app.core.api.nodes.list()).filter(({ local }) => local);
  await app.core.api.nodes.rename({ node: here!.id, name: 'desk' });
  const whole = await day(app);
  process.stdout.write(`\n${await says(app.dataDir, ['task', 'list'])}\n`);
  process.stdout.write(`\n${await says(app.dataDir, ['task', 'why', whole])}\n`);
  await take(app, whole);
} finally {
  await other.stop();
}
if (app.complaints.length > 0) throw new Error(app.complaints.join('\n'));
