// What a page's main thread did for each frame, read from a Chromium trace.
import type { CDPSession } from 'playwright-core';

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly cat: string;
  /** Microseconds. */
  readonly ts: number;
  readonly dur?: number;
  /** Of these, the ones the thread really had a processor. */
  readonly tdur?: number;
  readonly pid: number;
  readonly tid: number;
  readonly args?: { readonly name?: string };
}

/** Script of any kind, style and layout; paint and compositing are other threads' and the GPU's. */
const counted = new Set([
  'EvaluateScript',
  'v8.compile',
  'FunctionCall',
  'FireAnimationFrame',
  'TimerFire',
  'EventDispatch',
  'RunMicrotasks',
  'MinorGC',
  'MajorGC',
  'UpdateLayoutTree',
  'Layout',
]);
/** Chromium says it once for each frame that is drawn. */
const frameStart = 'AnimationFrame::Render';
const categories = ['devtools.timeline', 'v8', 'disabled-by-default-v8.gc', '__metadata'];

/** Traces while an action goes on. */
export async function traced(cdp: CDPSession, action: () => Promise<void>): Promise<TraceEvent[]> {
  const events: TraceEvent[] = [];
  cdp.on('Tracing.dataCollected', ({ value }) =>
    events.push(...(value as unknown as TraceEvent[])),
  );
  await cdp.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: { includedCategories: categories, recordMode: 'recordAsMuchAsPossible' },
  });
  await action();
  const done = new Promise<void>((resolve) => cdp.once('Tracing.tracingComplete', () => resolve()));
  await cdp.send('Tracing.end');
  await done;
  return events;
}

export interface FrameWork {
  /** Script, style and layout of each frame: time of the processor, in milliseconds. */
  readonly cpuMs: readonly number[];
  /** The same by the clock: on a busy machine other programs' time is in it. */
  readonly wallMs: readonly number[];
}

/** The busiest thread that draws frames is the page's main thread. */
function mainThread(events: readonly TraceEvent[]): readonly TraceEvent[] {
  const byThread = Map.groupBy(
    events.filter(
      ({ ph, ts, name }) => (ph === 'X' || (ph === 'b' && name === frameStart)) && ts > 0,
    ),
    ({ pid, tid }) => `${pid}/${tid}`,
  );
  const frames = (list: readonly TraceEvent[]) =>
    list.filter(({ name }) => name === frameStart).length;
  const [best] = [...byThread.values()].sort((a, b) => frames(b) - frames(a));
  return [...(best ?? [])].sort((a, b) => a.ts - b.ts);
}

/** Adds up what was done from one frame to the next; what lies within something counted counts once. */
export function frameWork(events: readonly TraceEvent[]): FrameWork {
  const cpuMs: number[] = [];
  const wallMs: number[] = [];
  let cpu = 0;
  let wall = 0;
  let until = 0;
  let isCounting = false;
  for (const event of mainThread(events)) {
    if (event.name === frameStart) {
      if (isCounting) {
        cpuMs.push(cpu / 1000);
        wallMs.push(wall / 1000);
      }
      isCounting = true;
      cpu = 0;
      wall = 0;
    } else if (event.ph === 'X' && counted.has(event.name) && event.ts >= until) {
      until = event.ts + (event.dur ?? 0);
      cpu += event.tdur ?? event.dur ?? 0;
      wall += event.dur ?? 0;
    }
  }
  return { cpuMs, wallMs };
}

/** The value below which a share of all values lies. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}
