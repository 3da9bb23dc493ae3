import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import type { Core } from '../../api/core-door.ts';
import { securityHeaders } from '../security-policy.ts';
import { addDownloads } from './downloads.ts';
import { ServerError } from './errors.ts';
import { FailedAttempts } from './failed-attempts.ts';
import { cookieNameOf, Gate, type Refusal } from './gate.ts';
import { refusalPage } from './refusal-page.ts';
import { refusals } from './refusals.ts';
import { SessionsFile } from './sessions-file.ts';
import { sessionLifeSeconds, Tokens } from './tokens.ts';
import { serveWireSockets } from './wire-sockets.ts';

export interface WebServerOptions {
  core: Pick<Core, 'router' | 'streams' | 'log'>;
  /** Where signed-in browsers are remembered. */
  dataDir: string;
  host: string;
  /** 0 chooses any free port. */
  port: number;
  /** The built page: a folder with `index.html`. */
  rendererDir: string;
  version: string;
  /** Absent: a new one. */
  token?: string | undefined;
  /** The user in whose name signed-in browsers act. */
  who: string;
  now: () => number;
}

export interface WebServer {
  /** Without a token, e.g. `http://127.0.0.1:8000`. */
  readonly url: string;
  /** For programs: `Authorization: Bearer`. */
  readonly token: string;
  /** A URL that signs one browser in. */
  newSignInUrl(): string;
  stop(): Promise<void>;
}

function refuseSchemas(): never {
  throw new Error('routes of the web server have no schemas');
}
/** Else Fastify loads a compiler of JSON Schema, a tenth of all code that a start reads. */
const noSchemas = { buildValidator: refuseSchemas, buildSerializer: refuseSchemas };

/**
 * Serves the page, `/health`, and the wire at `/wire`. Throws `ServerError` when the address cannot
 * be had or there is no page.
 */
export async function startWebServer(options: WebServerOptions): Promise<WebServer> {
  const { core, host, rendererDir } = options;
  if (!existsSync(join(rendererDir, 'index.html'))) {
    throw new ServerError(
      'core/unavailable',
      `The page is not built: there is no index.html in ${rendererDir}. Run "npm run build" first.`,
      { retry: 'after-user-action' },
    );
  }
  if (!isLoopback(host)) {
    core.log.warn(
      { host },
      'the web interface listens beyond this computer: whoever reaches it and has the token controls every node. It does not encrypt; put it behind TLS or an SSH forward.',
    );
  }
  const sessions = new SessionsFile(options.dataDir);
  const tokens = new Tokens({
    accessToken: options.token,
    now: options.now,
    kept: await sessions.read(),
    keep: (all) => {
      sessions.save(all, (error) => {
        core.log.warn({ err: error }, 'signed-in browsers will have to sign in after a restart');
      });
    },
  });
  const app = fastify({
    logger: false,
    bodyLimit: 1024,
    forceCloseConnections: true,
    schemaController: { compilersFactory: noSchemas },
  });
  const gate = new Gate({
    tokens,
    failures: new FailedAttempts(options.now),
    hostNames: new Set([hostname().toLowerCase(), host.toLowerCase()]),
  });
  await addRoutes(app, { gate, options });
  const wire = serveWireSockets(app.server, {
    core,
    context: { who: options.who, host: 'server', isOwner: true },
    judge: (request) => gate.judgeWire(request),
  });
  const url = await listen(app, options);
  return {
    url,
    token: tokens.accessToken,
    newSignInUrl: () => `${url}/?token=${tokens.newLink()}`,
    async stop() {
      wire.close();
      await app.close();
      await sessions.settled();
    },
  };
}

async function addRoutes(
  app: FastifyInstance,
  { gate, options }: { gate: Gate; options: WebServerOptions },
): Promise<void> {
  app.addHook('onRequest', async (request, reply) => {
    const { host } = request.headers;
    reply.headers(
      securityHeaders(
        host !== undefined && gate.isKnownHost(request.raw)
          ? [`ws://${host}`, `wss://${host}`]
          : [],
      ),
    );
    await admit(request, reply, gate);
  });
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status < 500)
      return reply.code(status).type('text/plain').send('That request makes no sense.');
    options.core.log.error({ err: error, path: request.routeOptions.url }, 'a web request failed');
    return reply
      .code(500)
      .type('text/plain')
      .send('Something went wrong; the log of the core has the full story.');
  });
  app.get('/health', () => ({ ok: true, version: options.version }));
  addDownloads(app, options);
  await app.register(fastifyStatic, {
    root: options.rendererDir,
    preCompressed: true,
    setHeaders: (response, path) => {
      // Built files carry a hash of their content in their name; the page that names them does not.
      const isHashed = path.includes(join(options.rendererDir, 'assets'));
      void response.header(
        'cache-control',
        isHashed ? 'private, max-age=31536000, immutable' : 'no-store',
      );
    },
  });
  app.setNotFoundHandler((_request, reply) =>
    reply.code(404).type('text/plain').send('There is nothing here.'),
  );
}

/** Lets a request through, signs a browser in, or refuses. */
async function admit(request: FastifyRequest, reply: FastifyReply, gate: Gate): Promise<void> {
  const pathname = pathOf(request);
  if (pathname === '/health') {
    if (!gate.isKnownHost(request.raw)) await refuse(request, reply, 'wrong-host');
    return;
  }
  const isSigningIn = pathname === '/' && request.method === 'GET';
  const token = isSigningIn ? queryOf(request).get('token') : null;
  if (token === null) {
    const verdict = gate.judgePage(request.raw);
    if (verdict !== 'allowed') await refuse(request, reply, verdict);
    return;
  }
  const outcome = gate.exchange(request.raw, token);
  if (typeof outcome === 'object') {
    const cookie = `${cookieNameOf(request.raw)}=${outcome.session}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${String(sessionLifeSeconds)}`;
    await reply.header('set-cookie', cookie).header('cache-control', 'no-store').redirect('/', 303);
  } else if (outcome === 'not-signed-in' && gate.judgePage(request.raw) === 'allowed') {
    // A used link opened again in a browser that is signed in already.
    await reply.header('cache-control', 'no-store').redirect('/', 303);
  } else {
    await refuse(request, reply, outcome);
  }
}

// By hand: a request line can hold what no URL parser accepts.
function pathOf(request: FastifyRequest): string {
  return (request.raw.url ?? '/').split('?', 1)[0] ?? '/';
}

function queryOf(request: FastifyRequest): URLSearchParams {
  const url = request.raw.url ?? '/';
  const start = url.indexOf('?');
  return new URLSearchParams(start === -1 ? '' : url.slice(start + 1));
}

/** In plain text for programs; as a page for browsers that asked for one. */
async function refuse(
  request: FastifyRequest,
  reply: FastifyReply,
  refusal: Refusal,
): Promise<void> {
  const { status, title, text } = refusals[refusal];
  const isPage = request.headers.accept?.includes('text/html') === true;
  await reply
    .code(status)
    .header('cache-control', 'no-store')
    .type(isPage ? 'text/html; charset=utf-8' : 'text/plain; charset=utf-8')
    .send(isPage ? refusalPage(title, text) : `${text}\n`);
}

async function listen(app: FastifyInstance, { host, port }: WebServerOptions): Promise<string> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    throw listenError(error, { host, port });
  }
  const address = app.server.address();
  const actualPort = typeof address === 'object' && address !== null ? address.port : port;
  return `http://${urlHost(host)}:${String(actualPort)}`;
}

function listenError(error: unknown, { host, port }: { host: string; port: number }): ServerError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const place = `${host}:${String(port)}`;
  const advice =
    code === 'EADDRINUSE'
      ? `Another program listens on ${place} already. Choose another port with --port, or 0 for any free one.`
      : code === 'EACCES'
        ? `This user may not listen on ${place}; ports below 1024 are often reserved. Choose another port.`
        : `The web interface cannot listen on ${place}. Check the address; --host must be one of this computer's.`;
  return new ServerError('core/unavailable', advice, { cause: error, retry: 'after-user-action' });
}

/** An address a browser on this computer can open. */
function urlHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}
