// The composition root: options in, a running core out. What is constructed is in core-services.ts;
// here it is opened, wired to each other, offered to hosts, and stopped.
import type { Core, CoreOptions, CreateCore } from './api/core-door.ts';
import { batchesRouter } from './api/batches-router.ts';
import { configRouter, coreRouter } from './api/core-router.ts';
import { diagnosticsRouter } from './api/diagnostics-router.ts';
import { fileStreams, filesRouter } from './api/files-router.ts';
import { forwardsRouter, sshRouter } from './api/forwards-router.ts';
import { nodesRouter } from './api/nodes-router.ts';
import { keptRouter, noticesRouter } from './api/notices-router.ts';
import { queueRouter, reservationsRouter } from './api/queue-router.ts';
import { tasksRouter } from './api/tasks-router.ts';
import { terminalsRouter } from './api/terminals-router.ts';
import { vpsRouter } from './api/vps-router.ts';
import { transfersRouter } from './api/transfers-router.ts';
import { imageRouters, streamsOfImages } from './core-images.ts';
import { workspaceRouter } from './api/workspace-router.ts';
import { openCoreLog } from './core-log.ts';
import { makeServices, type Foundations } from './core-services.ts';
import { Emitter } from './domain/emitter.ts';
import { systemClock as clock, systemTimers as timers } from './link/system-timers.ts';
import { SettingsService } from './services/settings.ts';
import { holdingOf } from './services/tasks/task-book.ts';
import { ConfigFile } from './store/config-file.ts';
import { dataPaths } from './store/data-dir.ts';
import { openStore } from './store/open.ts';

const dayMs = 24 * 60 * 60_000;
const minuteMs = 60_000;
/** Old things are looked for once a day, the first time when the start is long over. */
const firstPruneMs = 10 * minuteMs;

const nodeRemoved = 'Its node was removed; what it left there is no longer followed.';

type Services = ReturnType<typeof makeServices>;

/** Starts a core on a data directory. See `CreateCore` for what it throws. */
export const createCore: CreateCore = async (options) => {
  const { dataDir, flags = {}, keychain } = options;
  const file = new ConfigFile(dataPaths(dataDir).configFile);
  const settings = new SettingsService({ flags, environment: process.env, file });
  const logFile = await openCoreLog(dataDir, settings.get('logs.level'));
  const passphrase = process.env['KOHAKURIVER_VAULT_PASSPHRASE'];
  const vault = { keychain, passphrase };
  try {
    const store = await openStore({ dataDir, clock, log: logFile.log, host: options.host, vault });
    return run(options, { settings, store, logFile });
  } catch (error) {
    await logFile[Symbol.asyncDispose]();
    throw error;
  }
};

function run(options: CoreOptions, foundations: Foundations): Core {
  const { settings, store, logFile } = foundations;
  const services = makeServices(options, foundations);
  const { nodes, status, tasks, feeds, reader, terminals, files, transfers } = services;
  const wires = wire(services, foundations);
  const stopRequested = new Emitter<void>();
  let stopping: Promise<void> | undefined;
  // A crash may have come between the removal of a node and letting go of its tasks.
  for (const { id, removedAt } of store.nodes.all()) {
    if (removedAt !== null) services.attempts.forgetNode(id, nodeRemoved);
  }
  nodes.start();
  transfers.start();
  const { dataDir, host } = options;
  logFile.log.info({ coreId: store.identity.coreId, dataDir, host }, 'the core has started');
  return {
    router: {
      core: coreRouter({
        status,
        requestStop: () => void timers.after(0, () => stopRequested.emit()),
        backup: (file) => store.backup({ file }),
        doctor: () => nodes.calls.doctorHere(),
        unlockVault: async (passphrase) => {
          await store.vault.unlock(passphrase);
          nodes.wakeAll();
          return { state: store.vault.state };
        },
      }),
      config: configRouter(settings),
      nodes: nodesRouter(nodes),
      tasks: tasksRouter({ tasks, feeds, records: store.tasks, ...services.queue }),
      batches: batchesRouter(services.queue.batches),
      queue: queueRouter(services.queue.view),
      reservations: reservationsRouter(services.rules.reservations),
      vps: vpsRouter(services.vps),
      diagnostics: diagnosticsRouter(services.diagnostics),
      terminals: terminalsRouter(terminals.service),
      notices: noticesRouter(services.notices),
      kept: keptRouter(services.kept),
      files: filesRouter(files),
      workspace: workspaceRouter(services.workspace),
      transfers: transfersRouter(transfers),
      forwards: forwardsRouter(terminals.forwards),
      ssh: sshRouter(terminals.ssh),
      ...imageRouters(services),
    },
    streams: {
      'tasks.readLog': (input, _context, signal) => reader.read(input, signal),
      'diagnostics.readLog': (input, _context, signal) => services.coreLog.read(input, signal),
      ...terminals.streams,
      ...fileStreams(files, services.archive, services.workspace),
      ...streamsOfImages(services),
    },
    log: logFile.log,
    setting: (key) => settings.get(key),
    status: () => status.status(),
    onDidRequestStop: (listener) => stopRequested.event(listener),
    wake: () => nodes.wakeAll(),
    stop: () => (stopping ??= stop(services, foundations, wires)),
  };
}

/** Who has to hear of what, where no service knows the other. */
function wire(services: Services, { settings, store, logFile }: Foundations): Disposable[] {
  const { book, nodes, attempts, dispatcher, loop } = services;
  const prune = () => {
    const rules = { keepEndedDays: settings.get('tasks.keepEndedDays') };
    store.prune(rules, clock.now()).catch((error: unknown) => {
      logFile.log.error({ err: error }, 'old things could not be removed');
    });
  };
  return [
    store.onDidFail((error) => {
      logFile.log.error(
        { err: error },
        'the database could not be written; the last changes are undone',
      );
      book.reload();
      services.rules.reload();
    }),
    book.onDidChange(({ before, after }) => {
      if (before?.state.status === after?.state.status) return;
      if (after?.state.status === 'RUNNING') services.transfers.wake();
      const places = [before, after].flatMap(
        (task) => (task === undefined ? undefined : holdingOf(task)?.place) ?? [],
      );
      const withGpus = places.some(({ gpus }) => gpus.length > 0);
      for (const id of new Set(places.map(({ nodeId }) => nodeId)))
        nodes.noteHoldings(id, { withGpus });
    }),
    nodes.onDidComeOnline(() => services.transfers.wake()),
    nodes.onDidChange((change) => {
      if (!('removed' in change)) return;
      attempts.forgetNode(change.removed, nodeRemoved);
      services.rules.reservations.forgetNode(change.removed);
    }),
    settings.onDidChange(({ key }) => {
      if (key === 'logs.level') logFile.setLevel(settings.get('logs.level'));
      if (key === 'tasks.useForeignGpus' || key.startsWith('queue.')) dispatcher.wake();
    }),
    timers.after(firstPruneMs, prune),
    timers.every(dayMs, prune),
    timers.every(minuteMs, () => loop.reset()),
  ];
}

/** From the outside in; work on nodes goes on. */
async function stop(
  services: Services,
  { store, logFile }: Foundations,
  wires: readonly Disposable[],
): Promise<void> {
  for (const one of wires) one[Symbol.dispose]();
  services.loop.disable();
  services.status[Symbol.dispose]();
  services.diagnostics[Symbol.dispose]();
  services.queue[Symbol.dispose]();
  services.notices[Symbol.dispose]();
  services.dispatcher[Symbol.dispose]();
  await services.terminals[Symbol.asyncDispose]();
  services.vps[Symbol.dispose]();
  await services.environments[Symbol.asyncDispose]();
  services.taskFiles[Symbol.dispose]();
  await services.transfers[Symbol.asyncDispose]();
  await services.attempts[Symbol.asyncDispose]();
  await services.nodes[Symbol.asyncDispose]();
  await services.planner[Symbol.asyncDispose]();
  await services.here.close();
  await store.close();
  await logFile[Symbol.asyncDispose]();
}
