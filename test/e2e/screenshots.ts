// The pictures of the README, taken of the real thing: a core, three testbed nodes with scripted
// GPUs, and tasks as a small lab has them. Run by hand: `npm run screenshots:real`, or
// `npm run screenshots:real -- submit tasks` for some of them.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { TaskSubmissionInput } from '../../src-main/contract/task.ts';
import { until } from '../support/core-client.ts';
import { gpus, Testbed, type Gpu, type GpuModel } from '../support/testbed.ts';
import { root } from '../support/built.ts';
import { openApp, type OpenApp } from './support/app.ts';

const images = join(root, 'docs/images');
const vessel = { kind: 'image', reference: 'river/busybox:1' } as const;
const machines = { alpha: 'n1', beta: 'n2', gamma: 'n3' } as const;

const models: Readonly<Record<keyof typeof machines, readonly [number, GpuModel]>> = {
  alpha: [8, 'H100'],
  beta: [4, 'A100'],
  gamma: [4, 'RTX4090'],
};
const all = Object.fromEntries(
  Object.entries(models).map(([name, [count, model]]) => [name, gpus(count, model)]),
) as Record<keyof typeof machines, Gpu[]>;

/** `/lab/train --run NAME --steps N --pause SECONDS`: prints as a training does, in colour, with warnings on stderr. */
const train = String.raw`#!/bin/sh
run=$2 steps=$4 pause=$6
world=$(echo "$NVIDIA_VISIBLE_DEVICES" | tr ',' '\n' | wc -l)
printf '\033[1m%s\033[0m  world size %d\n' "$run" "$world"
printf '\033[36m[data]\033[0m  1,204,118 samples in 96 shards\n'
printf '\033[36m[model]\033[0m 7.24 B parameters, bf16, flash attention\n'
echo 'UserWarning: 3 shards have no checksum; they are read without one' >&2
i=0
while [ $i -lt $steps ]; do
  i=$((i + 1)) n=$((i * 24 / steps)) bar= k=0
  while [ $k -lt 24 ]; do
    if [ $k -lt $n ]; then bar="$bar━"; else bar="$bar·"; fi
    k=$((k + 1))
  done
  printf '\033[32mstep %4d\033[0m \033[34m%s\033[0m  loss \033[33m1.%03d\033[0m  lr 2.0e-05  %d tok/s\n' \
    $i "$bar" $((120 + 24000 / (i + 30) + i * 37 % 23)) $((41200 + i * 137 % 900))
  [ $((i % 25)) -ne 0 ] || printf '\033[35m[checkpoint]\033[0m saved to /data/runs/%s/step-%04d\n' "$run" $i
  sleep $pause
done
`;

const trains = (name: string, steps: number, pause: number): TaskSubmissionInput['work'] => ({
  kind: 'command',
  argv: ['/lab/train', '--run', name, '--steps', String(steps), '--pause', String(pause)],
});

const job = (
  name: string,
  gpuCount: number,
  more: Partial<TaskSubmissionInput> = {},
): TaskSubmissionInput => ({
  name,
  vessel,
  memoryBytes: 2 ** 30,
  ...(gpuCount === 0 ? {} : { gpus: { count: gpuCount } }),
  mounts: [{ source: '/opt/lab', destination: '/lab', readOnly: true }],
  work: trains(name, 900, 0.6),
  ...more,
});

/** GPUs whose use is what the tasks on them would make it. */
function inUse(own: readonly Gpu[], busy: ReadonlyMap<number, number>): Gpu[] {
  return own.map((gpu, index) => {
    const percent = busy.get(index) ?? 0;
    const limit = Number(gpu.fields?.['power.limit'] ?? 300);
    return {
      ...gpu,
      fields: {
        ...gpu.fields,
        'utilization.gpu': percent,
        'memory.used': Math.round(gpu.memoryMiB * (percent === 0 ? 0.004 : 0.45 + percent / 250)),
        'temperature.gpu': percent === 0 ? 31 + index : 48 + Math.round(percent / 4) + index,
        'power.draw': (limit * (0.14 + percent / 130)).toFixed(2),
      },
    };
  });
}

async function addNodes(bed: Testbed, { core }: OpenApp): Promise<void> {
  for (const [name, machine] of Object.entries(machines)) {
    const { address } = bed.node(machine);
    await core.api.nodes.add({
      name,
      destination: { host: address, user: 'ops' },
      identityFile: bed.keyPath,
      useSshConfig: false,
      jumps: [],
      consent: 'any-new',
    });
    await bed.exec(
      machine,
      ['sh', '-c', 'mkdir -p /opt/lab && cat > /opt/lab/train && chmod 755 /opt/lab/train'],
      { input: train },
    );
  }
  const [here] = (await core.api.nodes.list()).filter(({ local }) => local);
  await core.api.nodes.rename({ node: here!.id, name: 'desk' });
}

/** A morning of work: some ended, one failed, most running, three waiting. */
async function work({ core }: OpenApp): Promise<{ shown: string }> {
  const first: TaskSubmissionInput[] = [
    ...['tokenize-corpus', 'eval-mmlu', 'export-onnx'].map((name, n) =>
      job(name, 0, { targets: ['gamma'], work: trains(name, 12, 0.05 + n / 10) }),
    ),
    job('ablation-lr-3e4', 1, {
      targets: ['beta'],
      work: {
        kind: 'script',
        text: `/lab/train --run ablation-lr-3e4 --steps 8 --pause 0.1\necho 'RuntimeError: loss is nan at step 8' >&2\nexit 1`,
      },
    }),
  ];
  for (const submission of first) await core.reaches(await core.submit(submission));
  const shown = await core.submit(job('llama-finetune-r3', 6, { targets: ['alpha'] }));
  await core.reaches(shown, ['RUNNING']);
  const others: TaskSubmissionInput[] = [
    job('sdxl-lora', 2, { targets: ['beta'] }),
    job('whisper-batch', 1, { targets: ['gamma'] }),
    job('render-frames', 1, { targets: ['gamma'] }),
    {
      name: 'nightly-backup-check',
      targets: ['desk'],
      vessel: { kind: 'process' },
      work: {
        kind: 'script',
        text: 'for shard in $(seq 96); do echo "shard $shard of 96: ok"; sleep 5; done',
      },
    },
  ];
  for (const other of others) await core.reaches(await core.submit(other), ['RUNNING']);
  await core.submit(job('pretrain-ablation', 8, { priority: 10 }));
  await core.submit(job('vit-distill', 4, { gpus: { count: 4, model: 'A100' } }));
  await core.submit(job('sweep-dropout', 1, { hold: true }));
  return { shown };
}

/** What nvidia-smi then says: the tasks' GPUs are busy, and one of beta is somebody else's. */
async function makeBusy(bed: Testbed, { core }: OpenApp, wobble: number): Promise<void> {
  const nodes = await core.api.nodes.list();
  for (const [name, machine] of Object.entries(machines) as [keyof typeof machines, string][]) {
    const held = nodes.find((node) => node.name === name)?.allocated.gpus ?? [];
    const busy = new Map(
      held.map(({ uuid }) => {
        const index = all[name].findIndex((gpu) => gpu.uuid === uuid);
        return [index, Math.min(100, 71 + ((index * 37 + name.length * 11 + wobble * 7) % 28))];
      }),
    );
    if (name === 'beta') busy.set(3, 64);
    await bed.setGpus(machine, { gpus: inUse(all[name], busy) });
  }
}

async function take(app: OpenApp, shown: string): Promise<void> {
  const { page } = app;
  const nodes = await app.core.api.nodes.list();
  const alpha = nodes.find(({ name }) => name === 'alpha')!;
  const places: Readonly<Record<string, () => Promise<void>>> = {
    overview: () => app.go('#/'),
    nodes: () => app.go('#/nodes'),
    node: () => app.go(`#/nodes/${alpha.id}`),
    tasks: () => app.go('#/tasks'),
    submit: async () => {
      await app.go('#/tasks/new');
      await page.getByRole('radio', { name: 'Script' }).check();
      await page
        .getByRole('textbox', { name: 'Script' })
        .fill(
          'cd /data/llama\ntorchrun --nproc-per-node 2 train.py \\\n  --config r4.yaml --resume',
        );
      await page.getByRole('radio', { name: 'Image' }).check();
      await page.getByRole('textbox', { name: 'Image' }).fill('pytorch/pytorch:2.5.1-cuda12.4');
      await page.getByRole('textbox', { name: 'Memory', exact: true }).fill('4G');
      await page.getByRole('textbox', { name: 'GPUs', exact: true }).fill('2');
      await page.getByRole('textbox', { name: 'Memory at least' }).fill('40G');
      await page.getByRole('textbox', { name: /^Name/ }).fill('llama-finetune-r4');
      await page.getByText('fits now').first().waitFor();
      await page.evaluate(() => (document.activeElement as HTMLElement).blur());
      const top = page.getByRole('radio', { name: 'Command' });
      await top.evaluate((element) => element.scrollIntoView({ block: 'center' }));
    },
    'task-log': async () => {
      await app.go(`#/tasks/${shown}`);
      await page
        .getByText(/checkpoint/)
        .first()
        .waitFor();
    },
  };
  const wanted = process.argv.slice(2);
  for (const [name, show] of Object.entries(places)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    for (const theme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
      await show();
      await page.getByRole('heading', { level: 1 }).waitFor();
      await page.evaluate(() => document.fonts.ready);
      // Charts and the terminal draw a moment after their data came.
      await page.waitForTimeout(1500);
      await page.mouse.move(720, 2);
      await page.screenshot({ path: join(images, `${name}-${theme}.png`) });
    }
    process.stdout.write(`${name}\n`);
  }
}

await mkdir(images, { recursive: true });
await using bed = await Testbed.up({
  nodes: 3,
  registry: false,
  images: ['river/busybox'],
  gpus: {
    n1: { gpus: inUse(all.alpha, new Map()) },
    n2: { gpus: inUse(all.beta, new Map()) },
    n3: { gpus: inUse(all.gamma, new Map()) },
  },
});
await using app = await openApp('#/');
await addNodes(bed, app);
await bed.occupyGpu('n2', { user: 'plain', gpu: 3, memoryMiB: 31_400 });
const { shown } = await work(app);
// A few minutes of measurements, so that the curves have a shape.
const end = Date.now() + Number(process.env['SCREENSHOT_HISTORY_SECONDS'] ?? 150) * 1000;
let wobble = 0;
await until(
  async () => {
    await makeBusy(bed, app, (wobble += 1));
    await new Promise((resolve) => setTimeout(resolve, 4000));
    return Date.now() > end;
  },
  'there is enough to show',
  Number.POSITIVE_INFINITY,
);
await take(app, shown);
