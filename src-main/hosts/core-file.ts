import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { instant } from '../contract/ids.ts';
import { writeFileAtomically } from '../store/atomic-file.ts';
import { codeOf } from '../store/errors.ts';

/** Where a running core can be reached; in `core.json` of its data directory. */
export const coreAddress = z.object({
  pid: z.number().int().positive(),
  /** Path of the local socket, or name of the pipe. */
  socket: z.string().min(1),
  /** Of the web interface; null where none is served. */
  url: z.string().nullable(),
  startedAt: instant,
  version: z.string(),
});
export type CoreAddress = z.infer<typeof coreAddress>;

/** Tells others where this core is. Only the owner can read it. */
export async function writeCoreFile(dataDir: string, address: CoreAddress): Promise<void> {
  await writeFileAtomically(corePath(dataDir), `${JSON.stringify(address, undefined, 2)}\n`);
}

/** Where the newest core of a data directory said it is. It may have died since: only connecting tells. */
export async function readCoreFile(dataDir: string): Promise<CoreAddress | undefined> {
  let text: string;
  try {
    text = await readFile(corePath(dataDir), 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  return parseCoreFile(text);
}

/** Removes the file if it still speaks of this process. */
export async function removeCoreFile(dataDir: string, pid: number): Promise<void> {
  const address = await readCoreFile(dataDir);
  if (address?.pid === pid) await rm(corePath(dataDir), { force: true });
}

/** The text of `core.json` as an address; undefined when it is none. */
export function parseCoreFile(text: string): CoreAddress | undefined {
  return coreAddress.safeParse(jsonOrUndefined(text)).data;
}

function corePath(dataDir: string): string {
  return join(dataDir, 'core.json');
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
