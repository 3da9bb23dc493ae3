// The words for files: ls, mkdir, rm, mv, cat, df.
import type { Command } from 'commander';
import type { FileEntryView } from '../../../contract/files.ts';
import { bytesOfText, shownName } from '../../../domain/files/path-text.ts';
import { formatBytes } from '../../../domain/size.ts';
import type { Call, Runner } from '../call.ts';
import { UsageError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { placeOf } from '../file-place.ts';
import { parseRemote } from '../parse/file-target.ts';
import { formatPairs, formatTable, type Column } from '../text/table.ts';
import { isoTime, localTime } from '../text/time.ts';
import { modeText } from '../text/file-mode.ts';

const remoteHint = 'NODE:/path or TASK:/path; without a slash it begins in the home there';

export function addFileCommands(program: Command, runner: Runner): void {
  runner.action(
    program
      .command('ls')
      .description('what is in a folder of a node or a container')
      .argument('<remote:path>', remoteHint)
      .option('-a, --all', 'hidden ones as well')
      .option('-l, --long', 'mode, owner, size and time too'),
    listFolder,
  );
  runner.action(
    program
      .command('mkdir')
      .description('make folders')
      .argument('<remote:path...>', remoteHint)
      .option('-p, --parents', 'and what is missing above them; one that is there is fine'),
    makeFolders,
  );
  runner.action(
    program
      .command('rm')
      .description('remove files, and folders with -r; there is no way back')
      .argument('<remote:path...>', remoteHint)
      .option('-r, --recursive', 'folders with all that is in them'),
    removeFiles,
  );
  runner.action(
    program
      .command('mv')
      .description('rename or move within one node or container')
      .argument('<remote:from>', remoteHint)
      .argument('<to>', 'a path there, with or without the name before it')
      .option('-f, --force', 'replace what is there'),
    moveFile,
  );
  runner.action(
    program
      .command('cat')
      .description('the bytes of files')
      .argument('<remote:path...>', remoteHint),
    showFiles,
  );
  runner.action(
    program
      .command('df')
      .description('room on the disk that has a path')
      .argument('<remote:path...>', remoteHint),
    showRoom,
  );
}

async function locate(call: Call, text: string) {
  const { remote, path } = parseRemote(text);
  return { place: await placeOf(call, remote), path };
}

async function listFolder(
  call: Call<{ all?: boolean; long?: boolean }>,
  text: string,
): Promise<void> {
  const location = await locate(call, text);
  const { client, api } = await call.connect();
  const { kind, ...info } = await api.files.info(location);
  const isFolder = kind === 'directory' || info.targetKind === 'directory';
  const entries: FileEntryView[] = [];
  if (!isFolder) entries.push({ ...info, kind });
  else {
    const stream = client.openStream('files.list', location, { signal: call.signal });
    for await (const batch of jsonLines(stream)) entries.push(...(batch as FileEntryView[]));
  }
  const isShown = ({ name }: FileEntryView) => call.options.all === true || !name.startsWith('.');
  const shown = entries
    .filter((entry) => !isFolder || isShown(entry))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  if (call.isJson || call.options.long === true) {
    await call.answer(
      () => shown.map((entry) => ({ ...entry, modifiedAt: isoTime(entry.modifiedAt * 1000) })),
      () => formatTable(longColumns, shown, call.look),
    );
    return;
  }
  for (const { name } of shown) await writeName(call, name);
}

/** For a terminal visible, for programs the very bytes. */
async function writeName(call: Call, name: string): Promise<void> {
  if (call.io.out.isTerminal) await call.io.out.write(`${shownName(name)}\n`);
  else await call.io.out.write(Buffer.concat([bytesOfText(name), Buffer.from('\n')]));
}

const longColumns: readonly Column<FileEntryView>[] = [
  { title: 'MODE', cell: (entry) => modeText(entry) },
  { title: 'UID', cell: ({ uid }) => String(uid), align: 'right' },
  { title: 'GID', cell: ({ gid }) => String(gid), align: 'right' },
  { title: 'SIZE', cell: ({ size }) => formatBytes(size), align: 'right' },
  { title: 'MODIFIED', cell: ({ modifiedAt }) => localTime(modifiedAt * 1000) },
  { title: 'NAME', cell: ({ name }) => shownName(name), canShrink: true },
];

async function makeFolders(call: Call<{ parents?: boolean }>, texts: string[]): Promise<void> {
  const api = await call.api();
  const made: string[] = [];
  for (const text of texts) {
    const location = await locate(call, text);
    const parents = call.options.parents === true;
    made.push((await api.files.makeDirectory({ ...location, parents })).path);
  }
  if (call.isJson) await call.line({ made });
}

async function removeFiles(call: Call<{ recursive?: boolean }>, texts: string[]): Promise<number> {
  const api = await call.api();
  const recursive = call.options.recursive === true;
  const results = [];
  for (const text of texts) {
    const { place, path } = await locate(call, text);
    results.push(...(await api.files.remove({ place, paths: [path], recursive })));
  }
  if (call.isJson) await call.line({ results });
  for (const { ok, message } of results) if (!ok) await call.say(message ?? 'It was not removed.');
  return results.every(({ ok }) => ok) ? exitCodes.done : exitCodes.failed;
}

async function moveFile(call: Call<{ force?: boolean }>, from: string, to: string): Promise<void> {
  const api = await call.api();
  const { place, path } = await locate(call, from);
  const target = /^[^/:]+:/.test(to) ? parseRemote(to) : parseRemote(`x:${to}`);
  if (target.remote !== 'x' && target.remote !== parseRemote(from).remote) {
    throw new UsageError('mv stays within one node or container: between two, use cp and rm.');
  }
  const overwrite = call.options.force === true;
  const moved = await api.files.rename({ place, from: path, to: target.path, overwrite });
  if (call.isJson) await call.line(moved);
}

async function showFiles(call: Call, texts: string[]): Promise<void> {
  if (call.isJson) throw new UsageError('cat gives the bytes as they are: leave --json out.');
  const { client } = await call.connect();
  for (const text of texts) {
    const location = await locate(call, text);
    const stream = client.openStream('files.read', location, { signal: call.signal });
    for await (const bytes of stream) await call.io.out.write(bytes);
  }
}

async function showRoom(call: Call, texts: string[]): Promise<void> {
  const api = await call.api();
  for (const text of texts) {
    const location = await locate(call, text);
    const use = await api.files.diskUse(location);
    await call.answer(
      () => ({
        path: text,
        totalBytes: use?.totalBytes ?? null,
        freeBytes: use?.freeBytes ?? null,
      }),
      () =>
        formatPairs(
          [
            ['Path', shownName(text)],
            ['Total', use === null ? 'not told' : formatBytes(use.totalBytes)],
            ['Free', use === null ? 'not told' : formatBytes(use.freeBytes)],
          ],
          call.paint,
        ),
    );
  }
}

/** The documents of a stream that has one a line. */
export async function* jsonLines(source: AsyncIterable<Uint8Array>): AsyncGenerator {
  let rest = '';
  const decoder = new TextDecoder();
  for await (const bytes of source) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) yield JSON.parse(line);
  }
}
