// An archive into a tar program that takes it apart.
import { shownName } from '../../domain/files/path-text.ts';
import { brokenOutput } from '../../link/end-on-abort.ts';
import type { RemoteProcess } from '../../link/node-link.ts';
import { TransferError } from './errors.ts';
import { complaintOf } from './far-side.ts';
import { given } from './parts.ts';
import type { Moving } from './small-files.ts';

/** Throws TransferError for what the program complains of. */
export async function intoTar(
  archive: AsyncIterable<Buffer>,
  { to, signal }: Pick<Moving, 'to' | 'signal'>,
): Promise<void> {
  const text = 'cd "$1" && umask 077 && LC_ALL=C exec tar -x -o -p -f -';
  const process = await to.root.spawn(['sh', '-c', text, 'sh', to.directory], { signal });
  try {
    const complaint = complaintOf(process);
    process.stdout.resume();
    const output = brokenOutput(process);
    const broken = new Promise<never>((_resolve, reject) => {
      process.stdin.once('error', reject);
      output.catch(reject);
      process.ended.then(
        () => reject(new Error('tar ended early')),
        (error: unknown) => reject(error as Error),
      );
    });
    broken.catch(() => undefined);
    for await (const part of archive) {
      try {
        await given(process.stdin, part, { broken });
      } catch (error) {
        const said = await Promise.race([output, complaint, settled(process)]);
        throw typeof said === 'string' && said.trim() !== '' ? tarFailed(said, error) : error;
      }
    }
    process.stdin.end();
    const over = Promise.all([process.ended, complaint]);
    const [{ exitCode }, said] = await Promise.race([output, over]);
    if (exitCode !== 0) throw tarFailed(said, undefined);
  } finally {
    await process[Symbol.asyncDispose]();
  }
}

async function settled(process: RemoteProcess): Promise<undefined> {
  await process.ended.catch(() => undefined);
  return undefined;
}

function tarFailed(said: string, cause: unknown): TransferError {
  const isFull = /No space left|quota/i.test(said);
  const why = said.trim().split('\n')[0]?.slice(0, 300) ?? '';
  return new TransferError(
    isFull ? 'transfer/disk-full' : 'transfer/failed',
    isFull
      ? 'The disk at the other end is full. What was moved so far is kept to go on from.'
      : `The other end could not take the files (${shownName(why)}).`,
    { ...(cause === undefined ? {} : { cause }), retry: 'after-user-action' },
  );
}
