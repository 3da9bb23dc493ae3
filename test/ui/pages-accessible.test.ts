// @vitest-environment node
// Every page in a real browser: no violation axe knows, and nothing the content policy stops.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasChromium } from './support/gallery.ts';
import { Pages } from './support/pages.ts';

const places: readonly [name: string, variant: string, hash: string][] = [
  ['overview', 'rich', '#/'],
  ['overview of 800 GPUs', 'big', '#/'],
  ['first start', 'first', '#/'],
  ['GPUs', 'rich', '#/gpus'],
  ['heat map of 800 GPUs', 'big', '#/gpus?view=map'],
  ['one GPU', 'rich', '#/gpus/GPU-beta-0000-4000-8000-0000'],
  ['nodes', 'rich', '#/nodes'],
  ['no nodes', 'empty', '#/nodes'],
  ['node in use', 'rich', '#/nodes/alpha'],
  ['GPUs of a node', 'rich', '#/nodes/beta/gpus'],
  ['findings of a node', 'rich', '#/nodes/desk/findings'],
  ['processes of a node', 'rich', '#/nodes/alpha/processes'],
  ['node that is offline', 'rich', '#/nodes/old-faithful/facts'],
  ['tasks', 'rich', '#/tasks'],
  ['no tasks', 'first', '#/tasks'],
  ['task that runs', 'rich', '#/tasks/llama-finetune-r3'],
  ['task that waits', 'rich', '#/tasks/whisper-batch'],
  ['task that failed', 'rich', '#/tasks/benchmark-007'],
  ['submit form', 'rich', '#/tasks/new'],
  ['topology of a node', 'rich', '#/nodes/alpha/facts'],
  ['queue', 'rich', '#/queue'],
  ['empty queue', 'first', '#/queue'],
  ['batches', 'rich', '#/batches?show=all'],
  ['VPSes', 'rich', '#/vps'],
  ['no VPSes', 'empty', '#/vps'],
  ['VPS that runs', 'rich', '#/vps/anna-dev'],
  ['VPS that crashes', 'rich', '#/vps/ben-eval'],
  ['files', 'rich', '#/files'],
  ['workspace', 'rich', '#/files/workspace?path=%2Fhome%2Fmio&file=%2Fhome%2Fmio%2Ftrain.py'],
  ['forwards of a node', 'rich', '#/nodes/alpha/forwards'],
  ['images of a node', 'rich', '#/nodes/alpha/images'],
  ['environments', 'rich', '#/environments'],
  ['no environments', 'empty', '#/environments'],
  ['environment that is worked on', 'rich', '#/environments/torch-lab'],
  ['environment that failed', 'rich', '#/environments/whisper'],
  ['diagnostics', 'rich', '#/diagnostics'],
  ['settings', 'rich', '#/settings'],
  ['unknown page', 'rich', '#/nowhere'],
];

describe.skipIf(!hasChromium)('every page', () => {
  let pages: Pages;
  const windows = new Map<string, ReturnType<Pages['open']>>();

  /** One window for each sample core: to start the app anew for every place would take most of the time. */
  function windowOf(variant: string): ReturnType<Pages['open']> {
    const opened = windows.get(variant) ?? pages.open(variant, 'light', '#/');
    windows.set(variant, opened);
    return opened;
  }

  beforeAll(async () => {
    pages = await Pages.start();
  }, 180_000);
  afterAll(async () => {
    await pages[Symbol.asyncDispose]();
  });

  test.each(places)(
    '%s is accessible in both themes, and nothing of it is forbidden',
    async (_name, variant, hash) => {
      const { page, complaints } = await windowOf(variant);
      await pages.goTo(page, hash);
      expect(await pages.violations(page)).toEqual([]);
      const theme = page.getByRole('button', { name: /^Theme: / });
      await theme.click();
      expect(await pages.violations(page, ['color-contrast'])).toEqual([]);
      // From dark over «as the system» to light again.
      await theme.click();
      await theme.click();
      expect(complaints).toEqual([]);
    },
    60_000,
  );
});
