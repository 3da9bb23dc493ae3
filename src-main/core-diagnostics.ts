// What the core tells of itself, put together from the process it runs in and what it keeps.
import type { monitorEventLoopDelay } from 'node:perf_hooks';
import type { CoreLogFile } from './core-log.ts';
import { systemClock as clock, systemTimers as timers } from './link/system-timers.ts';
import { CoreLogReader } from './services/diagnostics/core-log-reader.ts';
import { Diagnostics } from './services/diagnostics/diagnostics.ts';
import type { NodesService } from './services/nodes/nodes-service.ts';
import { coreLogBytes, tailOfCoreLog } from './store/core-log-files.ts';
import type { Store } from './store/open.ts';

export interface DiagnosticsFoundations {
  readonly store: Store;
  readonly logFile: CoreLogFile;
  readonly nodes: NodesService;
  readonly loop: ReturnType<typeof monitorEventLoopDelay>;
  /** How finely the loop is measured: a timer is late by that much when nothing holds it. */
  readonly loopResolutionMs: number;
}

export function makeDiagnostics(parts: DiagnosticsFoundations) {
  const { store, logFile, nodes, loop, loopResolutionMs } = parts;
  const { dataDir } = store.paths;
  const held = (ns: number) => Math.max(0, Math.round(ns / 1e5 - loopResolutionMs * 10) / 10);
  const diagnostics = new Diagnostics({
    clock,
    timers,
    log: logFile.log,
    runtime: { node: process.version, platform: process.platform, arch: process.arch },
    links: () => nodes.linkStories(),
    eventLoop: () => ({
      medianMs: held(loop.percentile(50)),
      p99Ms: held(loop.percentile(99)),
      maxMs: held(loop.max),
    }),
    memory: () => {
      const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
      return {
        rssBytes: rss,
        heapUsedBytes: heapUsed,
        heapTotalBytes: heapTotal,
        externalBytes: external,
      };
    },
    cpuMs: () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1000;
    },
    sizes: async () => ({ ...(await store.sizes()), coreLogBytes: await coreLogBytes(dataDir) }),
  });
  const coreLog = new CoreLogReader({
    tail: (options) => tailOfCoreLog(dataDir, options),
    onDidWrite: logFile.onDidWrite,
  });
  return { diagnostics, coreLog };
}
