// Files and snapshots for the browser's own downloads: it shows how far they are and writes them to disk by itself,
// however large they are. Whoever may open the page may take files; the gate has looked already.
import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import type { Core } from '../../api/core-door.ts';
import { toErrorShape } from '../../contract/errors.ts';
import type { z } from 'zod';
import { filesDownload, filesDownloadPath, type FilesDownload } from '../../contract/files.ts';
import {
  snapshotDownload,
  snapshotDownloadPath,
  snapshotFileName,
} from '../../contract/snapshot-files.ts';

export interface DownloadsOptions {
  core: Pick<Core, 'streams'>;
  /** The user in whose name signed-in browsers act. */
  who: string;
}

/** Serves `GET /files?what=…` and `GET /snapshot?what=…`. What breaks off in the middle is a failed download, never a short file. */
export function addDownloads(app: FastifyInstance, options: DownloadsOptions): void {
  serve(app, filesDownloadPath, {
    what: filesDownload,
    nameOf,
    open: (what, signal) => open(what, options, signal),
  });
  serve(app, snapshotDownloadPath, {
    what: snapshotDownload,
    nameOf: ({ vps, tag }) => snapshotFileName(vps, tag),
    open: (what, signal) =>
      options.core.streams['vps.exportSnapshot'](what, contextOf(options), signal),
  });
}

interface Offer<W> {
  readonly what: z.ZodType<W>;
  readonly nameOf: (what: W) => string;
  readonly open: (what: W, signal: AbortSignal) => AsyncIterable<Uint8Array>;
}

function serve<W>(app: FastifyInstance, path: string, offer: Offer<W>): void {
  app.get<{ Querystring: { what?: unknown } }>(path, async (request, reply) => {
    if (isOfAnotherPage(request.headers['sec-fetch-site'])) {
      return reply.code(403).type('text/plain').send('Ask for this from the page itself.\n');
    }
    const what = offer.what.safeParse(asJson(request.query.what));
    if (!what.success) return reply.code(400).type('text/plain').send('That names no files.\n');
    const abort = new AbortController();
    reply.raw.once('close', () => abort.abort());
    const bytes = offer.open(what.data, abort.signal)[Symbol.asyncIterator]();
    try {
      // The first bytes are waited for: until they are there, a failure can still be said.
      const first = await bytes.next();
      void reply
        .header('content-disposition', disposition(offer.nameOf(what.data)))
        .header('cache-control', 'no-store')
        .type('application/octet-stream');
      return await reply.send(Readable.from(from(first, bytes)));
    } catch (error) {
      return reply
        .code(404)
        .type('text/plain; charset=utf-8')
        .send(`${toErrorShape(error).message}\n`);
    }
  });
}

/** Pages of other ports of this computer are of the same site: the cookie comes along with what they ask for. */
function isOfAnotherPage(site: unknown): boolean {
  return site !== undefined && site !== 'same-origin' && site !== 'none';
}

function open(
  { place, paths, isArchive }: FilesDownload,
  options: DownloadsOptions,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const { core } = options;
  const context = contextOf(options);
  const [path] = paths;
  if (isArchive || paths.length !== 1 || path === undefined) {
    return core.streams['files.archive']({ place, paths }, context, signal);
  }
  return core.streams['files.read']({ place, path, position: 0 }, context, signal);
}

function contextOf({ who }: DownloadsOptions) {
  return { who, host: 'server', isOwner: true } as const;
}

async function* from(
  first: IteratorResult<Uint8Array, unknown>,
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    for (let step = first; step.done !== true; step = await rest.next()) yield step.value;
  } finally {
    await rest.return?.();
  }
}

function asJson(text: unknown): unknown {
  try {
    return typeof text === 'string' ? JSON.parse(text) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function nameOf({ paths, isArchive }: FilesDownload): string {
  const name = paths[0]?.split('/').findLast((part) => part !== '') ?? 'files';
  return isArchive ? `${paths.length === 1 ? name : 'files'}.tar` : name;
}

/** RFC 6266: a plain name for those who read no other, and the real one. Neither leaves its quotes. */
function disposition(name: string): string {
  const plain = name.replace(/[^\w .,()+=@-]/g, '_');
  const whole = encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${whole}`;
}
