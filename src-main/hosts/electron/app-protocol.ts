import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import { securityHeaders } from '../security-policy.ts';
import type { ElectronApi } from './electron-api.ts';
import { appOrigin } from './names.ts';

/** Must run before the app is ready. */
export function registerAppScheme(electron: Pick<ElectronApi, 'protocol'>): void {
  electron.protocol.registerSchemesAsPrivileged([
    {
      scheme: 'app',
      privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true },
    },
  ]);
}

/** Serves the built page, and nothing outside its folder, under the app's own scheme. */
export function handleAppScheme(
  electron: Pick<ElectronApi, 'protocol'>,
  rendererDir: string,
): void {
  electron.protocol.handle('app', async (request) => {
    const file = fileFor(request.url, rendererDir);
    if (request.method !== 'GET' || file === undefined) return notFound();
    return new Response(await readFile(file), {
      headers: { ...securityHeaders(), 'content-type': contentType(file) },
    });
  });
}

/** The file of the page that a URL means; undefined for what is not there, or not ours. */
export function fileFor(url: string, rendererDir: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const { protocol, host, pathname } = new URL(url);
  if (`${protocol}//${host}` !== appOrigin) return undefined;
  const path = decoded(pathname);
  if (path === undefined || path.includes('\0') || path.includes('\\')) return undefined;
  const file = join(rendererDir, path);
  if (
    file !== rendererDir &&
    !file.startsWith(rendererDir.endsWith(sep) ? rendererDir : rendererDir + sep)
  )
    return undefined;
  if (pathname === '/') return join(rendererDir, 'index.html');
  return extname(file) !== '' && existsSync(file) ? file : undefined;
}

const contentTypes: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
  '.woff2': 'font/woff2',
};

function contentType(file: string): string {
  return contentTypes[extname(file)] ?? 'application/octet-stream';
}

function decoded(pathname: string): string | undefined {
  try {
    return decodeURIComponent(pathname);
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

function notFound(): Response {
  return new Response('There is nothing here.', {
    status: 404,
    headers: { ...securityHeaders(), 'content-type': 'text/plain' },
  });
}
