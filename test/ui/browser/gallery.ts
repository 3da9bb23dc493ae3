// The gallery built and served under the policy of the hosts.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { build } from 'vite';
import { securityHeaders } from '../../../src-main/hosts/security-policy.ts';

export { hasChromium, launchChromium } from '../../e2e/support/browser.ts';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

export interface ServedGallery {
  /** Address of the components, by themselves. */
  readonly components: string;
  /** Address of the app on a fake core: variant, theme, and place. */
  address(variant: string, theme: 'light' | 'dark' | 'system', hash: string): string;
  close(): Promise<void>;
}

/** Builds the gallery into a folder of its own and serves it. */
export async function serveGallery(): Promise<ServedGallery> {
  const outDir = await mkdtemp(join(tmpdir(), 'kohakuriver-gallery-'));
  await build({
    configFile: join(import.meta.dirname, '../../../vite.renderer.config.ts'),
    mode: 'gallery',
    logLevel: 'error',
    build: { outDir },
  });
  const server = await serve(outDir);
  const { port } = server.address() as { port: number };
  const components = `http://127.0.0.1:${port}/gallery.html`;
  return {
    components,
    address: (variant, theme, hash) => `${components}?app=${variant}&theme=${theme}${hash}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(outDir, { recursive: true, force: true });
    },
  };
}

async function serve(dir: string): Promise<Server> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    readFile(join(dir, pathname)).then(
      (body) => {
        const type = types[extname(pathname)] ?? 'application/octet-stream';
        response.writeHead(200, { ...securityHeaders(), 'content-type': type });
        response.end(body);
      },
      () => response.writeHead(404).end(),
    );
  });
  // One that is closed just when it is used again costs the page a stylesheet.
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
