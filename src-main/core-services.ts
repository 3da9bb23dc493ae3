// The services of a core, constructed by hand: first the nodes, then the tasks on them.
import { hostname } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { CoreOptions } from './api/core-door.ts';
import { forwardId } from './contract/forwards.ts';
import type { TaskId } from './contract/ids.ts';
import { makeDiagnostics } from './core-diagnostics.ts';
import { makeEnvironments } from './core-environments.ts';
import { makeAppServices } from './core-app.ts';
import { realLinks } from './core-links.ts';
import { makeFiles } from './core-files.ts';
import type { CoreLogFile } from './core-log.ts';
import { makeImages } from './core-images.ts';
import { makeQueue, makeRules } from './core-queue.ts';
import { realRuntimes } from './core-runtimes.ts';
import { makeTerminals } from './core-terminals.ts';
import { SnowflakeFactory } from './domain/snowflake.ts';
import { systemClock as clock, systemTimers as timers } from './link/system-timers.ts';
import { readNodeScript } from './runtimes/node-scripts.ts';
import { attemptSpec } from './services/attempts/attempt-spec.ts';
import { AttemptService, type AttemptServiceParts } from './services/attempts/attempt-service.ts';
import { CoreStatusService } from './services/core-status.ts';
import { LogCollector } from './services/logs/log-collector.ts';
import { LogReader } from './services/logs/log-reader.ts';
import { ThisComputer } from './services/nodes/local-node.ts';
import { NodesService } from './services/nodes/nodes-service.ts';
import { Dispatcher } from './services/planner/dispatcher.ts';
import { WorkerPlanner } from './services/planner/worker-planner.ts';
import { RegistryAccounts } from './services/registries/registry-service.ts';
import type { SettingsService } from './services/settings.ts';
import { holdingOf, TaskBook } from './services/tasks/task-book.ts';
import { SubmissionDesk } from './services/tasks/submission-desk.ts';
import { TaskFeeds } from './services/tasks/task-feeds.ts';
import { TaskSecrets } from './services/tasks/task-secrets.ts';
import { TaskService } from './services/tasks/task-service.ts';
import { VpsBook } from './services/vps/vps-book.ts';
import { makeVps } from './core-vps.ts';
import type { Store } from './store/open.ts';

/** What everything else stands on. */
export interface Foundations {
  readonly settings: SettingsService;
  readonly store: Store;
  readonly logFile: CoreLogFile;
}

interface Shared extends Foundations {
  readonly options: CoreOptions;
  readonly ids: SnowflakeFactory;
  readonly book: TaskBook;
  readonly accounts: RegistryAccounts;
}

type LoopDelay = ReturnType<typeof monitorEventLoopDelay>;

/** How finely holds of the main thread are measured. */
const loopResolutionMs = 10;

export function makeServices(options: CoreOptions, foundations: Foundations) {
  const { store, logFile } = foundations;
  const { tasks: records, identity } = store;
  const after = records.newestId();
  const ids = new SnowflakeFactory({
    clock,
    instance: identity.instance,
    ...(after === undefined ? {} : { after }),
  });
  const book = new TaskBook({ records, commit: store, clock, log: logFile.log });
  const accounts = new RegistryAccounts(store.vault);
  const shared = { ...foundations, options, ids, book, accounts };
  const nodes = makeNodes(shared);
  const environments = makeEnvironments({ nodes, book, store, log: logFile.log, ids });
  // Tasks have files, and files are found by tasks: neither asks the other before both are there.
  const files = makeFiles({
    ...shared,
    nodes,
    tasks: { resolve: (reference) => work.tasks.resolve(reference) },
    log: logFile.log,
  });
  const { taskFiles } = files;
  const work = makeWork(shared, nodes, {
    bring: async (spec, nodeId, options) => {
      await environments.bring(spec, nodeId, options);
      await taskFiles.bring(spec, nodeId, options);
    },
    fetchResults: (ref, nodeId) => taskFiles.fetchResults(ref, nodeId),
  });
  const images = makeImages({ ...shared, nodes, vps: work.vps, files: files.files });
  const { settings } = foundations;
  const terminals = makeTerminals({
    nodes,
    tasks: work.tasks,
    settings,
    log: logFile.log,
    store,
    newId: () => forwardId.parse(ids.nodeId()),
    dataDir: options.dataDir,
    command: options.command,
    identityFile: (task) => work.vps.identityFile(task),
  });
  const loop = monitorEventLoopDelay({ resolution: loopResolutionMs });
  loop.enable();
  const looks = makeDiagnostics({ store, logFile, nodes, loop, loopResolutionMs });
  const app = makeAppServices(foundations, { book, nodes });
  const status = makeStatus(shared, nodes, loop);
  return {
    book,
    nodes,
    environments,
    terminals,
    ...images,
    loop,
    ...work,
    ...looks,
    ...app,
    ...files,
    status,
  };
}

function makeNodes({
  options,
  settings,
  store,
  logFile: { log },
  ids,
  book,
  accounts,
}: Shared): NodesService {
  const { coreId } = store.identity;
  const links = realLinks({ clock, timers, log, knownHostsFile: store.paths.knownHosts });
  const dockerHost = process.env['DOCKER_HOST'];
  const runtimes = realRuntimes({
    coreId,
    clock,
    timers,
    log,
    dockerHost,
    account: (registry) => accounts.forPull(registry),
  });
  return new NodesService({
    coreId,
    clock,
    timers,
    random: Math.random,
    log,
    newNodeId: () => ids.nodeId(),
    records: store.nodes,
    metrics: store.metrics,
    secrets: store.vault,
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
    readScript: readNodeScript,
  });
}

/** From the queue to the log: everything that moves tasks. */
function makeWork(
  { settings, store, logFile: { log }, ids, book }: Shared,
  fleet: NodesService,
  carried: Pick<AttemptServiceParts, 'bring' | 'fetchResults'>,
) {
  const { tasks: records, effects, logs, vault, identity } = store;
  const secrets = new TaskSecrets(vault);
  const planner = new WorkerPlanner(log);
  const queueRecords = store.queue;
  const rules = makeRules({ book, queueRecords, fleet, settings, ids, clock, timers });
  const dispatcher = new Dispatcher({
    ...{ book, fleet, planner, clock, timers, log },
    rules: rules.now,
  });
  const collector = new LogCollector({
    logs,
    clock,
    timers,
    maxBytesPerTask: () => settings.get('logs.maxBytesPerTask'),
    setLogBytes: (id, bytes) => book.setLogBytes(id, bytes),
    log,
  });
  const vpses = new VpsBook({ records: store.vps, tasks: records, book });
  const attempts = new AttemptService({
    coreId: identity.coreId,
    book,
    effects,
    fleet,
    timers,
    log,
    buildSpec: (task, place, node) => {
      const logBufferBytes = settings.get('logs.nodeBufferBytes');
      const ports = vpses.get(task.id)?.record.ports ?? [];
      return attemptSpec({
        task,
        place,
        node,
        secrets: secrets.values(task),
        logBufferBytes,
        ports,
      });
    },
    ...carried,
    // What the main program of a VPS prints stays in its container.
    collectLog: (runtime, ref, signal) =>
      ref.vps === undefined ? collector.collect(runtime, ref, signal) : Promise.resolve(),
  });
  const removeLogs = async (removed: readonly TaskId[]) => {
    for (const id of removed) await logs.remove(id);
  };
  const desk = new SubmissionDesk({ book, records, fleet, settings, ids, clock });
  const parts = { book, records, fleet, dispatcher, settings, secrets, desk, removeLogs };
  const tasks = new TaskService(parts);
  const queue = makeQueue({ ...parts, rules, tasks, ids, clock, timers, log });
  const feeds = new TaskFeeds({ book, service: tasks, records, timers });
  const reader = new LogReader({ logs, book, resolve: (reference) => tasks.resolve(reference) });
  const vps = makeVps({ ...parts, vpses, ids, clock, timers, log });
  return { planner, dispatcher, attempts, tasks, feeds, reader, queue, rules, vps };
}

function makeStatus({ options, store, book }: Shared, fleet: NodesService, loop: LoopDelay) {
  const { vault, tasks, identity } = store;
  return new CoreStatusService({
    coreId: identity.coreId,
    version: options.version,
    host: options.host,
    hostname: hostname(),
    dataDir: options.dataDir,
    pid: process.pid,
    clock,
    timers,
    book,
    fleet,
    countTasks: () => tasks.counts(),
    vault: () => ({ state: vault.state, kind: vault.kind }),
    loopDelayMs: () => Math.max(0, Math.round(loop.max / 1e6 - loopResolutionMs)),
    rssBytes: () => process.memoryUsage.rss(),
  });
}
