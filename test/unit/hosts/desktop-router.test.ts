import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { call } from '@orpc/server';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  desktopRouter,
  type DesktopParts,
} from '../../../src-main/hosts/electron/desktop-router.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'drag-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

describe('dragging a file out of the window', () => {
  const startDrag = vi.fn<DesktopParts['startDrag']>();
  const { desktop } = desktopRouter({ startDrag } as unknown as DesktopParts);
  const context = { who: 'anna', host: 'electron', isOwner: true } as const;
  const dragOut = (path: string) => call(desktop.dragOut, { path }, { context });

  test('begins with a file that is there', async () => {
    const path = join(dir, 'a log.txt');
    writeFileSync(path, 'step 1');
    await expect(dragOut(path)).resolves.toEqual({ path });
    expect(startDrag.mock.calls).toEqual([[path]]);
  });

  test('never begins with a folder, a file that is not there, or a relative path', async () => {
    startDrag.mockClear();
    for (const path of [dir, join(dir, 'gone.txt'), 'package.json'])
      await expect(dragOut(path)).rejects.toThrow(`${path} is not a file on this computer.`);
    expect(startDrag).not.toHaveBeenCalled();
  });
});
