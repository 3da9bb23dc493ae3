// The browser of the journeys, and what a page lets one notice beside what it shows.
import { existsSync } from 'node:fs';
import { chromium, type Browser, type Page } from 'playwright-core';

export const chromiumPath = process.env['KOHAKURIVER_CHROMIUM'] ?? '/usr/bin/chromium';
export const hasChromium = existsSync(chromiumPath);

/** Debian's Chromium, quiet: nothing of its own goes to the network. */
export function launchChromium(flags: readonly string[] = []): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath,
    args: [
      ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
      ...flags,
    ],
  });
}

/** How long to look for what nothing announces; the machine may be busy. */
export const slowly = { timeout: 45_000 };

export interface WatchedPage {
  readonly page: Page;
  /** Errors in the console, uncaught ones, and what the content policy stopped. */
  readonly complaints: readonly string[];
  /** Bytes that came over the wire since the page was made. */
  receivedBytes(): number;
}

/** A page in a context of its own (its own cookies). */
export async function newPage(
  browser: Browser,
  viewport = { width: 1440, height: 900 },
): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport });
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const page = await context.newPage();
  page.setDefaultTimeout(slowly.timeout);
  const complaints: string[] = [];
  let received = 0;
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('websocket', (socket) => {
    socket.on('framereceived', ({ payload }) => (received += payload.length));
  });
  return { page, complaints, receivedBytes: () => received };
}
