// Files and transfers, constructed by hand.
import { randomBytes } from 'node:crypto';
import type { ArchiveFilesInput } from './contract/files.ts';
import type { NodeId } from './contract/ids.ts';
import { transferId } from './contract/transfers.ts';
import type { SnowflakeFactory } from './domain/snowflake.ts';
import { LocalLink } from './link/local/local-link.ts';
import { systemClock as clock, systemTimers as timers } from './link/system-timers.ts';
import { FileService } from './services/files/file-service.ts';
import { Places } from './services/files/places.ts';
import type { Logger } from './services/logger.ts';
import type { NodesService } from './services/nodes/nodes-service.ts';
import type { SettingsService } from './services/settings.ts';
import type { TaskBook } from './services/tasks/task-book.ts';
import type { TaskService } from './services/tasks/task-service.ts';
import { archiveOf } from './services/transfers/archive.ts';
import { TaskFiles } from './services/transfers/task-files.ts';
import { TransferService } from './services/transfers/transfer-service.ts';
import { WorkspaceService } from './services/workspace/workspace-service.ts';
import type { Store } from './store/open.ts';

export interface FilesParts {
  readonly nodes: NodesService;
  readonly book: TaskBook;
  readonly tasks: Pick<TaskService, 'resolve'>;
  readonly store: Store;
  readonly settings: SettingsService;
  readonly ids: SnowflakeFactory;
  readonly log: Logger;
}

export function makeFiles({ nodes, book, tasks, store, settings, ids, log }: FilesParts) {
  const here = new LocalLink({ timers });
  const places = new Places({
    here,
    find: (node) => nodes.find(node),
    link: (node) => nodes.link(node),
    resolveTask: (reference) => tasks.resolve(reference),
    task: (id) => book.find(id)?.task,
    inside: (node, attempt) => nodes.runtime(node, 'docker')?.inside?.(attempt),
  });
  const newName = () => randomBytes(6).toString('hex');
  const files = new FileService({ places, newName });
  const workspace = new WorkspaceService({ places, timers, newName });
  const transfers = new TransferService({
    records: store.transfers,
    write: (change) => store.write(change),
    flushed: () => store.flushed(),
    places,
    clock,
    timers,
    log,
    newId: () => transferId.parse(ids.next()),
    settings: () => ({
      parallel: settings.get('transfers.parallel'),
      direct: settings.get('transfers.direct'),
      delta: settings.get('transfers.delta'),
      bytesPerSecond: settings.get('transfers.mostMibPerSecond') * 2 ** 20 || null,
    }),
    // The file systems of both keep the case of names and do not tell it apart.
    isCaseBlind: process.platform === 'darwin' || process.platform === 'win32',
  });
  async function* archive({ place, paths }: ArchiveFilesInput, signal: AbortSignal) {
    yield* archiveOf({ root: await places.open(place), paths, signal });
  }
  const nodeName = (id: NodeId) => nodes.find(id)?.name ?? id;
  const taskFiles = new TaskFiles({ book, transfers, files, nodeName });
  return { here, files, workspace, transfers, taskFiles, archive };
}
