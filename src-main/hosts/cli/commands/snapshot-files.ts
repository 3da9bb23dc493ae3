// `vps snapshot export` and `vps snapshot import`: a snapshot as one file of this computer.
import { open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import type { ImportSnapshotInput } from '../../../contract/snapshot-files.ts';
import { formatBytes } from '../../../domain/size.ts';
import type { Call } from '../call.ts';
import { CliError, UsageError } from '../errors.ts';
import { jsonLines } from './files.ts';

const chunkBytes = 256 * 1024;
const accepted = z.object({ id: z.string(), name: z.string(), node: z.string().nullable() });

/** Under another name until all of it is there. */
export async function exportSnapshot(
  call: Call<{ force?: boolean }>,
  vps: string,
  ...[tag, file]: [tag: string, file: string]
): Promise<void> {
  const { client } = await call.connect();
  const stream = client.openStream('vps.exportSnapshot', { vps, tag }, { signal: call.signal });
  if (file === '-') {
    if (call.isJson) throw new UsageError('The file goes to standard output: leave --json out.');
    for await (const bytes of stream) await call.io.out.write(bytes);
    return;
  }
  const target = resolve(call.io.cwd, file);
  const isFree = async () => call.options.force === true || !(await isThere(target));
  if (!(await isFree())) throw taken(file);
  const part = join(dirname(target), `.${basename(target)}.${String(process.pid)}.part`);
  try {
    const size = await writeAll(call, part, stream);
    if (!(await isFree())) throw taken(file);
    await rename(part, target);
    await call.answer(
      () => ({ file: target, bytes: size }),
      () => `${file}  ${formatBytes(size)}\n`,
    );
  } finally {
    await rm(part, { force: true });
  }
}

export async function importSnapshot(
  call: Call<{ name?: string; node?: string }>,
  file: string,
): Promise<void> {
  const { name, node } = call.options;
  const input: ImportSnapshotInput = {
    ...(name === undefined ? {} : { name }),
    ...(node === undefined ? {} : { node }),
  };
  const { client } = await call.connect();
  const upload = file === '-' ? call.io.keys() : readAll(call, resolve(call.io.cwd, file), file);
  const answer = client.openStream('vps.importSnapshot', input, { upload, signal: call.signal });
  for await (const line of jsonLines(answer)) {
    const made = accepted.parse(line);
    await call.answer(
      () => made,
      () => `${made.name}  ${made.id}\n`,
    );
  }
}

async function writeAll(
  call: Call,
  part: string,
  stream: AsyncIterable<Uint8Array>,
): Promise<number> {
  const meter = new Meter(call, 'written');
  try {
    // What is in it may be private.
    await using handle = await open(part, 'wx', 0o600);
    for await (const bytes of stream) {
      for (let at = 0; at < bytes.length;) {
        at += (await handle.write(bytes, at)).bytesWritten;
      }
      await meter.add(bytes.length);
    }
    await handle.sync();
    return meter.bytes;
  } catch (cause) {
    const { code } = cause as { code?: unknown };
    // What the system says has such a code; what the core says has another kind.
    if (typeof code !== 'string' || !/^E[A-Z]+$/.test(code)) throw cause;
    throw new CliError('conflict/state', `The file cannot be written (${code}).`, { cause });
  } finally {
    await meter.end();
  }
}

async function* readAll(call: Call, path: string, file: string): AsyncGenerator<Uint8Array> {
  const meter = new Meter(call, 'sent');
  try {
    await using handle = await open(path);
    for (;;) {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(chunkBytes), 0, chunkBytes);
      if (bytesRead === 0) return;
      await meter.add(bytesRead);
      yield buffer.subarray(0, bytesRead);
    }
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new UsageError(`${file} cannot be read (${code ?? 'unknown'}).`, { cause });
  } finally {
    await meter.end();
  }
}

/** How far it is, on one line of a terminal. */
class Meter {
  readonly #call: Call;
  readonly #word: string;
  readonly #isShown: boolean;
  #shownAt = 0;
  bytes = 0;

  constructor(call: Call, word: string) {
    this.#call = call;
    this.#word = word;
    this.#isShown = call.io.err.isTerminal && !call.isJson;
  }

  async add(bytes: number): Promise<void> {
    this.bytes += bytes;
    const { io } = this.#call;
    if (!this.#isShown || io.now() - this.#shownAt < 250) return;
    this.#shownAt = io.now();
    await io.err.write(`\r\u001b[K${formatBytes(this.bytes)} ${this.#word}`);
  }

  async end(): Promise<void> {
    if (this.#isShown && this.#shownAt > 0) await this.#call.io.err.write('\r\u001b[K');
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

function taken(file: string): CliError {
  return new CliError(
    'conflict/state',
    `There is a file ${file} already. Name another one, or say --force.`,
    { retry: 'after-user-action' },
  );
}
