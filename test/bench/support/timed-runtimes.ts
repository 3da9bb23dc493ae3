// The real runtimes with a stopwatch on each call.
import type { LogChunk, Runtime } from '../../../src-main/runtimes/runtime.ts';
import type { RuntimeFactories } from '../../../src-main/services/nodes/ports.ts';

export interface TimedCall {
  /** The call, numbered when there are several of one kind in a run. */
  readonly label: string;
  readonly beganAt: number;
  readonly tookMs: number;
}

/** Puts every call that ended into `calls`. */
export function timedRuntimes(calls: TimedCall[]): (real: RuntimeFactories) => RuntimeFactories {
  const note = (name: string, beganAt: number) => {
    const before = calls.filter(({ label }) => label.split(' ')[0] === name).length;
    const label = before === 0 ? name : `${name} ${before + 1}`;
    calls.push({ label, beganAt, tookMs: performance.now() - beganAt });
  };
  return (real) => ({
    docker: async (link, context) => {
      const { runtime, facts } = await real.docker(link, context);
      return { runtime: timed(runtime, note), facts };
    },
    process: async (link, context) => timed(await real.process(link, context), note),
  });
}

function timed<R extends Runtime>(runtime: R, note: (name: string, beganAt: number) => void): R {
  return new Proxy(runtime, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        const beganAt = performance.now();
        const result: unknown = Reflect.apply(value, target, args);
        if (name === 'logs') return timedLog(result as AsyncIterable<LogChunk>, beganAt, note);
        if (result instanceof Promise)
          result.then(
            () => note(String(name), beganAt),
            () => note(`${String(name)}-failed`, beganAt),
          );
        return result;
      };
    },
  });
}

async function* timedLog(
  log: AsyncIterable<LogChunk>,
  beganAt: number,
  note: (name: string, beganAt: number) => void,
): AsyncGenerator<LogChunk> {
  let isFirst = true;
  for await (const chunk of log) {
    if (isFirst) note('logs:first-bytes', beganAt);
    isFirst = false;
    yield chunk;
  }
  note('logs:complete', beganAt);
}
