// `cp`: one transfer, followed to its end.
import type { Command } from 'commander';
import type { ConflictPolicy, TransferRequest, TransferView } from '../../../contract/transfers.ts';
import { shownName } from '../../../domain/files/path-text.ts';
import type { Call, Runner } from '../call.ts';
import { UsageError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { placeOf } from '../file-place.ts';
import { reading } from '../parse/option.ts';
import { parseFileTarget, type FileTarget } from '../parse/file-target.ts';
import { parseMemorySize } from '../../../domain/size.ts';
import { proofWords, transferLine } from '../text/transfer-text.ts';

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
  return follow(call, started);
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
  };
}

async function sideOf(call: Call, target: FileTarget | undefined) {
  if (target?.kind === 'remote') return placeOf(call, target.remote);
  if (call.isElsewhere) {
    throw new UsageError(
      'The core is on another computer, and copies only what it sees: name its files as here:/path.',
    );
  }
  return { kind: 'here' } as const;
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

/** Shows how it goes until it is over. Leaving it cancels nothing: the core goes on. */
async function follow(call: Call, { id }: TransferView): Promise<number> {
  const api = await call.api();
  const isShown = call.io.err.isTerminal && !call.isJson;
  const tell = () => {
    if (isShown)
      void call.say(`\nIt goes on in the background: kohakuriver transfers cancel ${id}`);
  };
  call.signal.addEventListener('abort', tell, { once: true });
  let last: TransferView | undefined;
  try {
    for await (const item of await api.transfers.watch(undefined, { signal: call.signal })) {
      const found = changedIn(item, id);
      if (found === undefined) continue;
      last = found;
      if (isShown) await call.io.err.write(`\r\u001b[K${transferLine(found, call.io.err.columns)}`);
      if (found.status === 'ASKING' && !(await answered(call, found))) return exitCodes.failed;
      if (isOver(found)) break;
    }
  } finally {
    call.signal.removeEventListener('abort', tell);
    if (isShown) await call.io.err.write('\n');
  }
  return last === undefined ? exitCodes.failed : conclude(call, last);
}

type Item =
  | { kind: 'snapshot'; value: TransferView[] }
  | { kind: 'change'; value: { upsert: TransferView } | { removed: string } };

function changedIn(item: Item, id: string): TransferView | undefined {
  if (item.kind === 'snapshot') return item.value.find((each) => each.id === id);
  return 'upsert' in item.value && item.value.upsert.id === id ? item.value.upsert : undefined;
}

function isOver({ status }: TransferView): boolean {
  return status === 'DONE' || status === 'FAILED' || status === 'CANCELLED';
}

async function answered(call: Call, { id, conflicts }: TransferView): Promise<boolean> {
  const api = await call.api();
  const names = conflicts?.some.slice(0, 5).map(shownName).join(', ') ?? '';
  const question = `${String(conflicts?.count ?? 0)} files are there already (${names}). Replace them?`;
  const { prompts } = call.io;
  if (prompts === undefined) {
    await api.transfers.answer({ id, conflicts: 'skip' });
    return true;
  }
  const yes = await prompts.confirm(`\n${question}`);
  await api.transfers.answer({ id, conflicts: yes ? 'overwrite' : 'skip' });
  return true;
}

async function conclude(call: Call, view: TransferView): Promise<number> {
  const api = await call.api();
  const problems = await api.transfers.problems({ id: view.id });
  for (const { path, outcome, message } of problems.slice(0, 100)) {
    await call.say(`${outcome}: ${shownName(path)}: ${shownName(message)}`);
  }
  if (problems.length > 100) await call.say(`… and ${String(problems.length - 100)} more`);
  if (view.error !== null) await call.say(view.error.message);
  if (call.isJson) await call.line({ ...view, problems });
  else if (call.io.err.isTerminal) await call.say(proofWords(view));
  const isWhole = view.status === 'DONE' && view.skipped === 0;
  return isWhole ? exitCodes.done : exitCodes.failed;
}
