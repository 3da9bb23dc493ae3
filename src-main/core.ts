// The composition root: options in, a running core out. The only place that constructs services.
import { hostname } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { CoreOptions, Core, CreateCore } from './api/core-door.ts';
import { configRouter, coreRouter } from './api/core-router.ts';
import { nodesRouter } from './api/nodes-router.ts';
import { tasksRouter } from './api/tasks-router.ts';
import { realLinks } from './core-links.ts';
import { openCoreLog, type CoreLogFile } from './core-log.ts';
import { realRuntimes } from './core-runtimes.ts';
import { Emitter } from './domain/emitter.ts';
import { SnowflakeFactory } from './domain/snowflake.ts';
import { systemClock as clock, systemTimers as timers } from './link/system-timers.ts';
import { readNodeScript } from './runtimes/node-scripts.ts';
import { attemptSpec } from './services/attempts/attempt-spec.ts';
import { AttemptService } from './services/attempts/attempt-service.ts';
import { CoreStatusService } from './services/core-status.ts';
import { LogCollector } from './services/logs/log-collector.ts';
import { LogReader } from './services/logs/log-reader.ts';
import { ThisComputer } from './services/nodes/local-node.ts';
import { NodesService } from './services/nodes/nodes-service.ts';
import { Dispatcher } from './services/planner/dispatcher.ts';
import { WorkerPlanner } from './services/planner/worker-planner.ts';
import { SettingsService } from './services/settings.ts';
import { holdingOf, nodeOf, TaskBook } from './services/tasks/task-book.ts';
import { TaskFeeds } from './services/tasks/task-feeds.ts';
import { TaskSecrets } from './services/tasks/task-secrets.ts';
import { TaskService } from './services/tasks/task-service.ts';
import { ConfigFile } from './store/config-file.ts';
import { dataPaths } from './store/data-dir.ts';
import { openStore, type Store } from './store/open.ts';

const dayMs = 24 * 60 * 60_000;
/** Old things are looked for once a day, the first time when the start is long over. */
const firstPruneMs = 10 * 60_000;

/** Starts a core on a data directory. See `CreateCore` for what it throws. */
export const createCore: CreateCore = async (options) => {
  const { dataDir, flags = {} } = options;
  const file = new ConfigFile(dataPaths(dataDir).configFile);
  const settings = new SettingsService({ flags, environment: process.env, file });
  const logFile = await openCoreLog(dataDir, settings.get('logs.level'));
  const opened = { dataDir, clock, log: logFile.log, host: options.host };
  try {
    const passphrase = process.env['KOHAKURIVER_VAULT_PASSPHRASE'];
    const store = await openStore({ ...opened, vault: { keychain: options.keychain, passphrase } });
    return compose(options, { settings, store, logFile });
  } catch (error) {
    await logFile[Symbol.asyncDispose]();
    throw error;
  }
};

interface Foundations {
  readonly settings: SettingsService;
  readonly store: Store;
  readonly logFile: CoreLogFile;
}

function compose(options: CoreOptions, { settings, store, logFile }: Foundations): Core {
  const { log } = logFile;
  const { coreId, instance } = store.identity;
  const { tasks: records, effects, logs, vault } = store;
  const random = Math.random;
  const ids = new SnowflakeFactory({ clock, instance });
  const book = new TaskBook({ records, commit: store, clock, log });
  const secrets = new TaskSecrets(vault);

  const links = realLinks({ clock, timers, log, knownHostsFile: store.paths.knownHosts });
  const dockerHost = process.env['DOCKER_HOST'];
  const runtimes = realRuntimes({ coreId, clock, timers, log, dockerHost });
  const nodes = new NodesService({
    coreId,
    clock,
    timers,
    random,
    log,
    newNodeId: () => ids.nodeId(),
    records: store.nodes,
    metrics: store.metrics,
    secrets: vault,
    write: (change) => store.write(change),
    flushed: () => store.flushed(),
    links: options.replace?.links?.(links) ?? links,
    runtimes: options.replace?.runtimes?.(runtimes) ?? runtimes,
    localHost: new ThisComputer(),
    settings: () => ({
      metricsIntervalSeconds: settings.get('nodes.metricsIntervalSeconds'),
      offlineAfterSeconds: settings.get('nodes.offlineAfterSeconds'),
      connectTimeoutSeconds: settings.get('nodes.connectTimeoutSeconds'),
    }),
    work: { activeTasks: (id) => [...book.onNode(id)].flatMap((task) => holdingOf(task) ?? []) },
    readScript: (name) => readNodeScript(name),
  });

  const planner = new WorkerPlanner(log);
  const policy = () => ({ useForeignGpus: settings.get('tasks.useForeignGpus') });
  const dispatcher = new Dispatcher({ book, fleet: nodes, planner, timers, log, policy });
  const collector = new LogCollector({
    logs,
    clock,
    timers,
    maxBytesPerTask: () => settings.get('logs.maxBytesPerTask'),
    setLogBytes: (id, bytes) => book.setLogBytes(id, bytes),
  });
  const attempts = new AttemptService({
    coreId,
    book,
    effects,
    fleet: nodes,
    timers,
    log,
    buildSpec: (task, place, node) =>
      attemptSpec({
        task,
        place,
        node,
        secrets: secrets.values(task),
        logBufferBytes: settings.get('logs.nodeBufferBytes'),
      }),
    collectLog: (runtime, ref, signal) => collector.collect(runtime, ref, signal),
  });
  const removeLogs = async (removed: readonly Parameters<typeof logs.remove>[0][]) => {
    for (const id of removed) await logs.remove(id);
  };
  const tasks = new TaskService({
    book,
    records,
    fleet: nodes,
    dispatcher,
    settings,
    secrets,
    ids,
    clock,
    removeLogs,
  });
  const feeds = new TaskFeeds({ book, service: tasks, records, timers });
  const reader = new LogReader({ logs, book, resolve: (reference) => tasks.resolve(reference) });

  const loop = monitorEventLoopDelay({ resolution: loopResolutionMs });
  loop.enable();
  const status = new CoreStatusService({
    coreId,
    version: options.version,
    host: options.host,
    hostname: hostname(),
    dataDir: options.dataDir,
    pid: process.pid,
    clock,
    timers,
    book,
    fleet: nodes,
    countTasks: () => records.counts(),
    vault: () => ({ state: vault.state, kind: vault.kind }),
    loopDelayMs: () => Math.max(0, Math.round(loop.max / 1e6 - loopResolutionMs)),
    rssBytes: () => process.memoryUsage.rss(),
  });

  const stopRequested = new Emitter<void>();
  const prune = () => {
    const rules = { keepEndedDays: settings.get('tasks.keepEndedDays') };
    store
      .prune(rules, clock.now())
      .catch((error: unknown) => log.error({ err: error }, 'old things could not be removed'));
  };
  const wiring: Disposable[] = [
    store.onDidFail((error) => {
      log.error({ err: error }, 'the database could not be written; the last changes are undone');
      book.reload();
    }),
    book.onDidChange(({ before, after }) => {
      for (const task of [before, after]) {
        const node = task === undefined ? undefined : nodeOf(task);
        if (node !== undefined && before?.state.status !== after?.state.status)
          nodes.noteHoldings(node);
      }
    }),
    nodes.onDidChange((change) => {
      if ('removed' in change)
        attempts.forgetNode(
          change.removed,
          'Its node was removed; what it left there is no longer followed.',
        );
    }),
    settings.onDidChange(({ key }) => {
      if (key === 'logs.level') logFile.setLevel(settings.get('logs.level'));
      if (key === 'tasks.useForeignGpus') dispatcher.wake();
    }),
    timers.after(firstPruneMs, prune),
    timers.every(dayMs, prune),
    timers.every(60_000, () => loop.reset()),
  ];
  nodes.start();
  log.info({ coreId, dataDir: options.dataDir, host: options.host }, 'the core has started');

  const stop = async () => {
    for (const wire of wiring) wire[Symbol.dispose]();
    loop.disable();
    status[Symbol.dispose]();
    dispatcher[Symbol.dispose]();
    await attempts[Symbol.asyncDispose]();
    await nodes[Symbol.asyncDispose]();
    await planner[Symbol.asyncDispose]();
    await store.close();
    await logFile[Symbol.asyncDispose]();
  };
  let stopping: Promise<void> | undefined;

  return {
    router: {
      core: coreRouter({
        status,
        requestStop: () => void timers.after(0, () => stopRequested.emit()),
        backup: (backupFile) => store.backup({ file: backupFile }),
        doctor: () => nodes.calls.doctorHere(),
        unlockVault: async (phrase) => {
          await vault.unlock(phrase);
          nodes.wakeAll();
          return { state: vault.state };
        },
      }),
      config: configRouter(settings),
      nodes: nodesRouter(nodes),
      tasks: tasksRouter({ tasks, feeds, records }),
    },
    streams: { 'tasks.readLog': (input, _context, signal) => reader.read(input, signal) },
    log,
    setting: (key) => settings.get(key),
    status: () => status.status(),
    onDidRequestStop: (listener) => stopRequested.event(listener),
    wake: () => nodes.wakeAll(),
    stop: () => (stopping ??= stop()),
  };
}

const loopResolutionMs = 10;
