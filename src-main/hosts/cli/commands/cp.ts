// `cp`: one transfer, followed to its end.
import type { Command } from 'commander';
import type { ConflictPolicy, TransferRequest, TransferView } from '../../../contract/transfers.ts';
import type { Call, Runner } from '../call.ts';
import { UsageError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { sideOf } from '../file-place.ts';
import { followTransfer } from '../follow-transfer.ts';
import { reading } from '../parse/option.ts';
import { parseFileTarget } from '../parse/file-target.ts';
import { parseMemorySize } from '../../../domain/size.ts';

interface CopyOptions {
  recursive?: boolean;
  resume?: boolean;
  verify: boolean;
  overwrite?: keyof typeof policies;
  rate?: number;
  detach?: boolean;
}

const policies = {
  ask: 'ask',
  never: 'skip',
  always: 'overwrite',
  newer: 'newer',
  rename: 'rename',
} as const satisfies Record<string, ConflictPolicy>;

export function addCopyCommand(program: Command, runner: Runner): void {
  runner.action(
    program
      .command('cp')
      .description('copy files and folders between this computer, nodes and containers')
      .usage('[options] <source...> <target>')
      .argument(
        '<path...>',
        'sources, then a folder or the new name; NODE:/path, TASK:/path or a path here',
      )
      .option('-r, --recursive', 'folders with all that is in them')
      .option('--resume', 'go on with a copy of the same that was broken off')
      .option('--verify', 'compare hashes of both ends afterwards (unless --no-verify)', true)
      .option('--no-verify', 'compare sizes only')
      .option('--overwrite <when>', 'ask, never, always, newer or rename', reading(parsePolicy))
      .option('--rate <size>', 'at most so many bytes a second, e.g. 10M', reading(parseMemorySize))
      .option('--detach', 'leave it to the core, and print its ID'),
    copy,
  );
}

function parsePolicy(text: string): keyof typeof policies {
  if (Object.hasOwn(policies, text)) return text as keyof typeof policies;
  throw new UsageError(`"${text}" is none of ask, never, always, newer, rename.`);
}

async function copy(call: Call<CopyOptions>, paths: string[]): Promise<number> {
  const [target, ...sources] = [paths.at(-1), ...paths.slice(0, -1)];
  if (target === undefined || sources.length === 0) {
    throw new UsageError('cp wants at least one source, and then the target.');
  }
  const request = await requestOf(call, sources, target);
  const api = await call.api();
  const earlier = call.options.resume === true ? await brokenOff(call, request) : undefined;
  const started =
    earlier === undefined ? await api.transfers.start(request) : await resumed(call, earlier);
  if (call.options.detach === true) {
    await call.answer(
      () => started,
      () => `${started.id}\n`,
    );
    return exitCodes.done;
  }
  return followTransfer(call, started);
}

async function requestOf(
  call: Call<CopyOptions>,
  sources: string[],
  target: string,
): Promise<TransferRequest> {
  const { recursive = false, verify, overwrite, rate } = call.options;
  const at = { cwd: call.io.cwd };
  const from = sources.map((source) => parseFileTarget(source, at));
  const remotes = new Set(from.map((each) => (each.kind === 'remote' ? each.remote : '')));
  if (remotes.size > 1) {
    throw new UsageError('All sources of one copy are on one side: this computer, or one node.');
  }
  const to = parseFileTarget(target, at);
  const isTerminal = call.io.err.isTerminal && !call.isJson;
  return {
    from: { place: await sideOf(call, from[0]), paths: from.map(({ path }) => path) },
    to: { place: await sideOf(call, to), path: to.path, as: to.isFolder ? 'into' : 'auto' },
    recursive,
    // Where nobody can be asked, nothing is replaced and the exit code says so.
    conflicts: policies[overwrite ?? (isTerminal ? 'ask' : 'never')],
    verify,
    rateLimit: rate ?? null,
    sync: null,
  };
}

/** One of the same files to the same place that was not finished. */
async function brokenOff(call: Call, request: TransferRequest): Promise<TransferView | undefined> {
  const api = await call.api();
  const same = ({ request: { from, to } }: TransferView) =>
    JSON.stringify([from.paths, to.path]) ===
      JSON.stringify([request.from.paths, request.to.path]) &&
    samePlace(from.place, request.from.place) &&
    samePlace(to.place, request.to.place);
  return (await api.transfers.list()).filter((each) => each.status !== 'DONE').findLast(same);
}

function samePlace(a: object, b: object): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

async function resumed(call: Call, { id, status }: TransferView): Promise<TransferView> {
  const api = await call.api();
  if (status === 'FAILED' || status === 'CANCELLED') await api.transfers.retry({ ids: [id] });
  else if (status === 'PAUSED' || status === 'WAITING') await api.transfers.resume({ ids: [id] });
  return api.transfers.get({ id });
}
