import { fireEvent, screen, waitFor, within } from '@testing-library/svelte';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TaskId } from '../../src-main/contract/ids.ts';
import type { ReservationId } from '../../src-main/contract/queue.ts';
import type { ProcessInfo } from '../../src-main/contract/node.ts';
import type { TaskView } from '../../src-main/contract/task.ts';
import { FakeCore } from '../../src-renderer/lib/fake/fake-core.ts';
import { gpuCells } from '../../src-renderer/lib/gpus.ts';
import { targetOn } from '../../src-renderer/lib/placement-wish.ts';
import { orderProcesses } from '../../src-renderer/lib/process-order.ts';
import { priorityBetween, priorityTowards } from '../../src-renderer/lib/queue-drop.ts';
import { fromLocalInput, parseGpuList, toLocalInput } from '../../src-renderer/lib/reserve.ts';
import { shareOf, timelineOf } from '../../src-renderer/lib/timeline.ts';
import { renderApp } from './support/app.ts';

const at = Date.UTC(2026, 2, 1, 14);
const core = new FakeCore('rich', () => at);

interface Waiting {
  id: TaskId;
  priority: number;
  submittedAt: number;
}
const byOrder = (a: Waiting, b: Waiting) =>
  b.priority - a.priority || a.submittedAt - b.submittedAt;

describe('moving a task in the queue', () => {
  const queue = fc
    .array(fc.integer({ min: -100, max: 100 }), { minLength: 2, maxLength: 12 })
    .map((priorities) =>
      priorities
        .map((priority, n) => ({ id: String(100 + n) as TaskId, priority, submittedAt: n }))
        .sort(byOrder),
    );

  test('puts it where it was dropped, or says that no priority does', () => {
    fc.assert(
      fc.property(queue, fc.nat(), fc.nat(), (waiting, from, to) => {
        const moved = waiting[from % waiting.length]!;
        const others = waiting.filter((task) => task !== moved);
        const place = to % (others.length + 1);
        const above = others[place - 1];
        const below = others[place];
        const priority = priorityBetween(moved, above, below);
        const outcomes = Array.from({ length: 201 }, (_, n) => n - 100).filter(
          (each) =>
            [...others, { ...moved, priority: each }]
              .sort(byOrder)
              .findIndex(({ id }) => id === moved.id) === place,
        );
        // Nearest of all that work; undefined only when none does.
        const distance = (each: number) => Math.abs(each - moved.priority);
        if (priority === undefined) expect(outcomes).toEqual([]);
        else {
          expect(outcomes).toContain(priority);
          expect(distance(priority)).toBe(Math.min(...outcomes.map(distance)));
        }
      }),
    );
  });
});

test('where all have the same priority, a task goes past all of them', () => {
  const [first, second, third] = ['1', '2', '3'].map((id, n) => ({
    id: id as TaskId,
    priority: 100,
    submittedAt: n,
  }));
  const between = { above: first, below: second };
  const low = (task: typeof first) => ({ ...task!, priority: 0 });
  const lower = { above: low(first), below: low(second) };
  expect(priorityTowards(low(third), lower, 'up')).toBe(1);
  expect(priorityTowards(low(first), { above: low(second), below: low(third) }, 'down')).toBe(-1);
  expect(priorityTowards(third!, between, 'up')).toBeUndefined();
});

describe('what runs, over time', () => {
  const llama = core.task('llama-finetune-r3')!;
  const tasks = core.tasks.filter(({ status }) => status === 'RUNNING' || status === 'PAUSED');

  test('GPUs beside each other are one bar, those apart are several', () => {
    const alpha = timelineOf(core.nodes, tasks).find(({ node }) => node.name === 'alpha')!;
    expect(alpha.gpuLanes).toBe(8);
    expect(alpha.bars.map(({ lane, lanes }) => [lane, lanes]).sort()).toEqual([
      [0, 4],
      [6, 1],
    ]);
    const apart = { ...llama, gpus: [0, 2, 3].map((n) => core.node('alpha')!.facts!.gpus[n]!) };
    const [line] = timelineOf([core.node('alpha')!], [apart]);
    expect(line!.bars.map(({ lane, lanes }) => [lane, lanes])).toEqual([
      [0, 1],
      [2, 2],
    ]);
  });

  test('without a GPU it has a lane of its own, and more than three are counted', () => {
    const plain: TaskView[] = Array.from({ length: 5 }, (_, n) => ({
      ...llama,
      id: String(n) as TaskId,
      gpus: [],
      timeLimitSeconds: 60,
      startedAt: at,
    }));
    const [line] = timelineOf([core.node('alpha')!], plain);
    expect(line).toMatchObject({ gpuLanes: 8, lanes: 11, more: 2 });
    expect(line!.bars[0]).toMatchObject({ lane: 8, from: at, until: at + 60_000 });
  });

  test('moments beyond the ends are cut', () => {
    expect([-5, 0, 5, 10, 15].map((each) => shareOf(each, 0, 10))).toEqual([0, 0, 0.5, 1, 1]);
  });
});

describe('what is kept, over time', () => {
  const alpha = core.node('alpha')!;
  const reservation = {
    id: '7' as ReservationId,
    nodeId: alpha.id,
    node: 'alpha',
    gpus: null,
    from: at,
    to: at + 1000,
    owners: ['bert'],
    note: null,
    by: 'bert',
  };

  test('a whole node is one mark over all lanes, GPUs beside each other are one', () => {
    const [line] = timelineOf([alpha], [], {
      reservations: [reservation, { ...reservation, id: '8' as ReservationId, gpus: [0, 1, 5] }],
      kept: [{ taskId: '9' as TaskId, name: 'x', owner: 'anna', nodeId: alpha.id, gpus: [2], at }],
    });
    expect(line!.marks.map(({ kind, lane, lanes }) => [kind, lane, lanes])).toEqual([
      ['reserved', 0, 8],
      ['reserved', 0, 2],
      ['reserved', 5, 1],
      ['kept', 2, 1],
    ]);
  });

  test('a node without GPUs that is reserved has a line', () => {
    const plain = { ...alpha, facts: null };
    expect(timelineOf([plain], [])).toEqual([]);
    const [line] = timelineOf([plain], [], { kept: [], reservations: [reservation] });
    expect(line).toMatchObject({ lanes: 1, marks: [{ lane: 0, lanes: 1 }] });
  });

  test('local times and lists of GPUs are read as they are written', () => {
    expect(fromLocalInput(toLocalInput(at))).toBe(at);
    expect(fromLocalInput('')).toBeUndefined();
    expect(['', ' 0, 3', '1 2', 'a', '-1'].map(parseGpuList)).toEqual([
      null,
      [0, 3],
      [1, 2],
      undefined,
      undefined,
    ]);
  });
});

test('the timeline tells what was let ahead, and leads to what room is kept for', async () => {
  const { client } = renderApp('#/queue');
  const first = client.core.task('tokenizer-train')!.id;
  await client.api.tasks.setPriority({ tasks: [first], priority: 50 });
  const timeline = await screen.findByRole('group', { name: 'What runs, and until when' });
  const ahead = await within(timeline).findByTitle(/^eval-mmlu \(kenji\).*ahead of others/);
  expect(ahead.getAttribute('href')).toContain(client.core.task('eval-mmlu')!.id);
  const legend = screen.getByRole('list', { name: 'What the bars mean' });
  within(legend).getByText('started ahead of others that wait for more room');
  const aside = screen.getByRole('complementary', { name: /^Why it waits/ });
  await within(aside).findByRole('heading', { name: 'tokenizer-train' });
  await fireEvent.click(within(timeline).getByTitle(/^kept for llama-finetune-r4/));
  await within(aside).findByRole('heading', { name: 'llama-finetune-r4' });
  expect(window.location.hash).toBe('#/queue');
});

test('a node is reserved and given free again', async () => {
  const { client } = renderApp('#/queue');
  const panel = await screen.findByRole('region', { name: 'Reservations' });
  await within(panel).findByText('Nothing is reserved.');
  await fireEvent.click(within(panel).getByRole('button', { name: 'Reserve…' }));
  const dialog = await screen.findByRole('dialog', { name: 'Reserve a node' });
  const gpus = within(dialog).getByLabelText(/GPUs/);
  await fireEvent.input(gpus, { target: { value: '0,99' } });
  await within(dialog).findByText(/This node has one GPU/);
  const reserve = within(dialog).getByRole<HTMLButtonElement>('button', { name: 'Reserve' });
  expect(reserve.disabled).toBe(true);
  await fireEvent.input(gpus, { target: { value: '0' } });
  await waitFor(() => expect(reserve.disabled).toBe(false));
  await fireEvent.click(reserve);
  await within(panel).findByText('desk, GPU 0');
  const [made] = await client.api.reservations.list();
  expect(made).toMatchObject({ node: 'desk', gpus: [0] });
  await fireEvent.click(
    within(panel).getByRole('button', { name: 'Remove the reservation of desk, GPU 0' }),
  );
  const question = await screen.findByRole('dialog', { name: 'Remove this reservation?' });
  await fireEvent.click(within(question).getByRole('button', { name: 'Remove' }));
  await within(panel).findByText('Nothing is reserved.');
});

test('the shares that decide between owners are numbers with their rule', async () => {
  renderApp('#/queue');
  const panel = await screen.findByRole('region', { name: 'Shares' });
  expect((await within(panel).findAllByRole('row')).length).toBeGreaterThan(1);
  within(panel).getByText(/Score = GPU time × 8 \+ core time/);
});

describe('asking for a GPU', () => {
  const beta = gpuCells(core.node('beta')!, undefined);
  const wants = (count: number) => ({ gpuRequest: { count }, target: null });

  test('takes the chosen one and the free ones nearest to it', () => {
    // GPU 2 is held; 3 shares its NUMA node.
    expect(targetOn(wants(1), beta[3]!, beta)).toBe('beta::3');
    expect(targetOn(wants(2), beta[1]!, beta)).toBe('beta::0,1');
    expect(targetOn(wants(2), beta[3]!, beta)).toBe('beta::0,3');
    expect(targetOn(wants(4), beta[0]!, beta)).toBe('beta::0,1,2,3');
  });

  test('keeps the number of GPUs that a target names, and refuses what the node has not', () => {
    expect(targetOn({ gpuRequest: null, target: 'alpha::4,5' }, beta[1]!, beta)).toBe('beta::0,1');
    expect(targetOn({ gpuRequest: null, target: null }, beta[1]!, beta)).toBe('beta::1');
    expect(targetOn(wants(5), beta[0]!, beta)).toBeUndefined();
  });
});

test('processes are sorted both ways and found by words', () => {
  const process = (pid: number, over: Partial<ProcessInfo> = {}): ProcessInfo => ({
    pid,
    user: 'root',
    cpuPercent: 0,
    memoryBytes: 0,
    startedAt: null,
    command: 'sh',
    ...over,
  });
  const list = [
    process(3, { cpuPercent: 5, startedAt: 10 }),
    process(1, { cpuPercent: 50, user: 'anna', command: 'python train.py' }),
    process(2, { cpuPercent: 5, memoryBytes: 9 }),
  ];
  const pids = (sort: 'cpu' | 'started' | 'user', isReversed = false, text = '') =>
    orderProcesses(list, { sort, isReversed, text }).map(({ pid }) => pid);
  expect(pids('cpu')).toEqual([1, 2, 3]);
  expect(pids('cpu', true)).toEqual([2, 3, 1]);
  expect(pids('started')).toEqual([3, 1, 2]);
  expect(pids('user', false, 'ANNA train')).toEqual([1]);
});

test('a batch shows how far it is, is killed after a question, and its failed ones run again', async () => {
  const { client } = renderApp('#/batches?show=all');
  await screen.findByText('12 of 12 ended');
  await fireEvent.click(screen.getByRole('button', { name: 'Submit the failed again' }));
  await screen.findByText(/^Submitted \d+ tasks again$/);
  expect(client.core.tasks[0]?.status).toBe('PENDING');
});

test('the empty queue and no batches teach what they are for', async () => {
  const { unmount } = renderApp('#/queue', { variant: 'first' });
  const heading = await screen.findByRole('heading', { name: 'Nothing waits' });
  expect(within(heading.parentElement!).getByText(/in an order you can change/)).toBeTruthy();
  unmount();
  renderApp('#/batches', { variant: 'first' });
  await screen.findByRole('heading', { name: 'All batches have ended' });
  await fireEvent.click(screen.getByRole('button', { name: 'Show all' }));
  await waitFor(() => screen.getByRole('heading', { name: 'No batches' }));
});
