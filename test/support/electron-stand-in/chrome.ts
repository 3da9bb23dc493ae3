// The one Chromium behind all windows. It is asked for nothing but what the app's scheme serves.
import { createServer } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type BrowserContext, type Page, type Route } from 'playwright-core';
import type { StandInContents } from './contents.ts';
import { recorded } from './record.ts';

const shown = 'app://kohakuriver';
const real = 'http://kohakuriver.localhost';

/** As Chromium knows an address of the app. */
export function toReal(url: string): string {
  return url.startsWith(shown) ? real + url.slice(shown.length) : url;
}

/** As the app knows it. */
export function toShown(url: string): string {
  return url.startsWith(real) ? shown + url.slice(real.length) : url;
}

type SchemeHandler = (request: Request) => Promise<Response>;

/** Electron's names of permissions, and Chromium's. */
const permissions = { 'clipboard-sanitized-write': 'clipboard-write' } as const;
const asked = [
  'geolocation',
  'notifications',
  'media',
  'clipboard-read',
  'clipboard-sanitized-write',
];

class Chrome {
  handler: SchemeHandler = () => Promise.resolve(new Response('', { status: 404 }));
  isGranted: (permission: string) => boolean = () => true;
  debugUrl = '';
  readonly #contents: StandInContents[] = [];
  #opening: Promise<BrowserContext> | undefined;
  #profile = '';

  async newPage(owner: StandInContents): Promise<Page> {
    const context = await (this.#opening ??= this.#launch());
    this.#contents.push(owner);
    return context.newPage();
  }

  async close(): Promise<void> {
    await (await this.#opening)?.close();
    await rm(this.#profile, { recursive: true, force: true });
  }

  async #launch(): Promise<BrowserContext> {
    this.#profile = await mkdtemp(join(tmpdir(), 'electron-stand-in-'));
    const port = await freePort();
    const context = await chromium.launchPersistentContext(this.#profile, {
      executablePath: process.env['KOHAKURIVER_CHROMIUM'] ?? '/usr/bin/chromium',
      viewport: { width: 1280, height: 800 },
      args: [
        ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
        ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
        `--remote-debugging-port=${String(port)}`,
      ],
    });
    const granted = asked.filter((permission) => this.isGranted(permission));
    await context.grantPermissions(
      granted.map((name) =>
        name in permissions ? permissions[name as keyof typeof permissions] : name,
      ),
    );
    await context.route('**/*', (route) => this.#serve(route));
    // What `setWindowOpenHandler` denied Chromium has opened already.
    context.on('page', (page) => {
      void page.opener().then((opener) => (opener === null ? undefined : page.close()));
    });
    this.debugUrl = `http://127.0.0.1:${String(port)}`;
    return context;
  }

  async #serve(route: Route): Promise<void> {
    const request = route.request();
    const url = request.url();
    const owner = this.#ownerOf(route);
    if (request.isNavigationRequest() && owner !== undefined && isNews(route)) {
      if (!owner.mayNavigate(toShown(url))) return route.abort('aborted');
    }
    if (!url.startsWith(real)) {
      recorded.foreignRequests.push(url);
      return route.abort('blockedbyclient');
    }
    const response = await this.handler(new Request(toShown(url), { method: request.method() }));
    return route.fulfill({
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: Buffer.from(await response.arrayBuffer()),
    });
  }

  #ownerOf(route: Route): StandInContents | undefined {
    try {
      const page = route.request().frame().page();
      return this.#contents.find((contents) => contents.owns(page));
    } catch {
      // A window that has just been opened has no frame yet; it is none of ours.
      return undefined;
    }
  }
}

/** A navigation the page began itself: to another document than the app's own. */
function isNews(route: Route): boolean {
  return (
    new URL(route.request().url()).pathname !== '/index.html' ||
    !route.request().url().startsWith(real)
  );
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        resolve(typeof address === 'object' && address !== null ? address.port : 0),
      );
    });
  });
}

export const chrome = new Chrome();
