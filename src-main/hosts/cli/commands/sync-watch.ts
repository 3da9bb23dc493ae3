// `sync --watch`: the folder is watched here, the core moves what differs.
import { isAppError } from '../../../contract/errors.ts';
import type { TransferRequest } from '../../../contract/transfers.ts';
import { FolderWatch } from '../../../link/local/folder-watch.ts';
import { systemTimers as timers } from '../../../link/system-timers.ts';
import type { Call } from '../call.ts';
import { exitCodes } from '../exit-codes.ts';
import { followTransfer } from '../follow-transfer.ts';

/** Syncs now and whenever something changed, until the call is aborted. */
export async function watchAndSync(call: Call, request: TransferRequest): Promise<number> {
  const { sync, from } = request;
  using watch = new FolderWatch(from.paths[0] ?? '', {
    exclude: sync?.exclude ?? [],
    useIgnoreFiles: sync?.ignoreFiles ?? true,
    timers,
  });
  for (;;) {
    // Before the folder is read: what changes from here on is seen.
    await watch.lookForFolders();
    await syncOnce(call, request);
    if (call.signal.aborted) return exitCodes.done;
    await call.say('Waiting for changes. Ctrl-C ends it.');
    if (!(await watch.changed(call.signal))) return exitCodes.done;
  }
}

/** One that failed has said why; the next change tries again. */
async function syncOnce(call: Call, request: TransferRequest): Promise<void> {
  const api = await call.api();
  const started = await api.transfers.start(request).catch((error: unknown) => {
    if (isAppError(error) && error.code === 'files/unavailable') return error;
    throw error;
  });
  if (isAppError(started)) {
    await call.say(started.message);
    return;
  }
  const { id } = started;
  const exitCode = await followTransfer(call, { id });
  // The list of transfers is not for what happens at every key that is pressed.
  if (exitCode === exitCodes.done) await api.transfers.clear({ ids: [id] });
}
