import { fireEvent, screen, waitFor, within } from '@testing-library/svelte';
import { describe, expect, test } from 'vitest';
import { alertsOf } from '../../src-renderer/lib/alerts.ts';
import { filterGpus, sortGpus, summaryOf } from '../../src-renderer/lib/gpu-query.ts';
import { countKinds, gpuCells, type GpuCell } from '../../src-renderer/lib/gpus.ts';
import { FakeCore } from '../../src-renderer/lib/fake/fake-core.ts';
import { fakeSample } from '../../src-renderer/lib/fake/fake-metrics.ts';
import { renderApp } from './support/app.ts';

const at = Date.UTC(2026, 2, 1, 14);
const core = new FakeCore('rich', () => at);
const cells: GpuCell[] = core.nodes.flatMap((node) => [
  ...gpuCells(node, node.state === 'online' ? fakeSample(node, at) : undefined),
]);
const nobody = () => undefined;
const holder = ({ use }: GpuCell) => {
  const task = use.kind === 'ours' ? core.task(use.taskId) : undefined;
  return task === undefined ? undefined : { title: task.name ?? '', owner: task.owner };
};
const names = (list: readonly GpuCell[]) =>
  list.map(({ node, gpu }) => `${node.name}/${gpu.index}`);

describe('finding GPUs', () => {
  test('each counts as one kind, what is ill as nothing else', () => {
    const counts = countKinds(cells);
    expect(counts).toMatchObject({ ours: 10, foreign: 1, ill: 1 });
    // The free GPU of the node out of reach is not promised to anybody.
    expect(Object.values(counts).reduce((sum, each) => sum + each, 0)).toBe(cells.length - 1);
  });

  test('the same node and sample answer the very same cells', () => {
    const [node] = core.nodes;
    const sample = fakeSample(node!, at);
    expect(gpuCells(node!, sample)).toBe(gpuCells(node!, sample));
    expect(gpuCells(node!, fakeSample(node!, at + 1))).not.toBe(gpuCells(node!, sample));
  });

  test('by words of the node, the model, the task, its owner and foreign users', () => {
    const found = (text: string) => names(filterGpus(cells, { text }, holder));
    expect(found('alpha anna')).toEqual(['alpha/6']);
    expect(found('llama-finetune')).toEqual(['alpha/0', 'alpha/1', 'alpha/2', 'alpha/3']);
    expect(found('pid 3312')).toEqual(['beta/0']);
    expect(found('A100 FREE')).toEqual(['beta/1', 'beta/3']);
    expect(found('nothing like it')).toEqual([]);
  });

  test('by kind, model and node together', () => {
    const filter = { kind: 'ours', model: 'NVIDIA A100-SXM4-40GB' } as const;
    expect(names(filterGpus(cells, filter, nobody))).toEqual(['beta/2']);
    const gamma = core.node('gamma')!.id;
    expect(names(filterGpus(cells, { kind: 'ill', nodeId: gamma }, nobody))).toEqual(['gamma/3']);
  });

  test('figures go from high to low, and what is not known stands last either way', () => {
    for (const isReversed of [false, true]) {
      const sorted = sortGpus(cells, { sort: 'temperature', isReversed }, nobody);
      const figures = sorted.map(({ sample }) => sample?.temperatureC ?? null);
      const known = figures.filter((each) => each !== null);
      expect(known).toEqual([...known].sort((a, b) => (isReversed ? a - b : b - a)));
      expect(figures.slice(known.length)).toEqual(figures.slice(known.length).map(() => null));
      expect(known.length).toBeLessThan(figures.length);
    }
    expect(names(sortGpus(cells, { sort: 'place', isReversed: true }, nobody))).toEqual(
      names(cells).reverse(),
    );
  });

  test('sums count only what is known', () => {
    const summary = summaryOf(cells);
    expect(summary.held).toBe(10);
    expect(summary.hottestC).toBe(
      Math.max(...cells.flatMap(({ sample }) => sample?.temperatureC ?? [])),
    );
    expect(summaryOf([])).toMatchObject({ use: null, powerW: null, hottestC: null });
  });
});

describe('alerts', () => {
  const status = { tasks: { LOST: 2 }, vault: { state: 'open' } } as Parameters<typeof alertsOf>[1];

  test('the worst first, the same trouble on several nodes once', () => {
    const [desk, alpha, beta] = core.nodes;
    const twins = [desk!, { ...alpha!, findings: desk!.findings }, { ...beta!, findings: [] }];
    const alerts = alertsOf([...twins, core.node('old-faithful')!], status);
    expect(alerts.map(({ level, title }) => `${level}: ${title}`)).toEqual([
      'error: 2 tasks lost',
      'error: old-faithful is offline',
      'warning: desk and alpha: Docker cannot hand out GPUs',
    ]);
  });

  test('none where all is well', () => {
    expect(alertsOf([core.node('alpha')!], undefined)).toEqual([]);
  });
});

describe('the page of GPUs', () => {
  const rows = () =>
    screen
      .getAllByRole('row')
      .slice(1)
      .map((row) => row.getAttribute('aria-label'));

  test('a field cell says who holds it and leads there', async () => {
    renderApp('#/');
    const cell = await screen.findByRole('button', {
      name: /alpha GPU 6: Held by diffusion-sweep-07 \(anna\)/,
    });
    await fireEvent.click(cell);
    await screen.findByRole('heading', { name: 'diffusion-sweep-07' });
  });

  test('one that nobody of ours holds leads to its own page, with the processes on it', async () => {
    renderApp('#/');
    await fireEvent.click(await screen.findByRole('button', { name: /beta GPU 0: Used by anna/ }));
    await screen.findByRole('heading', { name: 'GPU 0 of beta' });
    const row = (await screen.findByText('3312')).closest('tr')!;
    within(row).getByText('anna');
    within(row).getByText('20 GiB');
  });

  test('kinds that occur can be chosen, and the address keeps the choice', async () => {
    renderApp('#/gpus?view=map');
    await fireEvent.click(await screen.findByRole('button', { name: /^Foreign\s*1/ }));
    await waitFor(() => expect(screen.getAllByRole('link', { name: /GPU \d+:/ })).toHaveLength(1));
    screen.getByRole('link', { name: /beta GPU 0: .* Used by anna/ });
    expect(window.location.hash).toContain('who=foreign');
    expect(screen.queryByRole('button', { name: /^Other cores/ })).toBeNull();
  });

  test('a filter that fits nothing says so and is cleared', async () => {
    renderApp('#/gpus?text=quantum');
    await screen.findByRole('heading', { name: 'No GPU matches' });
    await fireEvent.click(screen.getByRole('button', { name: 'Clear the filter' }));
    await screen.findByRole('grid', { name: 'GPUs' });
    expect(rows().length).toBeLessThanOrEqual(cells.length);
  });

  test('without GPUs it leads to adding a node, an unknown one leads back', async () => {
    const { unmount } = renderApp('#/gpus', { variant: 'first' });
    await screen.findByRole('heading', { name: 'No GPUs yet' });
    unmount();
    renderApp('#/gpus/GPU-of-nobody');
    await screen.findByRole('heading', { name: 'There is no such GPU' });
  });
});
