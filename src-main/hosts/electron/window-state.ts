import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomically } from '../../store/atomic-file.ts';
import { codeOf } from '../../store/errors.ts';

const bounds = z.object({
  x: z.number().int(),
  y: z.number().int(),
  width: z.number().int(),
  height: z.number().int(),
});
const windowState = z.object({ bounds, isMaximized: z.boolean() });
export type WindowState = z.infer<typeof windowState>;
export type Rectangle = z.infer<typeof bounds>;

/** A window must show at least this much on some screen to be found again. */
const visiblePixels = 100;

/** How the window was left, if that is still on a screen. A file that says nothing sensible counts as none. */
export function readWindowState(
  dataDir: string,
  screens: readonly Rectangle[],
): WindowState | undefined {
  let text: string;
  try {
    text = readFileSync(statePath(dataDir), 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  const state = windowState.safeParse(jsonOrUndefined(text)).data;
  return state !== undefined && screens.some((screen) => overlaps(state.bounds, screen))
    ? state
    : undefined;
}

export async function writeWindowState(dataDir: string, state: WindowState): Promise<void> {
  await writeFileAtomically(statePath(dataDir), JSON.stringify(state));
}

function statePath(dataDir: string): string {
  return join(dataDir, 'window.json');
}

function overlaps(window: Rectangle, screen: Rectangle): boolean {
  const width =
    Math.min(window.x + window.width, screen.x + screen.width) - Math.max(window.x, screen.x);
  const height =
    Math.min(window.y + window.height, screen.y + screen.height) - Math.max(window.y, screen.y);
  return width >= visiblePixels && height >= visiblePixels;
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
