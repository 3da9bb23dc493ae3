// What the page costs: a real core with 100 SIMULATED nodes of 8 GPUs (see support/simulated-nodes.ts)
// and 100,000 stored tasks, its page in Chromium.
//   start   from asking for the page to its first paint, and to a list one can use
//   scroll  the list of all tasks for 10 s while 200 of the visible ones change each second: script,
//           style and layout per frame, from a Chromium trace
//   heap    of the page after an hour of updates: the page's own clock is made to run faster, with the
//           sample core of the gallery behind it (800 GPUs, a sample of each node every 2 s)
// Run: node test/bench/renderer.ts [--tasks 100000] [--nodes 100] [--rounds 5] [--heap 60] [--data DIR]
// With a data directory that is kept, it is filled once: what comes later needs a minute.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { createClient, type Client } from '../../src-main/contract/client.ts';
import { openLocalSocket } from '../../src-main/hosts/server/attach.ts';
import { ensureBuilt } from '../support/built.ts';
import { launchChromium } from '../e2e/support/browser.ts';
import { until } from '../support/core-client.ts';
import { temporaryDataDir } from '../support/core-process.ts';
import { serveGallery } from '../ui/browser/gallery.ts';
import {
  loadWords,
  option,
  printHeading,
  printTable,
  spreadOf,
  textOption,
} from './support/figures.ts';
import { frameWork, percentile, traced } from './support/frame-times.ts';

const tasks = option('tasks', 100_000);
const nodes = option('nodes', 100);
const rounds = option('rounds', 5);
/** How long the page is left to updates, by its own clock; 0 leaves that part out. */
const heapMinutes = option('heap', 60);
const scrollMs = 10_000;
/** A new window of Chromium loads pages of its own: they are over before ours is asked for. */
const windowSettlesMs = 2000;
const viewport = { width: 1440, height: 900 };

type Cookies = Awaited<ReturnType<BrowserContext['cookies']>>;

interface Served extends AsyncDisposable {
  readonly url: string;
  readonly token: string;
  readonly client: Client;
}

async function startCore(dataDir: string): Promise<Served> {
  const child: ChildProcess = fork(join(import.meta.dirname, 'support/page-core.ts'), [dataDir]);
  const [where] = (await once(child, 'message')) as [
    { url: string; token: string; socket: string },
  ];
  const client = createClient(await openLocalSocket(where.socket));
  return {
    ...where,
    client,
    [Symbol.asyncDispose]: async () => {
      client.close();
      child.send('stop');
      await once(child, 'exit');
    },
  };
}

async function fill({ client: { api } }: Served): Promise<void> {
  const isEmpty = (await api.nodes.list()).length < nodes;
  if (isEmpty) await addAll(api);
  await until(
    async () => (await api.nodes.list()).filter(({ state }) => state === 'online').length > nodes,
    'all nodes are online',
    300_000,
  );
  // What so many submissions set going is over when the core answers at once.
  let calm = 0;
  await until(
    async () => {
      const begin = performance.now();
      await api.core.status();
      calm = performance.now() - begin < 50 ? calm + 1 : 0;
      return calm >= 5;
    },
    'the core is calm',
    600_000,
  );
}

async function addAll(api: Client['api']): Promise<void> {
  for (let n = 0; n < nodes; n += 1) {
    await api.nodes.add({
      name: `gpu-${String(n).padStart(3, '0')}`,
      destination: { host: `sim-${n}`, user: 'bench' },
      useSshConfig: false,
      jumps: [],
      consent: 'any-new',
    });
  }
  for (let done = 0; done < tasks; done += 1000) {
    await api.tasks.submitMany({
      submissions: Array.from({ length: Math.min(1000, tasks - done) }, (_, n) => ({
        name: `sweep-${String(done + n).padStart(6, '0')}`,
        work: { kind: 'command' as const, argv: ['python', 'train.py', '--seed', String(n)] },
        vessel: { kind: 'image' as const, reference: 'river/busybox:1' },
        gpus: { count: 1 },
        hold: true,
      })),
    });
  }
}

/** A browser of its own, with nothing cached. */
async function newContext(browser: Browser, cookies: Cookies = []): Promise<BrowserContext> {
  const context = await browser.newContext({ viewport });
  context.setDefaultTimeout(120_000);
  await context.addCookies([...cookies]);
  return context;
}

/** A token signs in once: whoever comes later has the session of the first. */
async function signIn(browser: Browser, { url, token }: Served): Promise<Cookies> {
  const context = await newContext(browser);
  const page = await context.newPage();
  await page.goto(`${url}/?token=${token}`);
  await page.getByText('Connected', { exact: true }).waitFor();
  const cookies = await context.cookies();
  await context.close();
  return cookies;
}

/** Notes when the first paint was and when something that can be used stood there. */
function watchStart(selector: string): void {
  const look = () => {
    if (document.querySelector(selector) === null) requestAnimationFrame(look);
    else Object.assign(window, { usableAt: performance.now() });
  };
  requestAnimationFrame(look);
}

async function measureStart(browser: Browser, served: Served, cookies: Cookies): Promise<void> {
  const rows: string[][] = [];
  const places = [
    ['Tasks', '#/tasks', '[data-row="5"] .name'],
    ['Overview', '#/', '.field [data-cell="100"]'],
  ] as const;
  for (const [name, hash, selector] of places) {
    const paints: number[] = [];
    const usables: number[] = [];
    for (let n = 0; n < rounds; n += 1) {
      const context = await newContext(browser, cookies);
      const page = await context.newPage();
      const cdp = await context.newCDPSession(page);
      await cdp.send('Network.setCacheDisabled', { cacheDisabled: true });
      await page.addInitScript(watchStart, selector);
      await page.waitForTimeout(windowSettlesMs);
      await page.goto(`${served.url}/${hash}`);
      await page.waitForFunction(() => 'usableAt' in window, undefined);
      const times = await page.evaluate(() => ({
        paint: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN,
        usable: (window as unknown as { usableAt: number }).usableAt,
      }));
      paints.push(times.paint);
      usables.push(times.usable);
      await context.close();
    }
    const cell = (values: readonly number[]) => {
      const { median, min, max } = spreadOf(values);
      return `${median.toFixed(0)} (${min.toFixed(0)} – ${max.toFixed(0)})`;
    };
    rows.push([name, cell(paints), cell(usables), String(rounds), loadWords()]);
  }
  printTable(['page, nothing cached', 'first paint, ms', 'usable, ms', 'times', 'load'], rows);
}

/** 200 changes a second of tasks that are on the screen, until told to stop. */
async function change(page: Page, { client: { api } }: Served, stop: AbortSignal): Promise<number> {
  let sent = 0;
  // When the next are due counts from when the last were due: asking what is on screen takes time too.
  let due = performance.now();
  for (let turn = 0; !stop.aborted; turn += 1) {
    const names = await page.evaluate(() =>
      [...document.querySelectorAll('[data-row] .name')].map((each) => each.textContent),
    );
    const chosen = names.filter((name) => name !== '').slice(0, 20);
    if (chosen.length > 0) {
      await api.tasks.setPriority({ tasks: chosen, priority: (turn % 90) + 1 });
      sent += chosen.length;
    }
    due += Math.max(1, chosen.length) * 5;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
  }
  return sent;
}

async function scroll(page: Page): Promise<void> {
  await page.evaluate(async (forMs) => {
    const list = document.querySelector('[role="grid"] [role="rowgroup"]');
    if (list === null) throw new Error('There is no list.');
    const end = performance.now() + forMs;
    for (let now = performance.now(); now < end;) {
      // A wheel's pace, and now and then a leap.
      list.scrollTop += Math.random() < 0.01 ? 200_000 : 48;
      now = await new Promise<number>((resolve) => requestAnimationFrame(resolve));
    }
  }, scrollMs);
}

async function measureScroll(browser: Browser, served: Served, cookies: Cookies): Promise<void> {
  const context = await newContext(browser, cookies);
  const page = await context.newPage();
  await page.goto(`${served.url}/#/tasks`);
  await page.locator('[data-row="5"] .name').waitFor();
  const cdp = await context.newCDPSession(page);
  const stop = new AbortController();
  const begin = performance.now();
  const changing = change(page, served, stop.signal);
  const events = await traced(cdp, () => scroll(page));
  stop.abort();
  const perSecond = (await changing) / ((performance.now() - begin) / 1000);
  const { cpuMs, wallMs } = frameWork(events);
  const cells = (values: readonly number[]) =>
    [0.5, 0.95, 0.99].map((share) => percentile(values, share).toFixed(1));
  const more = [String(cpuMs.length), perSecond.toFixed(0), loadWords()];
  printTable(
    [
      'script, style and layout per frame, ms',
      'median',
      '95 %',
      '99 %',
      'frames',
      'changes/s',
      'load',
    ],
    [
      ['processor time', ...cells(cpuMs), ...more],
      ['by the clock', ...cells(wallMs), ...more],
    ],
  );
  await context.close();
}

async function heapMiB(page: Page): Promise<number> {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('HeapProfiler.collectGarbage');
  const { usedSize } = (await cdp.send('Runtime.getHeapUsage')) as { usedSize: number };
  return usedSize / 2 ** 20;
}

async function measureHeap(browser: Browser): Promise<void> {
  const gallery = await serveGallery();
  const rows: string[][] = [];
  const places = [
    ['Overview, 800 GPUs', 'big', '#/'],
    ['GPUs, 800', 'big', '#/gpus'],
    ['one node, charts', 'big', '#/nodes/gpu-001'],
    ['Tasks', 'rich', '#/tasks'],
  ] as const;
  for (const [name, variant, hash] of places) {
    const context = await newContext(browser);
    const page = await context.newPage();
    await page.clock.install();
    await page.goto(gallery.address(variant, 'dark', hash));
    await page.locator('main h1').waitFor();
    await page.clock.runFor(60_000);
    const before = await heapMiB(page);
    // In pieces: what a piece throws away can be collected before the next.
    for (let minute = 0; minute < heapMinutes; minute += 1) await page.clock.runFor(60_000);
    rows.push([name, before.toFixed(1), (await heapMiB(page)).toFixed(1), loadWords()]);
    await context.close();
  }
  await gallery.close();
  printTable(['page', 'heap at first, MiB', 'after an hour of updates, MiB', 'load'], rows);
}

printHeading('The page (`node test/bench/renderer.ts`)');
console.log(
  `${nodes} simulated nodes, ${tasks} stored tasks, 1440 × 900, headless Chromium without a GPU. Targets: 95 % of frames within 8 ms; usable within 1,500 ms; heap under 300 MB.\n`,
);
await ensureBuilt();
await using temporary = await temporaryDataDir();
const dataDir = textOption('data') ?? temporary.path;
const browser = await launchChromium();
{
  await using served = await startCore(dataDir);
  await fill(served);
  const cookies = await signIn(browser, served);
  await measureStart(browser, served, cookies);
  await measureScroll(browser, served, cookies);
}
if (heapMinutes > 0) await measureHeap(browser);
await browser.close();
