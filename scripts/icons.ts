// `npm run icons`: draws every size of the app's icons from the two SVG files in resources/icons,
// with Chromium. The results are committed: a build needs no browser.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { icnsOf, icoOf } from './lib/icon-files.ts';

const folder = join(import.meta.dirname, '..', 'resources', 'icons');
const linuxSizes = [16, 24, 32, 48, 64, 96, 128, 256, 512, 1024];
const icoSizes = [16, 20, 24, 32, 40, 48, 64, 128, 256];
const icnsSizes = [32, 64, 128, 256, 512, 1024];
const trayIcoSizes = [16, 20, 24, 32, 48];

const browser = await chromium.launch({
  executablePath: process.env['KOHAKURIVER_CHROMIUM'] ?? '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu'],
});
try {
  const page = await browser.newPage();
  await drawApp(page);
  await drawTray(page);
} finally {
  await browser.close();
}

async function drawApp(page: Page): Promise<void> {
  const svg = readFileSync(join(folder, 'icon.svg'), 'utf8');
  const drawn = new Map<number, Buffer>();
  for (const size of new Set([...linuxSizes, ...icoSizes, ...icnsSizes]))
    drawn.set(size, await draw(page, svg, size));
  const get = (size: number): Buffer => drawn.get(size) ?? Buffer.alloc(0);
  mkdirSync(join(folder, 'linux'), { recursive: true });
  for (const size of linuxSizes) write(join('linux', `${size}x${size}.png`), get(size));
  write('icon.png', get(1024));
  write('drag.png', get(64));
  write('icon.ico', icoOf(icoSizes.map((size) => ({ size, png: get(size) }))));
  write('icon.icns', icnsOf(icnsSizes.map((size) => ({ size, png: get(size) }))));
}

/** Amber where the tray has its own background; black with alpha where the system colours it. */
async function drawTray(page: Page): Promise<void> {
  const svg = readFileSync(join(folder, 'tray.svg'), 'utf8');
  const amber = svg.replaceAll('currentColor', '#f2b23e');
  const black = svg.replaceAll('currentColor', '#000');
  write('tray.png', await draw(page, amber, 22));
  write('tray@2x.png', await draw(page, amber, 44));
  write('trayTemplate.png', await draw(page, black, 18));
  write('trayTemplate@2x.png', await draw(page, black, 36));
  const drawn = [];
  for (const size of trayIcoSizes) drawn.push({ size, png: await draw(page, amber, size) });
  write('tray.ico', icoOf(drawn));
}

async function draw(page: Page, svg: string, size: number): Promise<Buffer> {
  await page.setViewportSize({ width: size, height: size });
  const image = `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`;
  await page.setContent(
    `<style>*{margin:0}img{display:block;width:${size}px;height:${size}px}</style><img src="${image}">`,
  );
  await page.locator('img').evaluate((element: HTMLImageElement) => element.decode());
  return page.screenshot({ omitBackground: true });
}

function write(name: string, bytes: Buffer): void {
  writeFileSync(join(folder, name), bytes);
  console.log(`${name}  ${bytes.byteLength} bytes`);
}
