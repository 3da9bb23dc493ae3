// The areas of the app that add something to the shell: one line each. An area's own function adds
// its actions, palette sources, status items, panel tabs and dialogs, and returns what ends them.
import type { App } from '../state/app.svelte.ts';
import { addDesktopParts } from './desktop-parts.ts';
import { addEnvironmentParts } from './environment-parts.ts';
import { addFilesParts } from './files-parts.ts';
import { addForwardParts } from './forward-parts.ts';
import { addShellParts } from './shell-parts.ts';
import { addTerminalParts } from './terminal-parts.ts';

export type AddParts = (app: App) => () => void;

const areas: readonly AddParts[] = [
  addShellParts,
  addTerminalParts,
  addFilesParts,
  addForwardParts,
  addEnvironmentParts,
  addDesktopParts,
];

/** Adds the parts of every area; returns what takes them away again. */
export function addParts(app: App): () => void {
  const ends = areas.map((add) => add(app));
  return () => ends.forEach((end) => end());
}
