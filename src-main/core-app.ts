// What the app itself needs of a core: notices, and what people keep.
import type { Foundations } from './core-services.ts';
import { Emitter } from './domain/emitter.ts';
import type { NodeId } from './contract/ids.ts';
import { systemClock as clock, systemTimers as timers } from './link/system-timers.ts';
import { KeptService } from './services/kept-service.ts';
import type { NodesService } from './services/nodes/nodes-service.ts';
import { NoticeService } from './services/notices/notice-service.ts';
import type { TaskBook } from './services/tasks/task-book.ts';

export function makeAppServices(
  { settings, store, logFile: { log } }: Foundations,
  { book, nodes }: { readonly book: TaskBook; readonly nodes: NodesService },
) {
  const nodeRemoved = new Emitter<NodeId>();
  nodes.onDidChange((change) => {
    if ('removed' in change) nodeRemoved.emit(change.removed);
  });
  const notices = new NoticeService({
    records: store.notices,
    commit: store,
    book,
    fleet: nodes,
    onDidRemoveNode: nodeRemoved.event,
    settings,
    clock,
    timers,
    log,
  });
  return { notices, kept: new KeptService({ records: store.kept, commit: store }) };
}
