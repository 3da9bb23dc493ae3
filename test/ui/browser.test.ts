// @vitest-environment node
// All that needs a real browser and no real core: one build of the gallery and one Chromium for it.
import { afterAll, beforeAll, describe } from 'vitest';
import { describeComponents } from './browser/components.ts';
import { hasChromium } from './browser/gallery.ts';
import { describeLooks } from './browser/looks.ts';
import { Pages } from './browser/pages.ts';
import { describeUse } from './browser/use.ts';

describe.skipIf(!hasChromium)('in a browser', () => {
  let pages: Pages;

  beforeAll(async () => {
    pages = await Pages.start();
  }, 180_000);
  afterAll(async () => {
    await pages?.[Symbol.asyncDispose]();
  });

  describeComponents(() => pages);
  describeLooks(() => pages);
  describeUse(() => pages);
});
