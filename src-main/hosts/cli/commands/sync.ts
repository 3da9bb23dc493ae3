// `sync`: a folder brought in step with another, once or whenever something in it changes.
import type { Command } from 'commander';
import type { TransferRequest } from '../../../contract/transfers.ts';
import { parseMemorySize } from '../../../domain/size.ts';
import type { Call, Runner } from '../call.ts';
import { UsageError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { sideOf } from '../file-place.ts';
import { followTransfer } from '../follow-transfer.ts';
import { parseFileTarget } from '../parse/file-target.ts';
import { asIs, collecting, reading } from '../parse/option.ts';
import { stepLine, syncSummary } from '../text/sync-text.ts';
import { watchAndSync } from './sync-watch.ts';

export interface SyncCommandOptions {
  delete?: boolean;
  dryRun?: boolean;
  watch?: boolean;
  exclude?: readonly string[];
  /** False with `--no-ignore`. */
  ignore: boolean;
  checksum?: boolean;
  update?: boolean;
  verify: boolean;
  rate?: number;
}

export function addSyncCommand(program: Command, runner: Runner): void {
  runner.action(
    program
      .command('sync')
      .description('bring a folder in step with another, moving only what differs')
      .usage('[options] <source> <target>')
      .argument('<source>', 'a folder here, or NODE:/path or TASK:/path; what is in it is moved')
      .argument('<target>', 'the folder it goes into, made when it is missing')
      .option('-n, --dry-run', 'only list what would be done')
      .option('--delete', 'remove in the target what is not in the source')
      .option(
        '--exclude <pattern>',
        'leave alone what fits, as a line of a .gitignore (may be repeated)',
        collecting(asIs),
      )
      .option('--no-ignore', 'do not read .gitignore and .kohakuriverignore of the folder here')
      .option('--checksum', 'compare contents, not sizes and times')
      .option('--update', 'keep files of the target that are newer')
      .option('--no-verify', 'do not compare hashes of what was moved')
      .option('--rate <size>', 'at most so many bytes a second, e.g. 10M', reading(parseMemorySize))
      .option('-w, --watch', 'go on, and sync again whenever something in the source changes'),
    sync,
  );
}

async function sync(call: Call<SyncCommandOptions>, source: string, target: string) {
  const { watch = false, dryRun = false } = call.options;
  if (watch && dryRun) throw new UsageError('--watch and --dry-run do not go together.');
  const from = parseFileTarget(source, { cwd: call.io.cwd });
  if (watch && from.kind === 'remote') {
    throw new UsageError('Only a folder of this computer can be watched.');
  }
  const request = await requestOf(call, source, target);
  if (dryRun) return preview(call, request);
  if (watch) return watchAndSync(call, request);
  const api = await call.api();
  return followTransfer(call, await api.transfers.start(request));
}

async function requestOf(
  call: Call<SyncCommandOptions>,
  source: string,
  target: string,
): Promise<TransferRequest> {
  const { exclude = [], ignore, checksum, update, verify, rate } = call.options;
  const at = { cwd: call.io.cwd };
  const [from, to] = [parseFileTarget(source, at), parseFileTarget(target, at)];
  return {
    from: { place: await sideOf(call, from), paths: [from.path] },
    to: { place: await sideOf(call, to), path: to.path, as: 'into' },
    recursive: true,
    conflicts: update === true ? 'newer' : 'overwrite',
    verify,
    rateLimit: rate ?? null,
    sync: {
      exclude: [...exclude],
      ignoreFiles: ignore,
      delete: call.options.delete === true,
      compare: checksum === true ? 'checksums' : 'times',
    },
  };
}

async function preview(call: Call, request: TransferRequest): Promise<number> {
  const api = await call.api();
  const found = await api.transfers.previewSync(request, { signal: call.signal });
  await call.answer(
    () => found,
    () => found.steps.map((step) => `${stepLine(step)}\n`).join(''),
  );
  await call.say(syncSummary(found));
  return found.problems.some(({ outcome }) => outcome === 'failed')
    ? exitCodes.failed
    : exitCodes.done;
}
