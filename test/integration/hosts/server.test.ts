import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { createClient } from '../../../src-main/contract/client.ts';
import { readCoreFile } from '../../../src-main/hosts/core-file.ts';
import {
  askForSignInUrl,
  attachToLocalCore,
  attachToUrl,
} from '../../../src-main/hosts/server/attach.ts';
import { runServe } from '../../../src-main/hosts/server/main.ts';
import { startServer, type RunningServer } from '../../../src-main/hosts/server/start-server.ts';
import { FakeCore } from './fake-core.ts';

let dir: string;
let rendererDir: string;
let core: FakeCore;
let server: RunningServer;
let now: number;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'host-'));
  rendererDir = join(dir, 'renderer');
  await mkdir(join(rendererDir, 'assets'), { recursive: true });
  await writeFile(join(rendererDir, 'index.html'), '<!doctype html><title>KohakuRiver</title>');
  await writeFile(join(rendererDir, 'assets', 'app-1234.js'), 'export {};');
  await writeFile(join(rendererDir, 'assets', 'app-1234.js.gz'), gzipSync('export {};'));
  core = new FakeCore(dir, 'server');
  now = 1_000_000;
  server = await start({});
});

afterEach(async () => {
  await server.stop();
  await rm(dir, { recursive: true });
});

function start(options: {
  host?: string;
  port?: number;
  token?: string;
  dataDir?: string;
}): Promise<RunningServer> {
  return startServer({
    core,
    dataDir: dir,
    host: '127.0.0.1',
    port: 0,
    rendererDir,
    version: '0.0.1',
    who: 'anna',
    now: () => now,
    ...options,
  });
}

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** fetch does not let one choose the Host header. */
function get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
  const { hostname, port } = new URL(server.url);
  return new Promise((resolve, reject) => {
    const request = httpRequest({ hostname, port, path, headers }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => (body += text));
      response.on('error', reject);
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
      });
    });
    request.on('error', reject);
    request.end();
  });
}

async function signIn(): Promise<string> {
  const { search } = new URL(server.newSignInUrl());
  const { headers } = await get(`/${search}`);
  return headers['set-cookie']?.[0]?.split(';', 1)[0] ?? '';
}

/** Opens the wire as a browser would, or tells the status it was refused with. */
function openWire(headers: Record<string, string>): Promise<'open' | number> {
  const url = new URL('/wire', server.url);
  url.protocol = 'ws:';
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { headers });
    socket.on('open', () => {
      socket.close();
      resolve('open');
    });
    socket.on('unexpected-response', (_request, response) => {
      resolve(response.statusCode ?? 0);
      socket.terminate();
    });
    socket.on('error', reject);
  });
}

describe('the page', () => {
  test('is shown to nobody without signing in, and says how', async () => {
    const { status, body } = await get('/');
    expect(status).toBe(401);
    expect(body).toContain('kohakuriver serve');
    expect((await get('/assets/app-1234.js')).status).toBe(401);
  });

  test('exchanges a link once for a cookie, and leaves no token in the URL', async () => {
    const { search } = new URL(server.newSignInUrl());
    const first = await get(`/${search}`);
    expect(first.status).toBe(303);
    expect(first.headers.location).toBe('/');
    const cookie = first.headers['set-cookie']?.[0] ?? '';
    expect(cookie).toMatch(/; Path=\/; HttpOnly; SameSite=Strict; Max-Age=\d+$/);
    expect((await get(`/${search}`)).status).toBe(401);
    const page = await get('/', { cookie: cookie.split(';', 1)[0] ?? '' });
    expect(page.status).toBe(200);
    expect(page.body).toContain('KohakuRiver');
    expect(page.headers['cache-control']).toBe('no-store');
  });

  test('lets a browser that is signed in open a used link again', async () => {
    const { search } = new URL(server.newSignInUrl());
    const cookie = (await get(`/${search}`)).headers['set-cookie']?.[0]?.split(';', 1)[0] ?? '';
    expect(await get(`/${search}`, { cookie })).toMatchObject({
      status: 303,
      headers: { location: '/' },
    });
  });

  test('knows a signed-in browser after the core started again, and keeps no cookie on disk', async () => {
    const cookie = await signIn();
    await server.stop();
    const kept = await readFile(join(dir, 'sessions.json'), 'utf8');
    expect(kept).not.toContain(cookie.split('=', 2)[1]);
    server = await start({ port: Number(new URL(server.url).port) });
    expect((await get('/', { cookie })).status).toBe(200);
    await server.stop();
    await writeFile(join(dir, 'sessions.json'), '{"half": ');
    server = await start({ port: Number(new URL(server.url).port) });
    expect((await get('/', { cookie })).status).toBe(401);
  });

  test('forgets a session after its time', async () => {
    const cookie = await signIn();
    now += 31 * 24 * 3600 * 1000;
    expect((await get('/', { cookie })).status).toBe(401);
  });

  test('takes the access token as a link once, and from programs always', async () => {
    expect((await get(`/?token=${server.token}`)).status).toBe(303);
    expect((await get(`/?token=${server.token}`)).status).toBe(401);
    const authorization = `Bearer ${server.token}`;
    expect((await get('/', { authorization })).status).toBe(200);
    expect((await get('/', { authorization })).status).toBe(200);
  });

  test('carries a strict policy and keeps hashed files', async () => {
    const cookie = await signIn();
    const { headers } = await get('/', { cookie });
    const policy = headers['content-security-policy'] as string;
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).not.toContain('unsafe-eval');
    expect(policy).toContain("frame-ancestors 'none'");
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
    });
    const asset = await get('/assets/app-1234.js', { cookie });
    expect(asset).toMatchObject({ body: 'export {};' });
    const packed = await get('/assets/app-1234.js', { cookie, 'accept-encoding': 'gzip' });
    for (const { headers: each } of [asset, packed])
      expect(each).toMatchObject({
        'cache-control': expect.stringContaining('immutable') as string,
        'content-type': expect.stringMatching(/^(text|application)\/javascript/) as string,
      });
    expect([asset.headers['content-encoding'], packed.headers['content-encoding']]).toEqual([
      undefined,
      'gzip',
    ]);
    expect((await get('/health')).headers['content-security-policy']).toBe(policy);
  });

  test('serves its own files and nothing else', async () => {
    const cookie = await signIn();
    expect(await get('/assets/missing.js', { cookie })).toMatchObject({ status: 404 });
    expect((await get('/..%2f..%2fetc%2fpasswd', { cookie })).body).not.toContain('root:');
    expect((await get('/%00', { cookie })).status).toBeLessThan(500);
  });

  test('is refused under a name that is not ours, whatever the credentials', async () => {
    const authorization = `Bearer ${server.token}`;
    for (const host of ['evil.example', 'evil.example:8000', 'a@b']) {
      expect((await get('/', { authorization, host })).status, host).not.toBe(200);
      expect((await get('/health', { host })).status, host).not.toBe(200);
    }
    for (const host of ['localhost:9999', '127.0.0.1', '[::1]:8000', '192.168.3.4:80']) {
      expect((await get('/', { authorization, host })).status, host).toBe(200);
    }
  });

  test('stops guessing after ten wrong tokens, but not a browser that is signed in', async () => {
    const cookie = await signIn();
    for (let i = 0; i < 10; i += 1)
      expect((await get(`/?token=guess${String(i)}`)).status).toBe(401);
    expect((await get('/?token=guess')).status).toBe(429);
    expect((await get(`/?token=${server.token}`)).status).toBe(429);
    expect((await get('/', { authorization: `Bearer ${server.token}` })).status).toBe(429);
    expect((await get('/', { cookie })).status).toBe(200);
    now += 61_000;
    expect((await get(`/?token=${server.token}`)).status).toBe(303);
  });

  test('tells its health without signing in', async () => {
    expect(JSON.parse((await get('/health')).body)).toEqual({ ok: true, version: '0.0.1' });
  });
});

describe('the wire over HTTP', () => {
  test('lets in a browser with the cookie of this page, from this page', async () => {
    const cookie = await signIn();
    expect(await openWire({ cookie, origin: server.url })).toBe('open');
    expect(await openWire({ cookie, origin: 'http://evil.example' })).toBe(403);
    expect(await openWire({ cookie, origin: 'null' })).toBe(403);
    expect(await openWire({ cookie, origin: server.url.replace('127.0.0.1', 'localhost') })).toBe(
      403,
    );
    expect(await openWire({ cookie })).toBe(401);
    expect(await openWire({ origin: server.url })).toBe(401);
    expect(await openWire({ cookie: 'kohakuriver_1=x', origin: server.url })).toBe(401);
    expect(await openWire({ cookie, origin: 'http://evil.example', host: 'evil.example' })).toBe(
      421,
    );
  });

  test('lets in a program with the access token, and acts for the one who serves', async () => {
    const client = createClient(await attachToUrl(server.url, server.token));
    expect(await client.api.core.status()).toMatchObject({ hostname: 'anna through server' });
    const log: string[] = [];
    for await (const bytes of client.openStream('tasks.readLog', { task: '1' })) {
      log.push(new TextDecoder().decode(bytes));
    }
    expect(log).toEqual(['hello\n']);
    client.close();
  });

  test('refuses a wrong token, and soon all from there', async () => {
    for (let i = 0; i < 10; i += 1) {
      await expect(attachToUrl(server.url, 'wrong')).rejects.toMatchObject({
        code: 'core/unavailable',
      });
    }
    expect(await openWire({ authorization: `Bearer ${server.token}` })).toBe(429);
  });

  test('says that it is stopping', async () => {
    const client = createClient(await attachToUrl(server.url, server.token));
    const closed = new Promise((resolve) => client.onDidClose(resolve));
    await client.api.core.status();
    await server.stop();
    expect(await closed).toMatchObject({ code: 'core/stopping' });
  });
});

describe('the local socket', () => {
  test('is found through core.json, for its owner only, and needs no token', async () => {
    const address = await readCoreFile(dir);
    expect(address).toEqual({
      pid: process.pid,
      socket: join(dir, 'core.sock'),
      url: server.url,
      startedAt: now,
      version: '0.0.1',
    });
    expect((await stat(join(dir, 'core.sock'))).mode & 0o777).toBe(0o600);
    expect((await stat(join(dir, 'core.json'))).mode & 0o777).toBe(0o600);
    const client = createClient(await attachToLocalCore(dir));
    expect(await client.api.core.status()).toMatchObject({ hostname: 'anna through cli' });
    client.close();
  });

  test('gives its owner a link that signs a browser in', async () => {
    const { search } = new URL((await askForSignInUrl(dir)) ?? '');
    expect((await get(`/${search}`)).status).toBe(303);
  });

  test('leaves nothing behind', async () => {
    await server.stop();
    expect(await readCoreFile(dir)).toBeUndefined();
    expect(existsSync(join(dir, 'core.sock'))).toBe(false);
    await expect(attachToLocalCore(dir)).rejects.toMatchObject({ code: 'core/unavailable' });
  });

  test('takes the place of a socket that a dead core left', async () => {
    await server.stop();
    await writeFile(join(dir, 'core.sock'), '');
    server = await start({});
    const client = createClient(await attachToLocalCore(dir));
    expect(await client.api.core.status()).toMatchObject({ pid: process.pid });
    client.close();
  });

  test('goes to a short place when the data directory has a long name', async () => {
    const deep = join(dir, 'x'.repeat(60), 'y'.repeat(60));
    await mkdir(deep, { recursive: true });
    const second = await start({ dataDir: deep });
    expect(Buffer.byteLength(second.socketPath)).toBeLessThanOrEqual(103);
    const client = createClient(await attachToLocalCore(deep));
    expect(await client.api.core.status()).toMatchObject({ pid: process.pid });
    client.close();
    await second.stop();
    expect(existsSync(second.socketPath)).toBe(false);
  });
});

describe('starting', () => {
  test('names a port that is taken, and closes what it opened', async () => {
    const taken = Number(new URL(server.url).port);
    await expect(
      startServer({
        core,
        dataDir: dir,
        host: '127.0.0.1',
        port: taken,
        rendererDir,
        version: '1',
        who: 'anna',
        now: () => now,
      }),
    ).rejects.toMatchObject({
      code: 'core/unavailable',
      message: expect.stringContaining('--port') as string,
    });
  });

  test('warns when it listens beyond this computer', async () => {
    await server.stop();
    server = await start({ host: '0.0.0.0' });
    expect(core.logged.filter(({ level }) => level === 'warn')).toHaveLength(1);
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:/);
  });

  test('says what to do where the page is not built', async () => {
    await rm(join(rendererDir, 'index.html'));
    await expect(start({})).rejects.toMatchObject({
      message: expect.stringContaining('npm run build') as string,
    });
  });
});

describe('serve', () => {
  async function serve(options: {
    json: boolean;
    signal: AbortSignal;
    until: (printed: string) => Promise<void>;
  }) {
    const dataDir = join(dir, 'own');
    await mkdir(dataDir, { mode: 0o700 });
    let own = new FakeCore(dataDir, 'server');
    let printed = '';
    const running = runServe({
      dataDir,
      rendererDir,
      host: '127.0.0.1',
      port: 0,
      version: '1',
      open: false,
      json: options.json,
      signal: options.signal,
      createCore: ({ flags }) => Promise.resolve((own = new FakeCore(dataDir, 'server', flags))),
      print: (text) => (printed += text),
    });
    await expect.poll(() => printed).not.toBe('');
    await options.until(printed);
    await running;
    return { own, dataDir };
  }

  test('prints one JSON document whose token opens the wire, and stops when told', async () => {
    const abort = new AbortController();
    const { own, dataDir } = await serve({
      json: true,
      signal: abort.signal,
      until: async (printed) => {
        const ready = JSON.parse(printed) as {
          url: string;
          token: string;
          pid: number;
          dataDir: string;
        };
        expect(ready.pid).toBe(process.pid);
        const client = createClient(await attachToUrl(ready.url, ready.token));
        await client.api.core.status();
        abort.abort();
      },
    });
    expect(own.stops).toBe(1);
    expect(await readCoreFile(dataDir)).toBeUndefined();
  });

  test('prints a link that works, and stops when a client asks for it', async () => {
    const { own } = await serve({
      json: false,
      signal: new AbortController().signal,
      until: async (printed) => {
        const link = /http:\S+/.exec(printed)?.[0] ?? '';
        expect((await fetch(link, { redirect: 'manual' })).status).toBe(303);
        const client = createClient(await attachToLocalCore(join(dir, 'own')));
        expect(await client.api.core.stop()).toEqual({ pid: process.pid });
      },
    });
    expect(own.stops).toBe(1);
  });
});

describe('downloads', () => {
  const here = { kind: 'here' };
  const ask = async (what: unknown, cookie?: string) =>
    get(`/files?what=${encodeURIComponent(JSON.stringify(what))}`, {
      cookie: cookie ?? (await signIn()),
    });

  test('are for those who are signed in, and never anything but a file to be saved', async () => {
    const what = { place: here, paths: ['/tmp/a "b"\r\nx: y.html'], isArchive: false };
    expect((await ask(what, '')).status).toBe(401);
    const { status, headers, body } = await ask(what);
    expect(status).toBe(200);
    expect(body).toBe('<script></script>');
    expect(headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      'content-disposition':
        'attachment; filename="a _b___x_ y.html"; filename*=UTF-8\'\'a%20%22b%22%0D%0Ax%3A%20y.html',
    });
  });

  test('are not begun by other pages, those of other ports here neither', async () => {
    const cookie = await signIn();
    const what = { place: here, paths: ['/tmp/a "b"\r\nx: y.html'], isArchive: false };
    const path = `/files?what=${encodeURIComponent(JSON.stringify(what))}`;
    const statusFrom = async (site: string) =>
      (await get(path, { cookie, 'sec-fetch-site': site })).status;
    expect(await statusFrom('same-origin')).toBe(200);
    expect(await statusFrom('none')).toBe(200);
    expect(await statusFrom('same-site')).toBe(403);
    expect(await get(path, { cookie, 'sec-fetch-site': 'cross-site' })).toMatchObject({
      status: 403,
      body: 'Ask for this from the page itself.\n',
    });
  });

  test('say what is wrong when nothing can be read, and break off when the rest cannot', async () => {
    const missing = await ask({ place: here, paths: ['/tmp/missing'], isArchive: false });
    expect(missing).toMatchObject({ status: 404, body: 'No such file.\n' });
    for (const what of [{}, { place: here, paths: ['relative'], isArchive: false }, 'x']) {
      expect((await ask(what)).status).toBe(400);
    }
    const cut = ask({ place: here, paths: ['/tmp/cut'], isArchive: false });
    await expect(cut).rejects.toThrow();
  });
});
