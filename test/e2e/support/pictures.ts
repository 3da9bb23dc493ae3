// Pictures for the docs.
import { writeFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';

export const themes = ['light', 'dark'] as const;
export type Theme = (typeof themes)[number];

/** WebP: half the bytes of a PNG of the same look. */
export async function picture(page: Page, path: string): Promise<void> {
  const cdp = await page.context().newCDPSession(page);
  const { data } = await cdp.send('Page.captureScreenshot', { format: 'webp', quality: 72 });
  await cdp.detach();
  await writeFile(path, Buffer.from(data, 'base64'));
}
